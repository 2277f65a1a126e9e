"""Plain handlers that ask: each becomes a conversation at its first question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.plain.flow import STEP
from engine.testing import Chat
from flows import (
    CallNext,
    Choice,
    Confirm,
    Context,
    Integer,
    Router,
    TooManyTries,
    filters,
)
from flows.ports import Query
from flows.updates import SendFailed
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

Ctx = Context[Any, Any]
Handler = Callable[[Ctx], Awaitable[None]]
APOLOGY = "Sorry, something went wrong. Please try that again."


def bot(handler: Handler, **more: Any) -> App:
    """A bot whose command /go calls the handler."""
    router = Router("shop")
    router.registry.help_command("help")
    router.registry.back_command("back")
    router.registry.cancel_command("cancel")
    router.command("go")(handler)
    return App(router, rerun_every_step=True, **more)


async def instances(storage: MemoryStorage, status: str = "active") -> list[str]:
    rows = (await storage.inspect(Query(what="instances"))).rows
    return [str(row["flow"]) for row in rows if row["status"] == status]


# --- asking ---------------------------------------------------------------------------------


async def test_a_handler_goes_on_with_typed_answers() -> None:
    async def handler(ctx: Ctx) -> None:
        name = await ctx.ask("Your name?")
        years = await ctx.ask(f"How old are you, {name}?", Integer(ge=0))
        ctx.reply(f"{name} will be {years + 1}.")

    async with Chat(bot(handler)) as chat:
        assert await chat.say("/go") == ("Your name?",)
        assert await chat.say("Ada") == ("How old are you, Ada?",)
        assert await chat.say("old") == (
            "Please send a whole number of at least 0, in digits such as 0.",
        )
        assert await chat.say("36") == ("Ada will be 37.",)


async def test_what_was_said_before_a_question_is_said_once() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply("Hello.")
        await ctx.ask("First?")
        ctx.reply("Thanks.")
        await ctx.ask("Second?")
        ctx.reply("Done.")

    async with Chat(bot(handler)) as chat:
        assert await chat.say("/go") == ("Hello.", "First?")
        assert await chat.say("a") == ("Thanks.", "Second?")
        assert await chat.say("b") == ("Done.",)


async def test_a_handler_that_does_not_ask_leaves_no_instance() -> None:
    storage = MemoryStorage()

    async def handler(ctx: Ctx) -> None:
        ctx.reply(f"{ctx.now:%Y}"[:2] + str(await ctx.once("one", lambda: 1)))

    async with Chat(bot(handler), storage=storage) as chat:
        assert await chat.say("/go") == ("201",)
        assert await instances(storage) == []
        assert await instances(storage, "completed") == []


async def test_its_instance_is_called_by_the_router_and_the_function() -> None:
    storage = MemoryStorage()

    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Name?")

    async with Chat(bot(handler), storage=storage) as chat:
        await chat.say("/go")
        (row,) = (await storage.inspect(Query(what="instances"))).rows
        assert row["flow"] == f"shop:{handler.__qualname__}"
        assert row["step"] == STEP
        await chat.say("Ada")
        assert await instances(storage, "completed") == [f"shop:{handler.__qualname__}"]


async def test_update_payload_and_user_stay_those_of_the_call() -> None:
    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Sure?")
        ctx.reply(f"{ctx.update.content.kind} {ctx.payload} {ctx.user.id if ctx.user else None}")

    async with Chat(bot(handler)) as chat:
        await chat.say("/go there")
        assert await chat.say("yes") == ("command there 1",)


async def test_once_now_and_random_are_the_same_in_every_run() -> None:
    seen: list[tuple[Any, ...]] = []
    calls: list[int] = []

    def pay() -> int:
        calls.append(1)
        return len(calls)

    async def handler(ctx: Ctx) -> None:
        paid = await ctx.once("pay", pay)
        seen.append((ctx.now, ctx.random.random(), paid, ctx.idempotency_key("pay")))
        await ctx.ask("Why?")

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        await chat.say("so")
    assert len(set(seen)) == 1
    assert len(seen) > 1
    assert calls == [1]


async def test_buttons_answer_its_questions() -> None:
    async def handler(ctx: Ctx) -> None:
        colour = await ctx.ask("Colour?", Choice(["red", "blue"]))
        sure = await ctx.ask("Sure?", Confirm())
        ctx.reply(f"{colour} {sure}")

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        await chat.press("blue")
        assert await chat.press("Yes") == ("blue True",)


async def test_two_quick_messages_answer_two_questions_in_their_order() -> None:
    async def handler(ctx: Ctx) -> None:
        first = await ctx.ask("First?")
        second = await ctx.ask("Second?")
        ctx.reply(f"{first}, {second}")

    async with Chat(bot(handler)) as chat:
        said = await asyncio.gather(chat.say("/go"), chat.say("a"), chat.say("b"))
        assert "a, b" in [text for texts in said for text in texts]


async def test_two_questions_at_the_same_time_are_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler(ctx: Ctx) -> None:
        await asyncio.gather(ctx.ask("First?"), ctx.ask("Second?"))

    async with Chat(bot(handler)) as chat:
        assert await chat.say("/go") == (APOLOGY,)
    assert "ConcurrentAsk" in caplog.text


async def test_a_handler_that_fails_keeps_its_question_open() -> None:
    async def handler(ctx: Ctx) -> None:
        parts = await ctx.ask("Divide 12 by?", Integer())
        ctx.reply(str(12 // parts))

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("0") == (APOLOGY,)
        assert await chat.say("4") == ("3",)


async def test_a_handler_that_fails_before_its_question_leaves_nothing() -> None:
    storage = MemoryStorage()

    async def handler(ctx: Ctx) -> None:
        try:
            await ctx.ask("Name?")
        finally:
            raise RuntimeError("while unwinding")

    async with Chat(bot(handler), storage=storage) as chat:
        assert await chat.say("/go") == (APOLOGY,)
        assert await instances(storage) == []


async def test_tries_that_are_used_up_end_the_conversation() -> None:
    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Number?", Integer(tries=1))

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("x") == ("That did not work out, so I have stopped here.",)


async def test_tries_that_are_used_up_can_be_caught() -> None:
    async def handler(ctx: Ctx) -> None:
        try:
            await ctx.ask("Number?", Integer(tries=1))
        except TooManyTries:
            ctx.reply("Never mind.")

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("x") == ("Never mind.",)


async def test_an_answer_can_be_checked() -> None:
    async def even(number: int) -> str | None:
        return None if number % 2 == 0 else "An even one."

    async def handler(ctx: Ctx) -> None:
        number = await ctx.ask("Number?", Integer(), check=even)
        ctx.reply(str(number))

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("1") == ("An even one.",)
        assert await chat.say("2") == ("2",)


async def test_without_a_prompt_the_last_message_is_the_question() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply("Hello.")
        ctx.reply("Which colour?")
        colour = await ctx.ask(None, Choice(["red", "blue"]))
        ctx.reply(colour)

    async with Chat(bot(handler)) as chat:
        assert await chat.say("/go") == ("Hello.", "Which colour?")
        assert await chat.say("/unknown") == (
            "I did not expect that now. Please choose one of: red, blue.\n\nWhich colour?",
        )
        assert await chat.press("red") == ("red",)


# --- session --------------------------------------------------------------------------------


class Session(BaseModel):
    visits: int = 0


async def test_the_session_is_written_when_the_handler_returns() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.session.visits += 1
        await ctx.ask("Sure?")
        ctx.reply(str(ctx.session.visits))

    async with Chat(bot(handler, session=Session)) as chat:
        await chat.say("/go")
        assert await chat.say("yes") == ("1",)
        await chat.say("/go")
        assert await chat.say("yes") == ("2",)


# --- what cannot ask ------------------------------------------------------------------------


async def test_a_middleware_cannot_ask() -> None:
    router = Router("shop")

    @router.middleware
    async def around(ctx: Ctx, call_next: CallNext) -> None:
        await ctx.ask("Who are you?")
        await call_next()

    async with Chat(App(router)) as chat:
        assert await chat.say("hello") == (APOLOGY,)


async def test_the_fallback_may_ask() -> None:
    router = Router("shop")

    @router.fallback
    async def lost(ctx: Ctx) -> None:
        ctx.reply(f"You want {await ctx.ask('What do you want?')}.")

    async with Chat(App(router)) as chat:
        assert await chat.say("hm") == ("What do you want?",)
        assert await chat.say("tea") == ("You want tea.",)


async def test_the_handler_of_stale_presses_may_ask() -> None:
    router = Router("shop")

    @router.command("go")
    async def go(ctx: Ctx) -> None:
        await ctx.ask("Sure?", Confirm())

    @router.stale_press
    async def stale(ctx: Ctx) -> None:
        ctx.reply(f"So: {await ctx.ask('Too late. What did you want?')}")

    async with Chat(App(router)) as chat:
        await chat.say("/go")
        old = chat.button("Yes")
        await chat.press("Yes")
        assert await chat.send(old.press()) == ("Too late. What did you want?",)
        assert await chat.say("yes") == ("So: yes",)


async def test_the_handler_of_failed_sends_cannot_ask(caplog: pytest.LogCaptureFixture) -> None:
    router = Router("shop")

    @router.kind("send_failed")
    async def failed(ctx: Ctx) -> None:
        await ctx.ask("Did you get that?")

    async with Chat(App(router)) as chat:
        assert await chat.send(SendFailed(slot=None, reason="gone", blocked=False)) == ()
    assert "there is nobody to be asked" in caplog.text


async def test_what_its_pattern_has_found_is_the_same_in_every_run() -> None:
    router = Router("patterns")

    async def order(ctx: Ctx) -> None:
        assert ctx.match is not None
        first = ctx.match.group(0)
        await ctx.ask("How many?")
        assert ctx.match is not None
        ctx.reply(f"{first} {ctx.match.group(0)}")

    router.hears(pattern="tea", where=filters.state("hurried"))(order)
    router.hears(pattern="tea with milk")(order)
    async with Chat(App(router)) as chat:
        await chat.say("tea with milk")
        assert await chat.say("2") == ("tea with milk tea with milk",)
