"""The catch handler: what nothing else has decided about."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing import Chat
from flows import (
    Action,
    Context,
    DefinitionError,
    FlowBuilder,
    Integer,
    OnCommand,
    Other,
    Press,
    Router,
    Text,
    Turn,
    call_flow,
)
from flows.routing.registry import FlowRegistry
from flows.routing.router import CallNext
from tests.support import Names, One, cancelled

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."


class Known(BaseModel):
    """A session."""

    visits: int = 0


async def tell(ctx: Context[Any, Any], error: Exception) -> None:
    """Says what went wrong."""
    ctx.reply(f"Sorry: {error}")


def bot(*, catch: Any = tell, **more: Any) -> tuple[App, Router]:
    """A bot with a flow that fails at the answer 0, and with a handler that fails."""
    flow = FlowBuilder("divide", One, Names)

    @flow.step(One.ONLY)
    async def divide(turn: Turn[One, Names]) -> Action[One]:
        turn.reply("Let us divide.")
        number = await turn.ask("By what?", Integer())
        turn.data.count += 1
        turn.session.visits += 1
        turn.reply(f"{12 // number}")
        return turn.complete()

    registry = FlowRegistry()
    built = flow.build(initial=One.ONLY)
    registry.register(OnCommand("divide"), built)
    router = Router("bot")
    registry.apply_to_router(router)
    router.catch(catch)

    @router.command("fail")
    async def fail(ctx: Context[Known]) -> None:
        ctx.session.visits += 1
        ctx.reply("half done")
        await call_flow(ctx, built)
        raise ValueError("boom")

    @router.command("visits")
    async def visits(ctx: Context[Known]) -> None:
        ctx.reply(f"{ctx.session.visits}")

    return App(router, session=Known, **more), router


async def test_it_gets_what_a_plain_handler_raised_and_nothing_of_that_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Chat(bot()[0]) as chat:
        assert await chat.say("/fail") == ("Sorry: boom",)
        assert await chat.say("/visits") == ("0",)
    told = r"a turn of conversation \S+ failed and is left to the catch handler: boom"
    assert re.search(told, caplog.text)


async def test_it_gets_what_a_step_raised_and_the_question_stays_open() -> None:
    async with Chat(bot()[0]) as chat:
        await chat.say("/divide")
        (said,) = await chat.say("0")
        assert said.startswith("Sorry: ")
        assert "division" in said
        await chat.restart()
        assert await chat.say("3") == ("4",)
        assert await chat.say("/visits") == ("1",)


async def test_it_gets_what_a_middleware_raised() -> None:
    app, router = bot()

    @router.middleware
    async def around(ctx: Context[Known], call_next: CallNext) -> None:
        await call_next()
        raise ValueError("in the middle")

    async with Chat(app) as chat:
        assert await chat.say("/visits") == ("Sorry: in the middle",)


async def test_on_error_comes_first() -> None:
    flow = FlowBuilder("one", One, Names)

    @flow.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Go?")
        raise ValueError("boom")

    @flow.on_error
    async def recover(turn: Turn[One, Names], error: Exception) -> Action[One]:
        turn.reply("recovered")
        return turn.cancel()

    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow.build(initial=One.ONLY))
    router = Router("bot")
    registry.apply_to_router(router)
    router.catch(tell)
    async with Chat(App(router)) as chat:
        await chat.say("/start")
        assert await chat.say("go") == ("recovered",)


async def test_it_may_write_into_the_session_and_start_a_flow() -> None:
    flow = FlowBuilder("report", One, Names).ask(One.ONLY, "What happened?", Text(), into="first")
    report = flow.build(initial=One.ONLY)
    registry = FlowRegistry()
    registry.register_callable(report)
    router = Router("bot")
    registry.apply_to_router(router)

    @router.catch
    async def ask(ctx: Context[Known], error: Exception) -> None:
        ctx.session.visits += 1
        ctx.reply(f"{ctx.session.visits}")
        await call_flow(ctx, report)

    @router.command("fail")
    async def fail(ctx: Context[Known]) -> None:
        raise ValueError("boom")

    async with Chat(App(router, session=Known)) as chat:
        assert await chat.say("/fail") == ("1", "What happened?")
        await chat.say("I pressed it")
        assert await chat.say("/fail") == ("2", "What happened?")


async def test_one_that_says_nothing_says_nothing() -> None:
    async def quiet(ctx: Context[Any, Any], error: Exception) -> None:
        assert str(error) == "boom"

    async with Chat(bot(catch=quiet)[0]) as chat:
        assert await chat.say("/fail") == ()


@pytest.mark.parametrize("again", [True, False])
async def test_one_that_fails_leaves_the_apology(
    again: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(ctx: Context[Any, Any], error: Exception) -> None:
        ctx.reply("half")
        ctx.session.visits += 1
        raise error if again else KeyError("worse")

    async with Chat(bot(catch=broken)[0]) as chat:
        assert await chat.say("/fail") == (APOLOGY,)
        assert await chat.say("/visits") == ("0",)
    assert ("the catch handler failed, too: 'worse'" in caplog.text) is not again
    assert "failed and left no trace: boom" in caplog.text


async def test_the_results_of_once_are_kept() -> None:
    calls: list[int] = []
    flow = FlowBuilder("one", One, Names)

    @flow.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Go?")
        await turn.once("charge", lambda: calls.append(1))
        if len(calls) == 1:
            calls.append(2)
            raise ValueError("boom")
        return turn.complete()

    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow.build(initial=One.ONLY))
    router = Router("bot")
    registry.apply_to_router(router)
    router.catch(tell)
    async with Chat(App(router)) as chat:
        await chat.say("/start")
        (said,) = await chat.say("go")
        assert said.startswith("Sorry: boom")
        await chat.say("go")
    assert calls == [1, 2]


async def test_a_press_whose_turn_failed_gets_the_notice_of_the_catch_handler() -> None:
    async def notify(ctx: Context[Any, Any], error: Exception) -> None:
        ctx.notice(f"Sorry: {error}")

    app, router = bot(catch=notify)

    @router.callback("buy")
    async def buy(ctx: Context[Known]) -> None:
        ctx.notice("bought")
        raise ValueError("boom")

    async with Chat(app) as chat:
        await chat.send(Press(id="p1", data="buy"))
        assert chat.notices == [("p1", "Sorry: boom")]


async def test_time_that_is_up_ends_in_the_apology() -> None:
    app, router = bot(handler_timeout=0.01)

    @router.command("slow")
    async def slow(ctx: Context[Known]) -> None:
        await asyncio.Event().wait()

    async with Chat(app) as chat:
        assert await chat.say("/slow") == (APOLOGY,)


async def test_it_gets_that_what_a_handler_awaited_was_cancelled() -> None:
    app, router = bot()

    @router.command("wait")
    async def wait(ctx: Context[Known]) -> None:
        await cancelled()

    async with Chat(app) as chat:
        assert await chat.say("/wait") == ("Sorry: what a handler awaited was cancelled",)


async def test_it_is_asked_about_what_belongs_to_nobody() -> None:
    told: list[str] = []

    async def note(ctx: Context[Any, Any], error: Exception) -> None:
        told.append(f"{ctx.user} {error}")

    app, router = bot(catch=note)

    @router.kind("other")
    async def fail(ctx: Context[Any, Any]) -> None:
        raise ValueError("boom")

    async with Chat(app) as chat:
        update = chat.update(Other("something"))
        await chat.deliver(replace(update, address=None, user=None))
    assert told == ["None boom"]


def test_there_is_one() -> None:
    router = bot()[1]
    with pytest.raises(DefinitionError, match="would take the place of"):
        router.catch(tell)


def test_what_takes_no_error_is_refused() -> None:
    async def wrong(ctx: Context[Any, Any]) -> None: ...

    with pytest.raises(DefinitionError, match=r"async def \(ctx, error\)"):
        Router("bot").catch(wrong)  # type: ignore[type-var]
