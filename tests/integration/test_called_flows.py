"""Flows that steps call: their results, their ends, and what they keep across restarts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import Enum, auto
from typing import Any

import pytest
from pydantic import BaseModel

from engine.steps.calls import DEPTH_LIMIT
from engine.testing import Chat
from flows import (
    END,
    Action,
    ChildCancelled,
    Email,
    Flow,
    FlowBuilder,
    Integer,
    StartRefused,
    Text,
    Turn,
)
from storage import MemoryStorage
from tests.integration.conftest import Talk
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."


class Line(Enum):
    STREET = auto()
    TOWN = auto()


class Address(BaseModel):
    country: str = "FR"
    street: str = ""
    town: str = ""


Parent = Turn[One, Names]
Inner = Turn[Line, Address]


def lines() -> FlowBuilder[Line, Address]:
    flow = FlowBuilder("address", Line, Address)
    flow.ask(Line.STREET, "Street?", Text(), into="street")
    flow.ask(Line.TOWN, "Town?", Text(), into="town")
    return flow


def one_line(data: Address) -> str:
    return f"{data.street}, {data.town}, {data.country}"


address: Flow[Line, Address, str] = lines().build(initial=Line.STREET, result=one_line)


def calling(child: Flow[Any, Any, Any]) -> FlowBuilder[One, Names]:
    """A step that asks for a name, calls the child, asks once more, and says all."""

    async def only(turn: Parent) -> Action[One]:
        name = await turn.ask("Name?")
        found = await turn.call(child)
        right = await turn.ask(f"{found}?")
        turn.reply(f"{name}: {found} {right}")
        return turn.complete()

    return FlowBuilder("parent", One, Names).step(One.ONLY, only)


def parent(child: Flow[Any, Any, Any]) -> Flow[One, Names]:
    return calling(child).build(initial=One.ONLY)


async def test_the_result_of_a_called_flow_is_what_call_answers(talk: Talk) -> None:
    """Lesson 15: a called flow resumes against its own steps, and the parent goes on after it."""
    async with talk(parent(address)) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == ("Street?",)
        assert await chat.say("Rue 1") == ("Town?",)
        assert await chat.say("Lyon") == ("Rue 1, Lyon, FR?",)
        assert await chat.say("yes") == ("Ada: Rue 1, Lyon, FR yes",)


async def test_back_inside_a_called_flow_uses_its_own_history(talk: Talk) -> None:
    """Lesson 15: the history of both flows is kept across a restart."""
    async with talk(parent(address)) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        await chat.say("Rue 1")
        assert await chat.say("/back") == ("Street?",)
        await chat.say("Rue 2")
        assert await chat.say("Lyon") == ("Rue 2, Lyon, FR?",)


async def test_back_at_the_first_question_of_a_called_flow_asks_the_parents(talk: Talk) -> None:
    async with talk(parent(address)) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        assert await chat.say("/back") == ("Name?",)
        assert await chat.say("Bob") == ("Street?",)
        await chat.say("Rue 1")
        await chat.say("Lyon")
        assert await chat.say("yes") == ("Bob: Rue 1, Lyon, FR yes",)


async def test_back_after_a_call_calls_again(talk: Talk) -> None:
    async with talk(parent(address)) as chat:
        await chat.say("/start")
        for text in ("Ada", "Rue 1", "Lyon"):
            await chat.say(text)
        assert await chat.say("/back") == ("Street?",)
        await chat.say("Rue 2")
        assert await chat.say("Nice") == ("Rue 2, Nice, FR?",)


async def test_back_out_of_a_call_that_begins_its_step_goes_to_the_step_before(
    talk: Talk,
) -> None:
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        turn.data.second = await turn.call(address)
        return turn.next()

    flow = FlowBuilder("three", Three, Names)
    flow.ask(Three.FIRST, "First?", Text(), into="first")
    flow.step(Three.SECOND, second)
    flow.ask(Three.THIRD, "Third?", Text(), into="third")
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert await chat.say("a") == ("Street?",)
        assert await chat.say("/back") == ("First?",)


async def test_a_called_flow_starts_with_what_it_is_given(talk: Talk) -> None:
    async def only(turn: Parent) -> Action[One]:
        turn.reply(await turn.call(address, {"country": "IT"}, key="first"))
        turn.reply(await turn.call(address, Address(country="ES"), key="second"))
        return turn.complete()

    flow = FlowBuilder("parent", One, Names).step(One.ONLY, only).build(initial=One.ONLY)
    async with talk(flow) as chat:
        await chat.say("/start")
        await chat.say("a")
        assert await chat.say("b") == ("a, b, IT", "Street?")
        await chat.say("c")
        assert await chat.say("d") == ("c, d, ES",)


async def test_a_called_flow_that_cannot_start_so_is_an_error_of_the_step(talk: Talk) -> None:
    async def only(turn: Parent) -> Action[One]:
        try:
            await turn.call(address, {"planet": "Mars"})
        except StartRefused as error:
            turn.reply(f"refused: {error.field}")
        return turn.complete()

    flow = FlowBuilder("parent", One, Names).step(One.ONLY, only).build(initial=One.ONLY)
    async with talk(flow) as chat:
        assert await chat.say("/start") == ("refused: planet",)


# --- cancelling -------------------------------------------------------------------------


def giving_up() -> Flow[One, Names]:
    """A flow that cancels itself after any answer, with it as the reason."""

    async def only(turn: Parent) -> Action[One]:
        return turn.cancel(await turn.ask("Why?"))

    return FlowBuilder("child", One, Names).step(One.ONLY, only, to=[END]).build(initial=One.ONLY)


async def test_a_parent_may_catch_that_its_child_was_cancelled(talk: Talk) -> None:
    child = giving_up()

    async def only(turn: Parent) -> Action[One]:
        try:
            await turn.call(child)
        except ChildCancelled as error:
            reason = error.reason
        said = await turn.ask("And now?")
        turn.reply(f"{reason}, {said}")
        return turn.complete()

    flow = FlowBuilder("parent", One, Names).step(One.ONLY, only).build(initial=One.ONLY)
    async with talk(flow) as chat:
        await chat.say("/start")
        assert await chat.say("tired") == ("And now?",)
        assert await chat.say("go on") == ("tired, go on",)


async def test_a_cancelled_child_cancels_the_parent_that_does_not_catch_it(talk: Talk) -> None:
    flow = calling(giving_up())

    @flow.on_cancel
    async def over(turn: Parent) -> None:
        turn.reply("Parent cancelled.")

    async with talk(flow.build(initial=One.ONLY)) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        assert await chat.say("tired") == ("Parent cancelled.",)
        assert "did not understand" in (await chat.say("x"))[0]


async def test_the_cancel_command_ends_all_and_runs_inner_hooks_first(talk: Talk) -> None:
    log: list[str] = []
    inner = lines()

    async def note_inner(turn: Inner) -> None:
        log.append(f"inner {turn.step.name} {turn.ending}")

    inner.on_leave(Line.STREET, note_inner)
    inner.on_cancel(note_inner)
    inner.on_exit(note_inner)
    outer = calling(inner.build(initial=Line.STREET))

    async def note_outer(turn: Parent) -> None:
        log.append(f"outer {turn.ending}")

    outer.on_leave(One.ONLY, note_outer)
    outer.on_cancel(note_outer)
    outer.on_exit(note_outer)
    async with talk(outer.build(initial=One.ONLY)) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        assert await chat.say("/cancel") == ("Cancelled.",)
    ends = ["None", "cancelled", "cancelled"]
    assert log == [*(f"inner STREET {end}" for end in ends), *(f"outer {end}" for end in ends)]


async def test_a_caught_back_is_a_reason_like_any_other(talk: Talk) -> None:
    async def only(turn: Parent) -> Action[One]:
        try:
            found = await turn.call(address)
        except ChildCancelled as error:
            found = f"no address ({error.reason})"
        turn.reply(found)
        return turn.complete()

    flow = FlowBuilder("parent", One, Names).step(One.ONLY, only).build(initial=One.ONLY)
    async with talk(flow) as chat:
        await chat.say("/start")
        assert await chat.say("/back") == ("no address (back)",)


async def test_what_a_step_returns_that_swallows_its_call_is_ignored_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def only(turn: Parent) -> Action[One]:
        with suppress(asyncio.CancelledError):
            await turn.call(address)
        return decided[0]

    decided: list[Action[One]] = []
    flow = FlowBuilder("parent", One, Names).step(One.ONLY, only, to=[END])

    @flow.on_enter
    async def start(turn: Parent) -> None:
        decided.append(turn.complete())

    async with Chat(app_of(flow.build(initial=One.ONLY))) as chat:
        assert await chat.say("/start") == ("Street?",)
    assert "what it returned is ignored" in caplog.text


# --- depth, loops and errors ------------------------------------------------------------


def deepest() -> Flow[One, Names]:
    flow = FlowBuilder("deepest", One, Names)
    flow.ask(One.ONLY, "How deep?", Integer(), into="count")
    return flow.build(initial=One.ONLY)


def speaking(child: Flow[Any, Any, Any]) -> Flow[One, Names]:
    async def only(turn: Parent) -> Action[One]:
        turn.reply(str((await turn.call(child)).count))
        return turn.complete()

    return FlowBuilder("speaking", One, Names).step(One.ONLY, only).build(initial=One.ONLY)


def chain(depth: int) -> list[Flow[Any, Any, Any]]:
    """Flows that call each other, the outermost first."""
    flows: list[Flow[Any, Any, Any]] = [deepest()]
    for level in range(depth - 2):
        flows.insert(0, nested_in(f"level{level}", flows[0]))
    return [speaking(flows[0]), *flows]


def nested_in(name: str, child: Flow[Any, Any, Any]) -> Flow[One, Names]:
    async def only(turn: Parent) -> Action[One]:
        turn.data.count = (await turn.call(child)).count + 1
        return turn.complete()

    return FlowBuilder(name, One, Names).step(One.ONLY, only).build(initial=One.ONLY)


async def test_sixteen_flows_may_call_each_other(talk: Talk) -> None:
    async with talk(*chain(DEPTH_LIMIT)) as chat:
        assert await chat.say("/start") == ("How deep?",)
        assert await chat.say("2") == ("16",)


async def test_seventeen_flows_are_too_deep(caplog: pytest.LogCaptureFixture) -> None:
    async with Chat(app_of(*chain(DEPTH_LIMIT + 1))) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert "TooDeep" in caplog.text


async def test_a_loop_that_goes_through_called_flows_is_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    child = FlowBuilder("child", One, Names).say(One.ONLY, "Child.").build(initial=One.ONLY)

    async def only(turn: Parent) -> Action[One]:
        await turn.call(child)
        return turn.goto(One.ONLY)

    flow = FlowBuilder("parent", One, Names).step(One.ONLY, only).build(initial=One.ONLY)
    async with Chat(app_of(flow, child)) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert "TransitionLoop" in caplog.text


async def test_on_error_of_a_called_flow_decides_about_its_steps(talk: Talk) -> None:
    inner = FlowBuilder("child", Line, Address)

    @inner.step(Line.STREET)
    async def street(turn: Inner) -> Action[Line]:
        await turn.ask("Street?")
        raise RuntimeError("boom")

    @inner.on_error
    async def failed(turn: Inner, error: Exception) -> Action[Line]:
        turn.reply(f"Sorry: {error}.")
        return turn.goto(Line.TOWN)

    inner.ask(Line.TOWN, "Town?", Text(), into="town")
    async with talk(parent(inner.build(initial=Line.STREET, result=one_line))) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        assert await chat.say("Rue 1") == ("Sorry: boom.", "Town?")
        assert await chat.say("Lyon") == (", Lyon, FR?",)


async def test_a_failing_step_of_a_called_flow_leaves_all_as_it_was(talk: Talk) -> None:
    fails = True
    inner = lines()

    @inner.on_leave(Line.TOWN)
    async def leave(turn: Inner) -> None:
        if fails:
            raise RuntimeError("boom")

    async with talk(parent(inner.build(initial=Line.STREET, result=one_line))) as chat:
        await chat.say("/start")
        for text in ("Ada", "Rue 1"):
            await chat.say(text)
        assert await chat.say("Lyon") == (APOLOGY,)
        fails = False
        assert await chat.say("Nice") == ("Rue 1, Nice, FR?",)


async def test_once_in_a_flow_that_was_just_called_survives_a_step_error(talk: Talk) -> None:
    calls: list[str] = []
    fails = True

    def pay() -> int:
        calls.append("paid")
        return len(calls)

    async def street(turn: Inner) -> Action[Line]:
        paid = await turn.once("pay", pay)
        if fails:
            raise RuntimeError("boom")
        await turn.ask(f"Paid {paid}?")
        return turn.next()

    inner = FlowBuilder("child", Line, Address).step(Line.STREET, street)
    inner.ask(Line.TOWN, "Town?", Text(), into="town")
    async with talk(parent(inner.build(initial=Line.STREET, result=one_line))) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == (APOLOGY,)
        fails = False
        assert await chat.say("Ada") == ("Paid 1?",)
    assert calls == ["paid"]


async def test_a_result_that_does_not_fit_any_more_starts_the_parents_step_again() -> None:
    storage = MemoryStorage()

    class Sized(BaseModel):
        street: int

    async with Chat(app_of(parent(address)), storage=storage) as chat:
        await chat.say("/start")
        for text in ("Ada", "Rue 1", "Lyon"):
            await chat.say(text)
    other = FlowBuilder("address", Line, Sized)
    other.ask(Line.STREET, "Number?", Integer(), into="street")
    other.say(Line.TOWN, "Fine.")
    child = other.build(initial=Line.STREET)
    async with Chat(app_of(parent(child)), storage=storage) as chat:
        assert "start it again" in (await chat.say("yes"))[0]
        chat.expect("Name?")


# --- forks and called flows -------------------------------------------------------------


def with_fork() -> FlowBuilder[Three, Names]:
    """A fork of an e-mail and a number."""
    flow = FlowBuilder("forked", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    flow.ask(Three.SECOND, "E-mail?", Email(), into="second")
    flow.ask(Three.THIRD, "Number?", Integer(), into="count")
    return flow


async def test_a_fork_in_a_called_flow_is_done_in_any_order(talk: Talk) -> None:
    """Lesson 15: forks work inside a called flow."""
    child = with_fork().build(initial=Three.FIRST, result=lambda data: data.second)
    async with talk(parent(child)) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == ("0/2",)
        await chat.press("Third")
        assert await chat.say("5") == ("1/2\n\u2713 Third",)
        assert await chat.say("a@b.org") == ("2/2\n\u2713 Second\n\u2713 Third", "a@b.org?")


async def test_back_out_of_the_hub_of_a_called_flow_ends_it_with_its_hooks(talk: Talk) -> None:
    log: list[str] = []
    inner = with_fork()

    async def note(turn: Turn[Three, Names]) -> None:
        log.append(f"{turn.step.name} {turn.ending}")

    inner.on_leave(Three.SECOND, note)
    inner.on_leave(Three.THIRD, note)
    inner.on_exit(note)
    async with talk(parent(inner.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        assert await chat.say("/back") == ("Name?",)
    assert log == ["SECOND None", "THIRD None", "SECOND cancelled"]


def branch_that_calls(child: Flow[Any, Any, Any]) -> FlowBuilder[Three, Names]:
    """A fork of a called flow and a number."""
    flow = FlowBuilder("two", Three, Names)
    flow.ask(Three.FIRST, "Name?", Text(), into="first")
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)

    @flow.step(Three.SECOND)
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        turn.reply(str(await turn.call(child)))
        return turn.next()

    flow.ask(Three.THIRD, "Number?", Integer(), into="count")
    return flow


async def test_a_flow_called_in_a_branch_holds_its_prompt_until_it_has_focus(talk: Talk) -> None:
    async with talk(branch_that_calls(address).build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == ("0/2",)
        assert await chat.press("Second") == ("Street?",)
        assert await chat.say("Rue 1") == ("Town?",)
        assert await chat.press("Third") == ("Number?",)
        assert await chat.press("Second") == ("Town?",)
        assert await chat.say("Lyon") == ("Rue 1, Lyon, FR", "1/2\n\u2713 Second")


async def test_back_out_of_a_flow_called_in_a_branch_unfocuses_it(talk: Talk) -> None:
    async with talk(branch_that_calls(address).build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        await chat.press("Second")
        assert await chat.say("/back") == ("0/2",)
        assert await chat.press("Second") == ("Street?",)


async def test_a_fork_in_a_flow_called_in_a_branch(talk: Talk) -> None:
    child = with_fork().build(initial=Three.FIRST, result=lambda data: data.second)
    async with talk(branch_that_calls(child).build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        assert (await chat.say("Ada"))[-1] == "0/2"
        assert await chat.press("Second") == ("0/2",)  # the hub of the inner fork
        assert await chat.press("Third") == ("Number?",)
        assert await chat.say("5") == ("1/2\n\u2713 Third",)
        said = await chat.say("a@b.org")
        assert said[-2:] == ("a@b.org", "1/2\n\u2713 Second")


async def test_a_flow_called_in_an_abandoned_branch_is_cancelled_with_its_hooks(
    talk: Talk,
) -> None:
    log: list[str] = []
    inner = lines()

    @inner.on_exit
    async def over(turn: Inner) -> None:
        log.append(f"inner {turn.ending}")

    flow = FlowBuilder("two", Three, Names)
    child = inner.build(initial=Line.STREET)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END, need="any")

    @flow.step(Three.SECOND)
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        await turn.call(child)
        return turn.next()

    flow.ask(Three.THIRD, "Number?", Integer(), into="count")
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("5")
    assert log == ["inner cancelled"]


async def test_a_flow_called_in_a_fork_that_was_left_ends_with_its_parent(talk: Talk) -> None:
    log: list[str] = []
    inner = lines()

    @inner.on_exit
    async def over(turn: Inner) -> None:
        log.append(f"inner {turn.ending}")

    flow = branch_that_calls(inner.build(initial=Line.STREET))
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        assert await chat.say("/back") == ("Name?",)
        assert log == []
        await chat.say("/cancel")
    assert log == ["inner cancelled"]


async def test_the_entry_values_of_a_branch_are_kept_while_it_calls(talk: Talk) -> None:
    flow = FlowBuilder("two", Three, Names)
    flow.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)

    @flow.step(Three.SECOND)
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        before = turn.data.count
        await turn.call(address)
        turn.reply(f"{before} {turn.data.count}")
        return turn.next()

    flow.ask(Three.THIRD, "Number?", Integer(), into="count")
    async with talk(flow.build(initial=Three.FIRST)) as chat:
        await chat.say("/start")
        await chat.say("5")
        await chat.say("Rue 1")
        assert (await chat.say("Lyon"))[0] == "0 0"
