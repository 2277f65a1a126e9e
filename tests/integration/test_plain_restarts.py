"""Conversations of plain handlers over restarts, crashes and deploys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from engine import App
from engine.testing import Chat, CrashPoint, VirtualClock
from flows import Choice, Context, Integer, Router, as_flow
from flows.ports import Query
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

Ctx = Context[Any, Any]
Handler = Callable[[Ctx], Awaitable[None]]


def bot(*handlers: Handler) -> App:
    """A bot whose command /go calls the first handler; all are known."""
    router = Router("shop")
    router.registry.cancel_command("cancel")
    for name, handler in zip(("go", "more"), handlers, strict=False):
        router.command(name)(handler)
    return App(router)


@as_flow("two")
async def two_questions(ctx: Ctx) -> None:
    ctx.reply("Hello.")
    first = await ctx.ask("First?")
    second = await ctx.ask("Second?", Choice(["red", "blue"]))
    ctx.reply(f"{first} {second} {ctx.payload}")


async def test_an_answer_may_come_after_a_restart() -> None:
    storage = MemoryStorage()
    async with Chat(bot(two_questions), storage=storage) as chat:
        await chat.say("/go there")
        await chat.say("a")
    async with Chat(bot(two_questions), storage=storage) as chat:
        assert await chat.say("red") == ("a red there",)


async def test_an_old_button_answers_after_a_restart() -> None:
    storage = MemoryStorage()
    async with Chat(bot(two_questions), storage=storage) as chat:
        await chat.say("/go")
        await chat.say("a")
        await chat.crash()
        await chat.restart()
        assert await chat.press("blue") == ("a blue ",)


@pytest.mark.parametrize("at", ["accept", "commit"])
@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_at_any_point_loses_nothing(at: Any, after: bool) -> None:
    async with Chat(bot(two_questions)) as chat:
        await chat.say("/go")
        chat.crash_at(CrashPoint(at, after=after))
        await chat.say("a")
        assert chat.crashed
        await chat.restart()
        if chat.replies()[-1] == "First?":  # it was not accepted, and so it comes again
            await chat.again()
        assert chat.replies()[-1] == "Second?"
        assert await chat.say("red") == ("a red ",)


async def test_what_was_done_once_is_not_done_again_after_a_crash() -> None:
    calls: list[int] = []

    def pay() -> int:
        calls.append(1)
        return len(calls)

    @as_flow("paying")
    async def handler(ctx: Ctx) -> None:
        await ctx.once("pay", pay)
        await ctx.ask("Sure?")
        ctx.reply("Done.")

    async with Chat(bot(handler)) as chat:
        chat.crash_at(CrashPoint("commit"))
        await chat.say("/go")
        await chat.restart()
        await chat.settle()
        assert chat.replies() == ("Sure?",)
        assert await chat.say("yes") == ("Done.",)
    assert calls == [1]


async def test_a_timeout_is_kept_over_a_restart() -> None:
    @as_flow("slow")
    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Name?", timeout=timedelta(hours=1), on_timeout="Too late.")

    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(bot(handler), storage=storage, clock=clock) as chat:
        await chat.say("/go")
    async with Chat(bot(handler), storage=storage, clock=clock) as chat:
        assert await chat.advance(timedelta(hours=1)) == ("Too late.",)


async def test_a_deploy_that_changes_the_questions_starts_the_handler_again() -> None:
    @as_flow("two")
    async def changed(ctx: Ctx) -> None:
        years = await ctx.ask("Your age?", Integer())
        ctx.reply(f"{years} {ctx.payload}")

    storage = MemoryStorage()
    async with Chat(bot(two_questions), storage=storage) as chat:
        await chat.say("/go there")
        await chat.say("a")
    async with Chat(bot(changed), storage=storage) as chat:
        assert await chat.say("red") == (
            "This question has changed. Let us start it again.",
            "Your age?",
        )
        assert await chat.say("36") == ("36 there",)


async def test_a_handler_that_returns_early_after_a_deploy_does_not_wedge() -> None:
    @as_flow("two")
    async def changed(ctx: Ctx) -> None:
        ctx.reply("No questions any more.")

    storage = MemoryStorage()
    async with Chat(bot(two_questions), storage=storage) as chat:
        await chat.say("/go")
        await chat.say("a")
    async with Chat(bot(changed), storage=storage) as chat:
        assert (await chat.say("red"))[-1] == "No questions any more."
        assert (await chat.say("red"))[0].startswith("I did not understand that.")


async def test_a_handler_that_is_gone_is_set_aside_until_it_is_back() -> None:
    async def other(ctx: Ctx) -> None:
        ctx.reply("other")

    storage = MemoryStorage()
    async with Chat(bot(two_questions), storage=storage) as chat:
        await chat.say("/go")
        await chat.say("a")
    async with Chat(bot(other), storage=storage) as chat:
        assert "Nothing is lost" in (await chat.say("red"))[0]
        (row,) = (await storage.inspect(Query(what="instances"))).rows
        assert (row["flow"], row["status"]) == ("two", "quarantined")
    async with Chat(bot(two_questions), storage=storage) as chat:
        assert await chat.say("red") == ("a red ",)


async def test_a_name_of_its_own_survives_that_the_function_is_renamed() -> None:
    @as_flow("two")
    async def renamed(ctx: Ctx) -> None:
        ctx.reply(f"{await ctx.ask('First?')} again")

    storage = MemoryStorage()
    async with Chat(bot(two_questions), storage=storage) as chat:
        await chat.say("/go")
    async with Chat(bot(renamed), storage=storage) as chat:
        assert await chat.say("a") == ("a again",)


async def test_a_handler_that_was_registered_after_the_start_asks_as_well() -> None:
    router = Router("shop")
    async with Chat(App(router)) as chat:
        router.command("go")(two_questions)
        await chat.say("/go")
        assert await chat.say("a") == ("Second?",)
