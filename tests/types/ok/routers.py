"""Handlers of routers, their filters and what they answer."""

from __future__ import annotations

from typing import Any, assert_type

from pydantic import BaseModel

from flows import (
    Context,
    DeepLink,
    FsmState,
    OnCommand,
    Router,
    Update,
    filters,
    stay,
    transition,
)
from flows.filters import Filter
from flows.fsm import Stay, Transition


class Session(BaseModel):
    count: int = 0


router = Router("bot")
router.include(Router("inner"))


@router.command(("a", "b"), languages={"de": "A"}, scope=("private", -7))
async def nothing(ctx: Context) -> None:
    if ctx.match is not None:
        assert_type(ctx.match.group(1), str | None)


@router.state("a", "b", on=OnCommand("skip"), where=filters.PRIVATE)
async def moves(ctx: Context[Session]) -> Transition | Stay:
    assert_type(ctx.session, Session)
    assert_type(ctx.fsm.get_state(), FsmState | None)
    return transition("b", {"n": 1}) if ctx.session.count else stay()


@router.text(where=lambda update: update.private)
async def same(ctx: Context[Session]) -> Context[Session]:
    return ctx


def old(update: Update) -> bool:
    return update.at < 0


assert_type(filters.PRIVATE & old | ~filters.REPLY, Filter)


@router.deep_link(DeepLink("ref"), where=filters.GROUP | old)
async def linked(ctx: Context) -> None: ...


@router.catch
async def caught(ctx: Context[Any], error: Exception) -> None: ...
