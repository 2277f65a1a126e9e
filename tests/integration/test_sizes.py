"""What a conversation may keep: a bound, and a sentence where it is exceeded."""

from __future__ import annotations

from enum import StrEnum, auto
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing import Chat
from engine.testing.failures import watched_failures
from flows import Action, FlowBuilder, FlowRegistry, Integer, OnCommand, Router, Text, Turn
from flows.errors import DefinitionError

pytestmark = pytest.mark.anyio

SORRY = "something went wrong"
MOST = 16 << 10


class Step(StrEnum):
    FIRST = auto()
    SECOND = auto()


class Notes(BaseModel):
    name: str = "Ada"
    text: str = ""


class Session(BaseModel):
    drawer: str = ""


def app_of(write: Any, **more: Any) -> App:
    """A flow of two steps; ``write`` does something with the turn when it was told something."""
    flow = FlowBuilder("notes", Step, Notes)

    @flow.step(Step.FIRST)
    async def first(turn: Turn[Step, Notes, Any]) -> Action[Step]:
        write(turn, await turn.ask("First?", Text()))
        return turn.next()

    @flow.step(Step.SECOND)
    async def second(turn: Turn[Step, Notes, Any]) -> Action[Step]:
        write(turn, await turn.ask("Second?", Text()))
        return turn.goto(Step.FIRST)

    registry = FlowRegistry()
    registry.register(OnCommand("go"), flow.build(initial=Step.FIRST))
    registry.back_command("back")
    return App(Router("sizes"), registry=registry, max_state=MOST, **more)


def into_text(turn: Turn[Step, Notes, Any], size: str) -> None:
    turn.data.text = size[0] * int(size[1:])


async def test_a_turn_that_would_keep_too_much_fails_and_says_what_is_too_large() -> None:
    async with Chat(app_of(into_text)) as chat:
        await chat.say("/go")
        with watched_failures() as failures:
            assert SORRY in (await chat.say("x20000"))[0]
        assert "Second?" in (await chat.say("x2000"))[0]
    (failure,) = failures
    assert "flow 'notes', step SECOND" in failure.what
    assert f"{MOST} is the most" in failure.what
    assert "field 'text', with 20002" in failure.what
    assert "App(max_state=...)" in failure.what


async def test_what_is_kept_is_counted_in_bytes() -> None:
    async with Chat(app_of(into_text)) as chat:
        await chat.say("/go")
        with watched_failures() as failures:
            assert SORRY in (await chat.say("\U0001f4d85000"))[0]
    assert "field 'text', with 20002" in failures[0].what


async def test_a_session_is_named_when_it_is_to_blame() -> None:
    def into_session(turn: Turn[Step, Notes, Any], size: str) -> None:
        turn.session.drawer = "x" * int(size)

    async with Chat(app_of(into_session, session=Session)) as chat:
        await chat.say("/go")
        with watched_failures() as failures:
            assert SORRY in (await chat.say("20000"))[0]
    assert "session field 'drawer'" in failures[0].what


async def test_what_back_remembers_gives_way_and_the_flow_goes_on() -> None:
    async with Chat(app_of(into_text)) as chat:
        await chat.say("/go")
        with watched_failures() as failures:
            for number in range(40):
                await chat.say(f"{'abc'[number % 3]}2000")
            assert "Second?" in (await chat.say("/back"))[0]
    assert failures == []


async def test_a_result_that_is_too_large_fails_as_well() -> None:
    flow = FlowBuilder("once", Step, Notes)

    @flow.step(Step.FIRST)
    async def first(turn: Turn[Step, Notes]) -> Action[Step]:
        size = await turn.ask("How long?", Integer())
        turn.data.text = "x" * size
        return turn.next()

    @flow.step(Step.SECOND)
    async def second(turn: Turn[Step, Notes]) -> Action[Step]:
        return turn.complete()

    registry = FlowRegistry()
    registry.register(OnCommand("go"), flow.build(initial=Step.FIRST))
    async with Chat(App(Router("sizes"), registry=registry, max_state=MOST)) as chat:
        await chat.say("/go")
        with watched_failures() as failures:
            assert SORRY in (await chat.say("20000"))[0]
        await chat.say("20")
    assert "field 'text'" in failures[0].what


async def test_many_long_answers_in_one_step_are_named() -> None:
    flow = FlowBuilder("talk", Step, Notes)

    @flow.step(Step.FIRST)
    async def first(turn: Turn[Step, Notes]) -> Action[Step]:
        while await turn.ask("More?", Text(max_length=4000)) != "no":
            pass
        return turn.next()

    @flow.step(Step.SECOND)
    async def second(turn: Turn[Step, Notes]) -> Action[Step]:
        return turn.complete()

    registry = FlowRegistry()
    registry.register(OnCommand("go"), flow.build(initial=Step.FIRST))
    async with Chat(App(Router("sizes"), registry=registry, max_state=MOST)) as chat:
        await chat.say("/go")
        with watched_failures() as failures:
            for _ in range(5):
                await chat.say("y" * 3900)
        assert "the answers of step FIRST" in failures[0].what


def test_a_bound_below_what_a_question_takes_is_refused() -> None:
    with pytest.raises(DefinitionError, match="max_state must be 4096 bytes or more, not 100"):
        App(Router("sizes"), max_state=100)
