"""Conversations of plain handlers among others: the stack, the commands, and operators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Literal

import pytest

from engine import App
from engine.plain.flow import STEP
from engine.testing import Chat, VirtualClock
from flows import (
    Button,
    Context,
    DefinitionError,
    Flow,
    FlowBuilder,
    FlowRegistry,
    Integer,
    OnCommand,
    Router,
    Text,
    Turn,
    as_flow,
    call_flow,
    keyboard,
)
from flows.ports import Query
from flows.updates import TextMessage, Update
from storage import MemoryStorage
from tests.support import Names, One

pytestmark = pytest.mark.anyio

Ctx = Context[Any, Any]
Handler = Callable[[Ctx], Awaitable[None]]


async def name_and_age(ctx: Ctx) -> None:
    name = await ctx.ask("Name?")
    years = await ctx.ask("Age?", Integer())
    ctx.reply(f"{name} is {years}.")


def colour(
    interrupt: Literal["stack", "replace", "refuse"] = "stack", **more: Any
) -> Flow[One, Names]:
    builder = FlowBuilder("colour", One, Names, interrupt=interrupt, **more)
    builder.ask(One.ONLY, "Colour?", Text(), into="first")
    return builder.build(initial=One.ONLY)


def bot(*handlers: Handler, flow: Flow[Any, Any] | None = None) -> App:
    """A bot with a flow at /colour, and handlers at /go and /more."""
    registry = FlowRegistry()
    registry.register(OnCommand("colour"), flow or colour())
    registry.help_command("help")
    registry.back_command("back")
    registry.cancel_command("cancel")
    router = Router("shop")
    for name, handler in zip(("go", "more"), handlers, strict=False):
        router.command(name)(handler)
    return App(router, registry=registry)


async def statuses(storage: MemoryStorage) -> list[str]:
    rows = (await storage.inspect(Query(what="instances"))).rows
    return sorted(str(row["status"]) for row in rows)


# --- the commands that work inside every flow -----------------------------------------------


async def test_back_undoes_the_last_answer() -> None:
    async with Chat(bot(name_and_age)) as chat:
        await chat.say("/go")
        await chat.say("Bob")
        assert await chat.say("/back") == ("Name?",)
        await chat.say("Ada")
        assert await chat.say("36") == ("Ada is 36.",)


async def test_back_at_the_first_question_says_that_this_is_the_start() -> None:
    async with Chat(bot(name_and_age)) as chat:
        await chat.say("/go")
        assert await chat.say("/back") == (
            "This is the start, there is no question before it.",
            "Name?",
        )


async def test_cancel_ends_it() -> None:
    storage = MemoryStorage()
    async with Chat(bot(name_and_age), storage=storage) as chat:
        await chat.say("/go")
        assert await chat.say("/cancel") == ("Cancelled.",)
        assert await statuses(storage) == ["cancelled"]


async def test_help_shows_the_question_again() -> None:
    async with Chat(bot(name_and_age)) as chat:
        await chat.say("/go")
        assert (await chat.say("/help"))[-1] == "Name?"


# --- the stack ------------------------------------------------------------------------------


async def test_a_handler_that_asks_parks_the_flow_that_runs() -> None:
    async with Chat(bot(name_and_age)) as chat:
        await chat.say("/colour")
        assert await chat.say("/go") == ("Name?",)
        await chat.say("Ada")
        assert await chat.say("36") == ("Ada is 36.", "Colour?")


async def test_a_flow_that_is_to_be_replaced_ends_before_the_question() -> None:
    seen: list[str] = []
    builder = FlowBuilder("colour", One, Names, interrupt="replace")
    builder.ask(One.ONLY, "Colour?", Text(), into="first")

    @builder.on_cancel
    async def ended(turn: Turn[One, Names]) -> None:
        seen.append("ended")
        turn.reply("No colour, then.")

    async with Chat(bot(name_and_age, flow=builder.build(initial=One.ONLY))) as chat:
        await chat.say("/colour")
        assert await chat.say("/go") == ("No colour, then.", "Name?")
    assert seen == ["ended"]


async def test_a_flow_that_refuses_to_be_interrupted_keeps_the_handler_from_asking() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply("Hello.")
        await ctx.ask("Name?")
        ctx.reply("Done.")

    storage = MemoryStorage()
    app = bot(handler, flow=colour(interrupt="refuse"))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/colour")
        assert await chat.say("/go") == ("Hello.", "Let us finish this first.", "Colour?")
        assert await statuses(storage) == ["active"]
        await chat.say("red")
        assert await chat.say("/go") == ("Hello.", "Name?")


async def test_a_handler_that_is_called_again_begins_anew() -> None:
    storage = MemoryStorage()
    async with Chat(bot(name_and_age), storage=storage) as chat:
        await chat.say("/go")
        await chat.say("Bob")
        assert await chat.say("/go") == ("Name?",)
        assert await statuses(storage) == ["active", "cancelled"]


async def test_two_handlers_stand_on_each_other() -> None:
    async def more(ctx: Ctx) -> None:
        ctx.reply(f"{await ctx.ask('More of what?')}!")

    async with Chat(bot(name_and_age, more)) as chat:
        await chat.say("/go")
        assert await chat.say("/more") == ("More of what?",)
        assert await chat.say("tea") == ("tea!", "Name?")


async def test_a_handler_says_what_happens_to_it_when_another_one_asks() -> None:
    @as_flow(interrupt="refuse")
    async def first(ctx: Ctx) -> None:
        await ctx.ask("First?")

    async with Chat(bot(first, name_and_age)) as chat:
        await chat.say("/go")
        assert await chat.say("/more") == ("Let us finish this first.", "First?")


async def test_a_flow_is_started_after_the_last_answer() -> None:
    async def handler(ctx: Ctx) -> None:
        await call_flow(ctx, colour_flow, {"second": await ctx.ask("Name?")})

    colour_flow = colour()
    async with Chat(bot(handler, flow=colour_flow)) as chat:
        await chat.say("/go")
        assert await chat.say("Ada") == ("Colour?",)


async def test_a_flow_is_started_once_though_the_handler_runs_again() -> None:
    async def handler(ctx: Ctx) -> None:
        await call_flow(ctx, colour_flow)
        await ctx.ask("Name?")
        ctx.reply("Done.")

    colour_flow = colour()
    async with Chat(bot(handler, flow=colour_flow)) as chat:
        assert await chat.say("/go") == ("Name?", "Colour?")
        assert await chat.say("red") == ("Name?",)
        assert await chat.say("Ada") == ("Done.",)


async def test_a_flow_is_called_for_its_result() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply("Hello.")
        chosen = await ctx.call(colour_flow)
        ctx.reply(f"{await ctx.ask('Name?')} likes {chosen.first}.")

    colour_flow = colour()
    async with Chat(bot(handler, flow=colour_flow)) as chat:
        assert await chat.say("/go") == ("Hello.", "Colour?")
        assert await chat.say("red") == ("Name?",)
        assert await chat.say("Ada") == ("Ada likes red.",)


# --- ending ---------------------------------------------------------------------------------


async def test_a_handler_can_end_the_whole_conversation() -> None:
    async def stop(ctx: Ctx) -> None:
        ctx.cancel_conversation()
        ctx.reply("All is over.")

    storage = MemoryStorage()
    async with Chat(bot(name_and_age, stop), storage=storage) as chat:
        await chat.say("/colour")
        await chat.say("/go")
        assert await chat.say("/more") == ("All is over.",)
        assert await statuses(storage) == ["cancelled", "cancelled"]


async def test_a_handler_can_end_its_own_conversation_after_an_answer() -> None:
    async def handler(ctx: Ctx) -> None:
        if await ctx.ask("Go on?") == "no":
            ctx.cancel_conversation()
            return
        ctx.reply("On.")

    async with Chat(bot(handler)) as chat:
        await chat.say("/colour")
        await chat.say("/go")
        assert await chat.say("no") == ()
        assert (await chat.say("red"))[0].startswith("I did not understand")


async def test_silence_ends_what_has_a_ttl() -> None:
    @as_flow(ttl=timedelta(hours=1))
    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Name?")

    clock = VirtualClock()
    async with Chat(bot(handler), clock=clock, storage=MemoryStorage(clock.now)) as chat:
        await chat.say("/go")
        assert await chat.advance(timedelta(hours=1)) == ("This conversation has expired.",)


async def test_age_ends_what_has_a_max_age() -> None:
    @as_flow(max_age=timedelta(hours=1))
    async def handler(ctx: Ctx) -> None:
        while await ctx.ask("More?") == "yes":
            pass

    clock = VirtualClock()
    async with Chat(bot(handler), clock=clock, storage=MemoryStorage(clock.now)) as chat:
        await chat.say("/go")
        await chat.advance(timedelta(minutes=50))
        await chat.say("yes")
        assert await chat.advance(timedelta(minutes=10)) == ("This conversation has expired.",)


# --- operators ------------------------------------------------------------------------------


async def test_an_operator_sees_moves_and_ends_it() -> None:
    app = bot(name_and_age)
    async with Chat(app) as chat:
        await chat.say("/go")
        await chat.say("Bob")
        (row,) = (await app.running.instances(live=True)).rows
        assert (row.flow, row.step) == ("shop:name_and_age", STEP)
        await app.goto(row.id, STEP)
        await chat.settle()
        assert chat.replies()[-1] == "Name?"
        await app.cancel(row.id)
        await chat.settle()
        assert chat.replies()[-1] == "Cancelled."


# --- groups and presses ---------------------------------------------------------------------


async def test_in_a_group_only_the_one_who_called_it_answers() -> None:
    async with Chat(bot(name_and_age)) as chat:
        await chat.say("/go", by="1", chat="-5")
        assert (await chat.say("Bob", by="2", chat="-5"))[0].startswith("I did not understand")
        assert await chat.say("Ada", by="1", chat="-5") == ("Age?",)


async def test_a_press_calls_a_handler_that_asks() -> None:
    router = Router("shop")

    @router.command("menu")
    async def menu(ctx: Ctx) -> None:
        ctx.reply("What now?", keyboard=keyboard([Button("Rate us", "rate:us")]))

    @router.callback("rate:*")
    async def rate(ctx: Ctx) -> None:
        ctx.notice("Thanks!")
        stars = await ctx.ask("Stars?", Integer())
        ctx.reply(f"{stars} {ctx.payload}")

    async with Chat(App(router)) as chat:
        await chat.say("/menu")
        assert await chat.press("Rate us") == ("Thanks!", "Stars?")
        assert await chat.say("5") == ("5 rate:us",)


# --- names ----------------------------------------------------------------------------------


async def test_a_name_that_a_flow_has_is_refused() -> None:
    @as_flow("colour")
    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Name?")

    with pytest.raises(DefinitionError, match="another flow of this name"):
        bot(handler).check()


async def test_handlers_of_one_name_that_only_ask_through_others_fail_with_a_word_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def question(ctx: Ctx) -> None:
        await ctx.ask("Name?")

    def made() -> Handler:
        async def handler(ctx: Ctx) -> None:
            await question(ctx)

        return handler

    async with Chat(bot(made(), made())) as chat:
        assert await chat.say("/go") == ("Sorry, something went wrong. Please try that again.",)
    assert "would both be stored as" in caplog.text


async def test_an_update_of_nobody_cannot_be_asked(caplog: pytest.LogCaptureFixture) -> None:
    router = Router("shop")

    @router.text("")
    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Name?")

    async with Chat(App(router)) as chat:
        known = chat.update(TextMessage("hello"))
        await chat.deliver(Update(source=known.source, ext="x", content=known.content, at=known.at))
    assert "there is nobody to be asked" in caplog.text


async def test_a_flow_that_is_registered_while_handlers_ask_can_be_started() -> None:
    app = bot(name_and_age)
    late = FlowBuilder("late", One, Names).ask(One.ONLY, "Late?", Text(), into="first")
    async with Chat(app) as chat:
        await chat.say("/go")
        app.registry.register(OnCommand("late"), late.build(initial=One.ONLY))
        assert await chat.say("/late") == ("Late?",)
        assert await chat.say("yes") == ("Name?",)
