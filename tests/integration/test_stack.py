"""Several runs at once: what lies above what, what is shown when one ends, flows from handlers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest

from engine import App
from engine.testing.chat import Chat
from flows import (
    END,
    Action,
    Choice,
    Context,
    Flow,
    FlowBuilder,
    FlowRegistry,
    OnCommand,
    Router,
    Text,
    Turn,
    call_flow,
)
from flows.ports import Query
from flows.routing.router import CallNext
from storage import MemoryStorage
from tests.faults import HeldClock
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."


def colour(name: str) -> Flow[One, Names]:
    builder = FlowBuilder(name, One, Names)
    builder.ask(One.ONLY, f"{name}?", Choice(["red", "blue"]), into="first")
    return builder.build(initial=One.ONLY)


async def test_the_flow_beneath_is_shown_when_the_upper_one_completes() -> None:
    async with Chat(app_of(colour("one"), colour("two"))) as chat:
        await chat.say("/one")
        await chat.say("/two")
        assert await chat.press("red") == ("one?",)


async def test_a_lower_flow_that_its_button_completes_shows_the_upper_one_again() -> None:
    async with Chat(app_of(colour("one"), colour("two"))) as chat:
        await chat.say("/one")
        red = chat.button("red")
        await chat.say("/two")
        assert await chat.send(red.press()) == ("two?",)
        assert await chat.press("blue") == ()
        assert "did not understand" in (await chat.say("red"))[0]


async def test_a_lower_flow_that_rises_takes_the_free_input() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("one?", Choice(["on"]))
        turn.reply(f"one: {await turn.ask('and?')}")
        return turn.complete()

    first = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(first, colour("two"))) as chat:
        await chat.say("/one")
        on = chat.button("on")
        await chat.say("/two")
        assert await chat.send(on.press()) == ("and?",)
        assert await chat.say("red") == ("one: red", "two?")


async def test_cancel_ends_one_flow_after_the_other() -> None:
    async with Chat(app_of(colour("one"), colour("two"), colour("three"))) as chat:
        for command in ("/one", "/two", "/three"):
            await chat.say(command)
        assert await chat.say("/cancel") == ("Cancelled.", "two?")
        assert await chat.say("/cancel") == ("Cancelled.", "one?")
        assert await chat.say("/cancel") == ("Cancelled.",)
        assert await chat.say("/cancel") == ("There is nothing to cancel.",)


async def test_the_stack_survives_a_restart() -> None:
    storage, bot = MemoryStorage(), app_of(colour("one"), colour("two"))
    async with Chat(bot, storage=storage) as chat:
        await chat.say("/one")
        await chat.say("/two")
    async with Chat(bot, storage=storage) as chat:
        assert await chat.say("red") == ("one?",)


async def test_a_step_may_end_its_flow_and_start_it_anew() -> None:
    registry = FlowRegistry()

    async def step(turn: Turn[One, Names]) -> Action[One]:
        if await turn.ask(f"Round {turn.data.count}, again?", Choice(["yes", "no"])) == "yes":
            await call_flow(turn, registry, "one", {"count": turn.data.count + 1})
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    registry.register(OnCommand("start"), flow)
    router = Router("bot")
    registry.apply_to_router(router)
    async with Chat(App(router)) as chat:
        await chat.say("/start")
        assert await chat.press("yes") == ("Round 1, again?",)
        assert await chat.press("yes") == ("Round 2, again?",)
        assert await chat.press("no") == ()


async def test_flows_that_start_each_other_for_ever_are_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = FlowRegistry()

    def hop(name: str, other: str) -> Flow[One, Names]:
        async def step(turn: Turn[One, Names]) -> Action[One]:
            await call_flow(turn, registry, other)
            return turn.complete()

        return FlowBuilder(name, One, Names).step(One.ONLY, step).build(initial=One.ONLY)

    registry.register(OnCommand("start"), hop("tick", "tock"))
    registry.register_callable(hop("tock", "tick"))
    router = Router("bot")
    registry.apply_to_router(router)
    async with Chat(App(router)) as chat:
        async with asyncio.timeout(20):
            assert await chat.say("/start") == (APOLOGY,)
    assert "more than 100 moves in one turn without a question" in caplog.text


async def test_a_flow_that_a_step_starts_lies_above_the_step() -> None:
    registry = FlowRegistry()
    other = colour("two")

    async def step(turn: Turn[One, Names]) -> Action[One]:
        await call_flow(turn, other)
        name = await turn.ask("Name?")
        turn.reply(f"hello {name}")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    registry.register(OnCommand("start"), flow)
    registry.register_callable(other)
    router = Router("bot")
    registry.apply_to_router(router)
    async with Chat(App(router)) as chat:
        assert await chat.say("/start") == ("Name?", "two?")
        assert await chat.press("red") == ("Name?",)
        assert await chat.say("Ada") == ("hello Ada",)


@pytest.mark.parametrize("when", ["before", "after", "instead"])
async def test_a_middleware_may_start_a_flow(when: str) -> None:
    registry = FlowRegistry()
    registry.register_callable(colour("one"))
    router = Router("bot")
    registry.apply_to_router(router)

    @router.middleware
    async def welcome(ctx: Context[Any, Any], call_next: CallNext) -> None:
        if when == "before":
            await call_flow(ctx, registry, "one")
        if when != "instead":
            await call_next()
        if when != "before":
            await call_flow(ctx, registry, "one")

    @router.command("hi")
    async def greet(ctx: Context[Any, Any]) -> None:
        ctx.reply("Hi.")

    storage = MemoryStorage()
    async with Chat(App(router), storage=storage) as chat:
        assert (await chat.say("/hi"))[-1] == "one?"
        assert len((await storage.inspect(Query(what="instances"))).rows) == 1


async def test_a_flow_that_expires_beneath_another_shows_the_upper_question_again() -> None:
    builder = FlowBuilder("brief", One, Names, ttl=timedelta(minutes=1))
    builder.ask(One.ONLY, "brief?", Text(), into="first")
    clock = HeldClock()
    storage = MemoryStorage(clock.now)
    bot = app_of(builder.build(initial=One.ONLY), colour("two"), clock=clock)
    async with Chat(bot, storage=storage) as chat:
        await chat.say("/brief")
        await chat.say("/two")
        await clock.advance(61)
        await chat.settle()
        assert chat.replies()[-2:] == ("This conversation has expired.", "two?")
        assert await chat.press("red") == ()


class Pay(Enum):
    ASK = 1
    LEFT = 2
    RIGHT = 3


async def test_a_result_of_once_never_reaches_another_step(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = [True]
    builder = FlowBuilder("pay", Pay, Names)

    @builder.step(Pay.ASK, to=[Pay.LEFT, Pay.RIGHT])
    async def ask(turn: Turn[Pay, Names]) -> Action[Pay]:
        side = await turn.ask("Side?")
        return turn.next(Pay.LEFT if side == "left" else Pay.RIGHT)

    @builder.step(Pay.LEFT, to=[END])
    async def left(turn: Turn[Pay, Names]) -> Action[Pay]:
        await turn.once("pay", lambda: "left")
        if broken:
            raise RuntimeError("after the payment")
        return turn.complete()

    @builder.step(Pay.RIGHT, to=[END])
    async def right(turn: Turn[Pay, Names]) -> Action[Pay]:
        turn.reply(await turn.once("pay", lambda: "right"))
        return turn.complete()

    async with Chat(app_of(builder.build(initial=Pay.ASK))) as chat:
        await chat.say("/start")
        assert await chat.say("left") == (APOLOGY,)
        assert await chat.say("right") == ("right",)
