"""Conditional edges: what ``flow.branch`` decides after a step, and what goes past it."""

from __future__ import annotations

from enum import Enum, auto

import pytest
from pydantic import BaseModel

from engine.testing import Chat
from flows import END, Action, Flow, FlowBuilder, Integer, Text, Turn
from tests.integration.conftest import Talk
from tests.support import app_of

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."


class Step(Enum):
    AGE = auto()
    CHECK = auto()
    PARENT = auto()
    DONE = auto()


class Data(BaseModel):
    age: int = 0
    parent: str = ""


S = Step
Here = Turn[Step, Data]


def ages() -> FlowBuilder[Step, Data]:
    """Asks for the age; a step of its own sends children to their parents' question."""
    flow = FlowBuilder("ages", Step, Data)
    flow.ask(S.AGE, "Age?", Integer(), into="age")
    cases = [(lambda data: data.age < 0, END), (lambda data: data.age < 18, S.PARENT)]
    flow.branch(S.CHECK, cases, otherwise=S.DONE)
    flow.ask(S.PARENT, "Who is your parent?", Text(), into="parent")
    flow.ask(S.DONE, "Anything else?", Text(), save=lambda data, text: None)
    return flow


def built() -> Flow[Step, Data]:
    return ages().build(initial=S.AGE)


@pytest.mark.parametrize(("age", "said"), [("7", "Who is your parent?"), ("30", "Anything else?")])
async def test_the_first_case_that_holds_leads_on(talk: Talk, age: str, said: str) -> None:
    async with talk(built()) as chat:
        await chat.say("/start")
        assert await chat.say(age) == (said,)


async def test_a_case_may_lead_to_the_end(talk: Talk) -> None:
    async with talk(built()) as chat:
        await chat.say("/start")
        assert await chat.say("-1") == ()
        assert "did not understand" in (await chat.say("x"))[0]


async def test_back_passes_over_a_step_that_only_branches(talk: Talk) -> None:
    """Lesson 2: back into a condition does not fire it again."""
    async with talk(built()) as chat:
        await chat.say("/start")
        await chat.say("7")
        assert await chat.say("/back") == ("Age?",)
        assert await chat.say("30") == ("Anything else?",)
        assert await chat.say("/back") == ("Age?",)


async def test_a_step_with_conditional_edges_runs_its_own_handler_first(talk: Talk) -> None:
    """Lesson 3: the handler runs, then the condition sees what it has changed."""
    flow = FlowBuilder("ages", Step, Data)
    flow.ask(S.AGE, "Age?", Integer(), into="age")
    flow.branch(S.CHECK, [(lambda data: data.age >= 18, S.DONE)], otherwise=S.PARENT)

    @flow.step(S.CHECK)
    async def check(turn: Here) -> Action[Step]:
        turn.data.age += await turn.ask("Plus?", Integer())
        return turn.next()

    flow.ask(S.PARENT, "Who is your parent?", Text(), into="parent")
    flow.say(S.DONE, "Thanks.")
    async with talk(flow.build(initial=S.AGE)) as chat:
        await chat.say("/start")
        assert await chat.say("10") == ("Plus?",)
        assert await chat.say("8") == ("Thanks.",)


async def test_next_with_a_target_goes_past_the_condition(talk: Talk) -> None:
    flow = ages()

    @flow.step(S.CHECK)
    async def check(turn: Here) -> Action[Step]:
        return turn.next(S.PARENT)

    async with talk(flow.build(initial=S.AGE)) as chat:
        await chat.say("/start")
        assert await chat.say("30") == ("Who is your parent?",)


async def test_a_predicate_that_fails_is_a_failure_of_its_step(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    fails = True

    def grown_up(data: Data) -> bool:
        if fails:
            raise RuntimeError("boom")
        return data.age >= 18

    flow = FlowBuilder("ages", Step, Data)
    flow.ask(S.AGE, "Age?", Integer(), into="age")
    flow.branch(S.CHECK, [(grown_up, S.DONE)], otherwise=S.PARENT)
    flow.ask(S.PARENT, "Who is your parent?", Text(), into="parent")
    flow.say(S.DONE, "Thanks.")
    async with talk(flow.build(initial=S.AGE)) as chat:
        await chat.say("/start")
        assert await chat.say("30") == (APOLOGY,)
        fails = False
        assert await chat.say("30") == ("Thanks.",)
    assert "boom" in caplog.text


async def test_conditions_that_lead_in_a_circle_are_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Lesson 6: a bound on automatic moves, and an error that names the steps."""
    flow = FlowBuilder("ages", Step, Data)
    flow.say(S.AGE, "Round and round.")
    flow.branch(S.CHECK, [(lambda data: data.age > 0, S.PARENT)], otherwise=S.AGE)
    flow.say(S.PARENT, "Out.")
    flow.say(S.DONE, "Thanks.")
    async with Chat(app_of(flow.build(initial=S.AGE))) as chat:
        assert await chat.say("/start") == (APOLOGY,)
    assert "AGE -> CHECK -> AGE" in caplog.text


async def test_a_condition_inside_a_branch_of_a_fork(talk: Talk) -> None:
    class Forked(Enum):
        START = auto()
        AGE = auto()
        PARENT = auto()
        NOTE = auto()

    flow = FlowBuilder("forked", Forked, Data)
    branches = [(Forked.AGE, Forked.PARENT), Forked.NOTE]
    flow.parallel(from_=Forked.START, steps=branches, join=END)
    flow.ask(Forked.AGE, "Age?", Integer(), into="age")
    flow.branch(Forked.AGE, [(lambda data: data.age < 18, Forked.PARENT)], otherwise=END)
    flow.ask(Forked.PARENT, "Parent?", Text(), into="parent")
    flow.ask(Forked.NOTE, "Note?", Text(), save=lambda data, text: None)
    async with talk(flow.build(initial=Forked.START)) as chat:
        await chat.say("/start")
        assert await chat.say("30") == ("1/2\n\u2713 Age",)
        await chat.press("\u2713 Age")
        assert await chat.say("7") == ("Parent?",)
