"""What goes wrong in handlers: it costs its own turn and nothing else."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing.chat import Chat
from flows import (
    Action,
    Choice,
    Context,
    Flow,
    FlowBuilder,
    FlowRegistry,
    OnCommand,
    Press,
    Router,
    Text,
    TextMessage,
    Turn,
    call_flow,
)
from flows.routing.router import CallNext
from storage import MemoryStorage
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."


class Severe(BaseException):
    """What no handler should raise."""


def leave(kind: str) -> None:
    if kind == "exit":
        sys.exit(3)
    raise Severe("severe")


def linear(name: str = "three") -> FlowBuilder[Three, Names]:
    builder = FlowBuilder(name, Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")
    return builder


def bot_of(flow: Flow[Any, Any]) -> Router:
    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow)
    registry.cancel_command("cancel")
    router = Router("bot")
    registry.apply_to_router(router)
    return router


@pytest.mark.parametrize("kind", ["exit", "severe"])
async def test_a_step_that_would_end_the_process_fails_its_own_turn(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        if await turn.ask("Leave?") == "yes":
            leave(kind)
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        await chat.say("/start")
        assert await chat.say("yes") == (APOLOGY,)
        assert await chat.say("no") == ()
    assert "flow 'one', step ONLY" in caplog.text


@pytest.mark.parametrize("kind", ["exit", "severe"])
@pytest.mark.parametrize("place", ["handler", "middleware", "fallback", "stale press"])
async def test_a_plain_handler_that_would_end_the_process_fails_its_own_turn(
    place: str, kind: str
) -> None:
    router = Router("bot")

    @router.middleware
    async def around(ctx: Context[Any, Any], call_next: CallNext) -> None:
        if place == "middleware":
            leave(kind)
        await call_next()

    @router.command("do")
    async def do(ctx: Context[Any, Any]) -> None:
        if place == "handler":
            leave(kind)

    @router.fallback
    async def fall_back(ctx: Context[Any, Any]) -> None:
        leave(kind)

    @router.stale_press
    async def stale(ctx: Context[Any, Any]) -> None:
        leave(kind)

    async with Chat(App(router)) as chat:
        match place:
            case "fallback":
                said = await chat.say("hello")
            case "stale press":
                said = await chat.send(Press(id="p1", data="hr~nonsense"))
                assert chat.notices == [("p1", None)]
            case _:
                said = await chat.say("/do")
        assert said == (APOLOGY,)


@pytest.mark.parametrize("kind", ["awaited", "raised", "itself"])
async def test_a_cancellation_in_a_plain_handler_fails_its_own_turn(kind: str) -> None:
    router = Router("bot")

    @router.command("do")
    async def do(ctx: Context[Any, Any]) -> None:
        match kind:
            case "awaited":
                future = asyncio.get_running_loop().create_future()
                future.cancel()
                await future
            case "raised":
                raise asyncio.CancelledError
            case _:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                await asyncio.sleep(0)

    @router.command("hi")
    async def greet(ctx: Context[Any, Any]) -> None:
        ctx.reply("Hi.")

    async with Chat(App(router)) as chat:
        assert await chat.say("/do") == (APOLOGY,)
        assert await chat.say("/hi") == ("Hi.",)


async def test_the_log_names_flow_and_step_of_any_error(caplog: pytest.LogCaptureFixture) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        raise ZeroDivisionError("boom")

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert "raised in flow 'one', step ONLY" in caplog.text


async def test_an_error_that_a_middleware_handles_leaves_the_flow_as_it_was() -> None:
    builder = linear()
    broken = [True]

    @builder.step(Three.SECOND)
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        turn.session.note = "never"
        turn.reply("never said")
        if broken:
            raise ConnectionError("the shop is away")
        return turn.next()

    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    router = bot_of(builder.build(initial=Three.FIRST))

    class Session(BaseModel):
        note: str = ""
        errors: int = 0

    @router.middleware
    async def shield(ctx: Context[Session, Any], call_next: CallNext) -> None:
        try:
            await call_next()
        except ConnectionError as error:
            ctx.session.errors += 1
            ctx.reply(f"{error} {ctx.session.note}{ctx.session.errors}")

    storage = MemoryStorage()
    async with Chat(App(router, session=Session), storage=storage) as chat:
        await chat.say("/start")
        assert await chat.say("a") == ("the shop is away 1",)
        assert await chat.say("b") == ("the shop is away 2",)
        broken.clear()
        assert await chat.say("c") == ("never said", "Third?")


async def test_once_survives_an_error_that_a_middleware_handles() -> None:
    calls: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        answer = await turn.ask("A?")
        await turn.once("pay", lambda: calls.append("paid"))
        if answer == "bad":
            raise ConnectionError("after the payment")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    router = bot_of(flow)

    @router.middleware
    async def shield(ctx: Context[Any, Any], call_next: CallNext) -> None:
        try:
            await call_next()
        except ConnectionError:
            ctx.reply("Later.")

    async with Chat(App(router)) as chat:
        await chat.say("/start")
        assert await chat.say("bad") == ("Later.",)
        assert await chat.say("good") == ()
    assert calls == ["paid"]


async def test_a_middleware_that_goes_on_twice_fails_its_turn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    builder = linear()
    builder.ask(Three.SECOND, "Second?", Text(), into="second")
    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    router = bot_of(builder.build(initial=Three.FIRST))

    @router.middleware
    async def twice(ctx: Context[Any, Any], call_next: CallNext) -> None:
        await call_next()
        if ctx.update.content.kind == "text":
            await call_next()

    async with Chat(App(router)) as chat:
        assert await chat.say("/start") == ("First?",)
        assert await chat.say("a") == (APOLOGY,)
    assert "called call_next() twice" in caplog.text


async def test_on_error_undoes_all_that_the_failed_run_wanted() -> None:
    other = FlowBuilder("other", One, Names)
    other.ask(One.ONLY, "other?", Text(), into="first")
    started = other.build(initial=One.ONLY)
    failures = [1]
    builder = FlowBuilder("one", One, Names)

    @builder.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Go?", Choice(["go"]))
        turn.notice("Working")
        turn.reply("said")
        turn.log("logged")
        if failures:
            await call_flow(turn, started)
            failures.pop()
            raise ConnectionError("away")
        return turn.complete()

    @builder.on_error
    async def recover(turn: Turn[One, Names], error: Exception) -> Action[One]:
        return turn.cancel("broken") if failures else turn.repeat("Once more.")

    bot = app_of(builder.build(initial=One.ONLY), started)
    async with Chat(bot) as chat:
        await chat.say("/start")
        assert await chat.press("go") == ("Once more.", "Go?")
        assert chat.notices[-1][1] is None
        assert set(await chat.press("go")) == {"said", "Working"}


async def test_a_loop_through_on_error_is_stopped() -> None:
    runs: list[int] = []
    builder = FlowBuilder("one", One, Names)

    @builder.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        runs.append(1)
        raise ValueError("always")

    @builder.on_error
    async def recover(turn: Turn[One, Names], error: Exception) -> Action[One]:
        return turn.goto(One.ONLY)

    async with Chat(app_of(builder.build(initial=One.ONLY))) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert len(runs) == 4


async def test_a_wait_that_cannot_be_keeps_nothing_of_its_step() -> None:
    builder = FlowBuilder("one", One, Names)

    @builder.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.data.count += 1
        await turn.ask(f"{turn.data.count}?")
        return turn.wait("no input")  # type: ignore[arg-type]  # what careless code may do

    @builder.on_error
    async def recover(turn: Turn[One, Names], error: Exception) -> Action[One]:
        turn.reply(f"at {turn.data.count}")
        return turn.cancel("broken")

    async with Chat(app_of(builder.build(initial=One.ONLY))) as chat:
        await chat.say("/start")
        assert await chat.say("x") == ("at 0",)


@pytest.mark.parametrize("value", [object(), {1: 2}, 2**70, "\ud800"])
async def test_scene_data_that_is_no_json_is_an_error_of_the_step(
    value: object, caplog: pytest.LogCaptureFixture
) -> None:
    builder = FlowBuilder("one", One, Names)

    @builder.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.scene["x"] = value
        return turn.wait()

    async with Chat(app_of(builder.build(initial=One.ONLY))) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert "flow 'one', step ONLY: turn.scene" in caplog.text


class Loose(BaseModel):
    thing: Any = None
    text: str = ""


@pytest.mark.parametrize(("field", "value"), [("thing", 2**70), ("text", "\ud800")])
async def test_data_that_json_cannot_hold_names_its_field(
    field: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def step(turn: Turn[One, Loose]) -> Action[One]:
        setattr(turn.data, field, value)
        return turn.complete()

    flow = FlowBuilder("one", One, Loose).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert f"the data cannot be stored, field '{field}'" in caplog.text


async def test_a_message_without_a_text_is_an_error_of_the_step(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("  ")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert "a message needs a text" in caplog.text


async def test_a_post_without_a_sender_that_nobody_takes_is_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Chat(App(Router("bot"))) as chat:
        await chat.hand_in([replace(chat.update(TextMessage("news")), user=None)])
        await chat.settle()
    assert chat.deliveries == []
    assert "nothing is sent" not in caplog.text
