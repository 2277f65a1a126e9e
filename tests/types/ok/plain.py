"""Plain handlers that ask, and are accepted as they stand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import assert_type

from pydantic import BaseModel

from flows import (
    Choice,
    Command,
    Confirm,
    Context,
    FileRef,
    Integer,
    Press,
    Router,
    Update,
    as_flow,
)


class Plan(Enum):
    FREE = 1
    PRO = 2


class Visitor(BaseModel):
    messages: int = 0


class Services:
    mailer: str = "smtp"


router = Router("typed")
HOUR = timedelta(hours=1)


async def late(ctx: Context[Visitor, Services]) -> None:
    ctx.reply(ctx.deps.mailer)


async def meant(update: Update) -> bool:
    return update.private


@router.command("ask")
@as_flow("ask", ttl=HOUR, interrupt="refuse")
async def asks(ctx: Context[Visitor, Services]) -> None:
    assert_type(await ctx.ask("?"), str)
    assert_type(await ctx.ask(None), str)
    assert_type(await ctx.ask("?", Integer()), int)
    assert_type(await ctx.ask("?", Integer(), keep=3, check=lambda n: None), int)
    assert_type(await ctx.ask("?", Confirm(), otherwise="Yes or no?", timeout=HOUR), bool)
    assert_type(await ctx.ask("?", Choice(Plan), otherwise=late, on_timeout=late), Plan)
    assert_type(await ctx.once("rate", lambda: 3), int)


@router.command("wait")
async def waits(ctx: Context[Visitor, Services]) -> None:
    assert_type(await ctx.wait_text("?", max_length=3), str)
    assert_type(await ctx.wait_command("done", prompt="?"), Command)
    assert_type(await ctx.wait_hears("tea", "?", otherwise="Tea?"), str)
    assert_type(await ctx.wait_number("?", ge=0, key="n"), Decimal)
    assert_type(await ctx.wait_email("?", remind=HOUR), str)
    assert_type(await ctx.wait_choice("?", Plan), Plan)
    assert_type(await ctx.wait_choice("?", ["one", "two"]), str)
    assert_type(await ctx.wait_choice("?", {"One": 1, "Two": 2}), int)
    assert_type(await ctx.wait_photos("?", count=2), list[FileRef])
    assert_type(await ctx.wait_voice("?"), FileRef)
    assert_type(await ctx.wait_callback("size:*"), Press)
    assert_type(await ctx.wait_any("photo", where=meant, timeout=HOUR, on_timeout="Oh."), Update)
