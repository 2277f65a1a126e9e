"""A timeout that leads to a step, along an edge of its own."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto

import pytest

from engine.testing import Chat, VirtualClock
from flows import Action, DefinitionError, Flow, FlowBuilder, Text, Turn
from tests.support import Names, Three, app_of

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


class Step(Enum):
    ROOM = auto()
    DAY = auto()
    LATE = auto()


def booking() -> Flow[Step, Names]:
    builder = FlowBuilder("booking", Step, Names)
    builder.ask(Step.ROOM, "Room?", Text(), into="first", timeout=MINUTE, on_timeout=Step.LATE)
    builder.ask(Step.DAY, "Day?", Text(), into="second", to=[])
    builder.say(Step.LATE, "Too late.")
    return builder.build(initial=Step.ROOM)


def test_it_is_an_edge_of_the_diagram() -> None:
    assert booking().table["ROOM"] == ("DAY", "LATE")


async def test_lost_time_leads_there() -> None:
    async with Chat(app_of(booking()), clock=VirtualClock()) as chat:
        await chat.say("/booking")
        assert await chat.advance(MINUTE) == ("Too late.",)


async def test_an_answer_goes_on_as_ever() -> None:
    async with Chat(app_of(booking()), clock=VirtualClock()) as chat:
        await chat.say("/booking")
        assert await chat.say("101") == ("Day?",)


async def test_a_question_may_name_the_step_itself() -> None:
    async def room(turn: Turn[Step, Names]) -> Action[Step]:
        await turn.ask("Room?", timeout=MINUTE, on_timeout=Step.LATE)
        return turn.next(Step.DAY)

    builder = FlowBuilder("booking", Step, Names)
    builder.step(Step.ROOM, room, to=[Step.DAY, Step.LATE])
    builder.ask(Step.DAY, "Day?", Text(), into="second", to=[])
    builder.say(Step.LATE, "Too late.")
    app = app_of(builder.build(initial=Step.ROOM))
    async with Chat(app, clock=VirtualClock()) as chat:
        await chat.say("/booking")
        assert await chat.advance(MINUTE) == ("Too late.",)


def test_a_step_of_another_flow_is_refused() -> None:
    builder = FlowBuilder("booking", Step, Names)
    with pytest.raises(DefinitionError, match="is no member of Step"):
        builder.ask(
            Step.ROOM,
            "Room?",
            Text(),
            into="first",
            timeout=MINUTE,
            on_timeout=Three.FIRST,  # type: ignore[call-overload]
        )
