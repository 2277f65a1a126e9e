"""Hooks of flows and of steps, and middleware around steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import BaseModel

from engine.testing import Chat
from flows import END, Action, Email, Flow, FlowBuilder, Integer, Text, Turn
from tests.integration.conftest import Talk
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."

Here = Turn[Three, Names]


def three() -> FlowBuilder[Three, Names]:
    flow = FlowBuilder("three", Three, Names)
    flow.ask(Three.FIRST, "First?", Text(), into="first")
    flow.ask(Three.SECOND, "Second?", Text(), into="second")
    flow.ask(Three.THIRD, "Third?", Text(), into="third")
    return flow


def logging_hooks(flow: FlowBuilder[Three, Names], log: list[str]) -> None:
    """Every hook of the flow writes its name, the step's first, and how the flow has ended."""

    def hook(name: str) -> Callable[[Here], Awaitable[None]]:
        async def write(turn: Here) -> None:
            end = turn.ending.value if turn.ending is not None else "on"
            log.append(f"{name} {turn.step.name} {end}")

        return write

    flow.on_enter(hook("start"))
    flow.on_complete(hook("complete"))
    flow.on_cancel(hook("cancel"))
    flow.on_exit(hook("exit"))
    for step in Three:
        flow.on_enter(step, hook("enter"))
        flow.on_leave(step, hook("leave"))


async def test_hooks_run_in_order_and_on_entry_only(talk: Talk) -> None:
    """Lesson 8: on_enter does not run on every resume."""
    log: list[str] = []
    flow = three()
    logging_hooks(flow, log)
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("/help")
        assert log == ["start FIRST on", "enter FIRST on"]
        await chat.say("a")
        assert log[2:] == ["leave FIRST on", "enter SECOND on"]
        await chat.say("b")
        await chat.say("c")
        ends = ["leave THIRD on", "complete THIRD completed", "exit THIRD completed"]
        assert log[6:] == ends


async def test_cancel_runs_its_hooks(talk: Talk) -> None:
    """Lesson 24: hooks run everywhere."""
    log: list[str] = []
    flow = three()
    logging_hooks(flow, log)
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("/cancel")
        ends = ["leave FIRST on", "cancel FIRST cancelled", "exit FIRST cancelled"]
        assert log[2:] == ends


@pytest.mark.parametrize("which", ["on_cancel", "on_exit", "on_leave"])
async def test_a_failing_hook_does_not_keep_an_ended_flow_alive(
    talk: Talk, caplog: pytest.LogCaptureFixture, which: str
) -> None:
    """Lesson 24: an ended flow is ended."""

    async def boom(turn: Here) -> None:
        turn.reply("never said")
        raise RuntimeError("boom")

    flow = three()
    if which == "on_leave":
        flow.on_leave(Three.FIRST, boom)
    else:
        getattr(flow, which)(boom)
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert await chat.say("/cancel") == ("Cancelled.",)
        assert "did not understand" in (await chat.say("x"))[0]
    assert f"its {which} hook failed" in caplog.text


async def test_back_and_goto_run_the_hooks_of_leaving_and_entering(talk: Talk) -> None:
    log: list[str] = []
    flow = three()
    logging_hooks(flow, log)
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("a")
        del log[:]
        await chat.say("/back")
        assert log == ["leave SECOND on", "enter FIRST on"]


async def test_hooks_read_and_write_data_and_say_something(talk: Talk) -> None:
    flow = three()

    @flow.on_enter(Three.SECOND)
    async def enter(turn: Here) -> None:
        turn.data.count += 1
        turn.reply(f"Entered {turn.data.count} times.")

    @flow.on_leave(Three.FIRST)
    async def leave(turn: Here) -> None:
        turn.data.first = turn.data.first.title()

    @flow.on_exit
    async def over(turn: Here) -> None:
        turn.reply(f"{turn.data.first} {turn.data.count}")

    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert await chat.say("ada") == ("Entered 1 times.", "Second?")
        await chat.say("b")
        assert await chat.say("c") == ("Ada 1",)


@pytest.mark.parametrize("which", ["on_enter", "on_leave"])
async def test_a_failing_hook_of_a_step_fails_the_turn_and_loses_nothing(which: str) -> None:
    fails = True

    async def hook(turn: Here) -> None:
        turn.data.count += 1
        if fails:
            raise RuntimeError("boom")
        turn.reply(f"{turn.data.first} {turn.data.count}")

    flow = three()
    getattr(flow, which)(Three.SECOND if which == "on_enter" else Three.FIRST, hook)
    async with Chat(app_of(flow.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        assert await chat.say("a") == (APOLOGY,)
        fails = False
        assert await chat.say("b") == ("b 1", "Second?")


async def test_a_hook_cannot_ask(caplog: pytest.LogCaptureFixture) -> None:
    flow = three()

    @flow.on_enter(Three.SECOND)
    async def enter(turn: Here) -> None:
        await turn.ask("Well?")

    async with Chat(app_of(flow.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        assert await chat.say("a") == (APOLOGY,)
    assert "cannot ask" in caplog.text


def failing_once() -> Callable[[Here], Awaitable[None]]:
    """A hook that fails at its first run."""
    runs: list[int] = []

    async def boom(turn: Here) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError("boom")

    return boom


async def test_on_error_decides_about_a_failing_hook_of_entering(talk: Talk) -> None:
    flow = three()
    flow.on_enter(Three.SECOND, failing_once())

    @flow.on_error
    async def failed(turn: Here, error: Exception) -> Action[Three]:
        turn.reply(f"{turn.step.name}: {error}, {turn.data.first!r}")
        return turn.goto(Three.THIRD)

    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert await chat.say("a") == ("SECOND: boom, 'a'", "Third?")


async def test_on_error_decides_about_a_failing_hook_of_leaving(talk: Talk) -> None:
    flow = three()
    flow.on_leave(Three.FIRST, failing_once())

    @flow.on_error
    async def failed(turn: Here, error: Exception) -> Action[Three]:
        turn.reply(f"{turn.step.name}: {error}, {turn.data.first!r}")
        return turn.goto(Three.THIRD)

    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert await chat.say("a") == ("FIRST: boom, ''", "Third?")


async def test_a_retry_after_a_failing_leave_hook_changes_the_data_once(talk: Talk) -> None:
    class Session(BaseModel):
        count: int = 0

    async def only(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Go?")
        turn.data.count += 1
        turn.session.count += 1
        turn.reply(f"{turn.data.count} {turn.session.count}")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, only)
    runs: list[int] = []

    @flow.on_leave(One.ONLY)
    async def boom(turn: Turn[One, Names]) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError("boom")

    @flow.on_error
    async def again(turn: Turn[One, Names], error: Exception) -> Action[One]:
        return turn.retry()

    async with talk(flow.build(initial=One.ONLY), session=Session) as chat:
        await chat.say("/start")
        assert await chat.say("yes") == ("1 1",)


async def test_a_retry_neither_runs_entry_hooks_again_nor_unsays_what_they_said(
    talk: Talk,
) -> None:
    runs: list[str] = []

    async def only(turn: Turn[One, Names]) -> Action[One]:
        runs.append("step")
        if len(runs) == 3:
            raise RuntimeError("boom")
        await turn.ask("Go?")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, only)

    @flow.on_enter
    async def start(turn: Turn[One, Names]) -> None:
        runs.append("start")
        turn.reply("Welcome.")

    @flow.on_enter(One.ONLY)
    async def enter(turn: Turn[One, Names]) -> None:
        runs.append("enter")
        turn.reply("Here we are.")

    @flow.on_error
    async def again(turn: Turn[One, Names], error: Exception) -> Action[One]:
        return turn.retry()

    async with talk(flow.build(initial=One.ONLY)) as chat:
        assert await chat.say("/start") == ("Welcome.", "Here we are.", "Go?")
        assert runs[:4] == ["start", "enter", "step", "step"]


async def test_a_retry_after_a_failing_entry_hook_starts_the_flow_once(talk: Talk) -> None:
    entries: list[int] = []
    flow = three()

    @flow.on_enter
    async def start(turn: Here) -> None:
        turn.data.count += 1
        turn.reply(f"Start {turn.data.count}.")

    @flow.on_enter(Three.FIRST)
    async def enter(turn: Here) -> None:
        entries.append(1)
        if len(entries) == 1:
            raise RuntimeError("boom")
        turn.reply(f"Enter {turn.data.count}.")

    @flow.on_error
    async def again(turn: Here, error: Exception) -> Action[Three]:
        return turn.retry()

    async with talk(flow.build(initial=Three.FIRST)) as chat:
        assert await chat.say("/start") == ("Start 1.", "Enter 1.", "First?")


async def test_the_leave_hook_of_a_branch_sees_what_its_step_has_written(talk: Talk) -> None:
    seen: list[int] = []
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.ask(Three.SECOND, "Second?", Integer(), into="count")

    @flow.step(Three.THIRD)
    async def third(turn: Here) -> Action[Three]:
        await turn.ask("Third?", Email())
        turn.data.count = 9
        return turn.next()

    @flow.on_leave(Three.THIRD)
    async def leave(turn: Here) -> None:
        seen.append(turn.data.count)

    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("5")
        await chat.say("a@b.org")
    assert seen == [9]


async def test_hooks_see_what_other_branches_have_decided(talk: Talk) -> None:
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.ask(Three.SECOND, "Second?", Integer(), into="count")
    flow.ask(Three.THIRD, "Third?", Email(), into="third")

    @flow.on_cancel
    async def over(turn: Here) -> None:
        turn.reply(f"count {turn.data.count}")

    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("5")
        assert await chat.say("/cancel") == ("Cancelled.", "count 5")


# --- middleware -------------------------------------------------------------------------


async def test_middleware_gets_a_wait_where_the_step_asks_and_its_action_at_the_end() -> None:
    seen: list[str] = []
    flow = three()

    @flow.middleware
    async def around(turn: Here, call_next: Callable[[], Awaitable[Action[Three]]]) -> Any:
        action = await call_next()
        seen.append(f"{turn.step.name} {type(action).__name__}")
        return action

    async with Chat(app_of(flow.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        await chat.say("a")
    assert seen == ["FIRST Wait", "FIRST Next", "SECOND Wait"]


async def test_the_first_middleware_is_outermost_and_the_steps_own_are_inside(talk: Talk) -> None:
    async def only(turn: Turn[One, Names]) -> Action[One]:
        turn.reply("step")
        return turn.complete()

    def around(name: str) -> Any:
        async def middleware(turn: Turn[One, Names], call_next: Any) -> Any:
            turn.reply(f"{name} in")
            action = await call_next()
            turn.reply(f"{name} out")
            return action

        return middleware

    flow = FlowBuilder("one", One, Names)
    flow.step(One.ONLY, only, middleware=[around("c")])
    flow.middleware(around("a"))
    flow.middleware(around("b"))
    said = ("a in", "b in", "c in", "step", "c out", "b out", "a out")
    async with talk(flow.build(initial=One.ONLY)) as chat:
        assert await chat.say("/start") == said


async def test_middleware_may_decide_in_place_of_the_step(talk: Talk) -> None:
    flow = three()

    @flow.middleware
    async def skip(turn: Here, call_next: Any) -> Any:
        return turn.next() if turn.step is Three.SECOND else await call_next()

    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert await chat.say("a") == ("Third?",)


async def test_middleware_around_a_call_gets_a_wait(talk: Talk) -> None:
    seen: list[str] = []
    child = FlowBuilder("child", One, Names).ask(One.ONLY, "Child?", Text(), into="first")
    inner: Flow[One, Names] = child.build(initial=One.ONLY)

    async def only(turn: Turn[One, Names]) -> Action[One]:
        got = await turn.call(inner)
        turn.reply(got.first)
        return turn.complete()

    async def around(turn: Turn[One, Names], call_next: Any) -> Any:
        action = await call_next()
        seen.append(type(action).__name__)
        return action

    flow = FlowBuilder("one", One, Names).step(One.ONLY, only, middleware=[around])
    async with talk(flow.build(initial=One.ONLY)) as chat:
        assert await chat.say("/start") == ("Child?",)
        assert await chat.say("x") == ("x",)
    assert (seen[0], seen[-1]) == ("Wait", "Complete")


async def test_a_middleware_that_goes_on_twice_fails_its_turn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def twice(turn: Turn[One, Names], call_next: Any) -> Action[One]:
        await call_next()
        answered: Action[One] = await call_next()
        return answered

    async def step(turn: Turn[One, Names]) -> Action[One]:
        return turn.complete()

    builder = FlowBuilder("one", One, Names).step(One.ONLY, step, middleware=[twice])
    async with Chat(app_of(builder.build(initial=One.ONLY))) as chat:
        await chat.say("/start")
    assert "called call_next() twice" in caplog.text
