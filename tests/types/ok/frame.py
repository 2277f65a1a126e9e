"""The frame of a bot, accepted as it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import assert_type

from pydantic import BaseModel

from engine import App
from flows import (
    Context,
    Continue,
    Dedup,
    PreContext,
    RateLimit,
    Roles,
    Router,
    Sessions,
    Stop,
    Update,
    requires,
)


class Known(BaseModel):
    visits: int = 0


class Services:
    blocked: frozenset[str] = frozenset()


@asynccontextmanager
async def services() -> AsyncIterator[Services]:
    yield Services()


async def resolve(update: Update, deps: Services) -> set[str]:
    return {"blocked"} if update.user and update.user.id in deps.blocked else set()


router = Router("bot")


@router.pre_handler
async def count(ctx: PreContext) -> Continue:
    return Continue()


@router.pre_handler
async def guard(ctx: PreContext[Services]) -> Continue | Stop:
    assert_type(ctx.deps, Services)
    if ctx.user is not None and ctx.user.id in ctx.deps.blocked:
        return Stop("No.")
    return Continue()


@router.command("visit")
@requires("guest")
async def visit(ctx: Context[Known, Services]) -> None:
    assert_type(ctx.get_session(), Known)
    ctx.next_session(Known(visits=ctx.session.visits + 1))


@router.catch
async def caught(ctx: Context[Known, Services], error: Exception) -> None:
    ctx.reply(f"{error}")


app = App(
    router,
    session=Sessions(Known, default=lambda: Known(visits=1), key="user"),
    deps=services,
    roles=Roles({"guest": {1}}, resolver=resolve),
    pre_handlers=[Dedup(), RateLimit(5, timedelta(seconds=1))],
)
