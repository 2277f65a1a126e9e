"""The session: who sees which values, and when what is written counts."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from engine import App
from engine.testing.chat import Chat
from flows import (
    Action,
    Context,
    FlowBuilder,
    FlowRegistry,
    Integer,
    OnCommand,
    Router,
    Turn,
)
from flows.routing.router import CallNext
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."


class Known(BaseModel):
    vip: bool = False
    visits: int = Field(default=0, le=3)
    note: str = ""


async def test_the_next_step_sees_what_the_step_before_wrote() -> None:
    builder = FlowBuilder("three", Three, Names)

    @builder.step(Three.FIRST)
    async def first(turn: Turn[Three, Names]) -> Action[Three]:
        turn.session.note = await turn.ask("Note?")
        return turn.next()

    @builder.step(Three.SECOND)
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        turn.reply(turn.session.note)
        return turn.next()

    builder.say(Three.THIRD, "Bye.")
    async with Chat(app_of(builder.build(initial=Three.FIRST), session=Known)) as chat:
        await chat.say("/start")
        assert await chat.say("milk") == ("milk", "Bye.")


async def test_a_parked_step_goes_on_seeing_the_session_as_of_its_entry() -> None:
    async def buy(turn: Turn[One, Names]) -> Action[One]:
        if turn.session.vip:
            number = await turn.ask("Which gold?", Integer())
            turn.reply(f"gold {number}")
        else:
            turn.reply(f"tin {await turn.ask('Which tin?')}")
        return turn.complete()

    async def join(turn: Turn[One, Names]) -> Action[One]:
        turn.session.vip = True
        return turn.complete()

    shop = FlowBuilder("shop", One, Names).step(One.ONLY, buy).build(initial=One.ONLY)
    club = FlowBuilder("club", One, Names).step(One.ONLY, join).build(initial=One.ONLY)
    async with Chat(app_of(shop, club, session=Known)) as chat:
        await chat.say("/shop")
        await chat.say("/club")
        assert await chat.say("box") == ("tin box",)
        assert await chat.say("/shop") == ("Which gold?",)


async def test_a_step_that_comes_to_an_explicit_wait_sees_the_session_anew() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        if turn.input is None:
            turn.session.note = "mine"
            turn.reply("Go on.")
            return turn.wait()
        turn.reply(turn.session.note)
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow)
    router = Router("bot")
    registry.apply_to_router(router)

    @router.command("other")
    async def other(ctx: Context[Known]) -> None:
        ctx.session.note += " and yours"

    async with Chat(App(router, session=Known)) as chat:
        await chat.say("/start")
        await chat.say("/other")
        assert await chat.say("x") == ("mine and yours",)


async def test_a_session_that_does_not_validate_keeps_nothing_of_the_step(
    caplog: pytest.LogCaptureFixture,
) -> None:
    builder = FlowBuilder("one", One, Names)

    @builder.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.data.count += 1
        turn.session.visits += int(await turn.ask(f"{turn.data.count}?"))
        turn.reply(f"{turn.session.visits}")
        return turn.complete()

    @builder.on_error
    async def recover(turn: Turn[One, Names], error: Exception) -> Action[One]:
        return turn.repeat(f"{type(error).__name__} at {turn.data.count}")

    async with Chat(app_of(builder.build(initial=One.ONLY), session=Known)) as chat:
        await chat.say("/start")
        assert await chat.say("9") == ("InvalidSession at 0", "1?")
        assert await chat.say("2") == ("2",)


@pytest.mark.parametrize("kept", ["the context's", "its own"])
async def test_a_middleware_may_write_after_the_handling(kept: str) -> None:
    router = Router("bot")

    @router.middleware
    async def count(ctx: Context[Known], call_next: CallNext) -> None:
        session = ctx.session
        await call_next()
        (session if kept == "its own" else ctx.session).visits += 1

    @router.command("note")
    async def note(ctx: Context[Known]) -> None:
        ctx.session.note += "!"
        ctx.reply(f"{ctx.session.visits}{ctx.session.note}")

    async with Chat(App(router, session=Known)) as chat:
        assert await chat.say("/note") == ("0!",)
        assert await chat.say("/note") == ("1!!",)


async def test_a_handler_may_put_a_whole_new_session_in_place() -> None:
    router = Router("bot")

    @router.command("set")
    async def put(ctx: Context[Known]) -> None:
        ctx.session = Known(note="new", visits=2)

    @router.command("get")
    async def get(ctx: Context[Known]) -> None:
        ctx.reply(f"{ctx.session.note} {ctx.session.visits}")

    async with Chat(App(router, session=Known)) as chat:
        await chat.say("/set")
        assert await chat.say("/get") == ("new 2",)


async def test_a_failed_turn_keeps_nothing_of_the_session() -> None:
    router = Router("bot")

    @router.middleware
    async def count(ctx: Context[Known], call_next: CallNext) -> None:
        ctx.session.visits += 1
        await call_next()

    @router.command("fail")
    async def fail(ctx: Context[Known]) -> None:
        raise ValueError("boom")

    @router.command("get")
    async def get(ctx: Context[Known]) -> None:
        ctx.reply(f"{ctx.session.visits}")

    async with Chat(App(router, session=Known)) as chat:
        assert await chat.say("/fail") == (APOLOGY,)
        assert await chat.say("/get") == ("1",)
