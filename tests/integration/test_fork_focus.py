"""What is talked about in forks: with called flows inside, with branches that are done at once."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import pytest

from engine import App
from engine.testing import Chat
from flows import END, Action, Flow, FlowBuilder, Text, Turn
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


class Step(Enum):
    START = auto()
    LEFT = auto()
    RIGHT = auto()
    JOIN = auto()


S = Step
Here = Turn[Step, Names]


def fork(name: str, left: Any, *, join: Any = S.JOIN) -> Flow[Step, Names]:
    """Two branches, of which the right one asks."""
    flow = FlowBuilder(name, Step, Names)
    flow.parallel(from_=S.START, steps=[S.LEFT, S.RIGHT], join=join)
    flow.say(S.START, f"{name}!").step(S.LEFT, left)
    flow.ask(S.RIGHT, f"{name} right?", Text(), into="second")
    flow.ask(S.JOIN, f"{name} join?", Text(), into="third", to=[END])
    return flow.build(initial=S.START)


async def goto(app: App, chat: Chat, step: Step) -> str:
    """An operator moves the only instance; the last thing that is said then."""
    (row,) = (await app.running.instances(live=True)).rows
    await app.goto(row.id, step)
    await chat.settle()
    return chat.replies()[-1]


async def test_an_operator_who_turns_to_a_branch_lets_the_flow_go_on_that_another_called() -> None:
    async def two_questions(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("A?")
        await turn.ask("B?")
        return turn.complete()

    child = FlowBuilder("child", One, Names).step(One.ONLY, two_questions).build(initial=One.ONLY)

    async def left(turn: Here) -> Action[Step]:
        await turn.call(child)
        return turn.next()

    app = app_of(fork("outer", left))
    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.press("Left")
        assert await chat.say("a") == ("B?",)
        assert await goto(app, chat, S.RIGHT) == "outer right?"
        assert await chat.press("Left") == ("B?",)


async def test_going_on_at_the_hub_of_a_called_flow_is_to_talk_about_its_branch() -> None:
    async def ask(turn: Here) -> Action[Step]:
        await turn.ask("inner left?")
        return turn.next()

    inner = fork("inner", ask)

    async def call(turn: Here) -> Action[Step]:
        await turn.call(inner)
        return turn.next()

    async with Chat(app_of(fork("outer", call))) as chat:
        await chat.say("/start")
        await chat.press("Left")
        await chat.press("Left")
        await chat.say("a")
        await chat.press("Right")
        assert (await chat.say("b"))[-1] == "inner join?"
        await chat.say("/back")
        await chat.press("Right")
        assert (await chat.press("Continue"))[-1] == "inner join?"


async def test_a_jump_to_a_step_that_is_done_at_once_leaves_the_hub_to_talk_about() -> None:
    async def left(turn: Here) -> Action[Step]:
        return turn.next()

    app = app_of(fork("outer", left))
    async with Chat(app) as chat:
        await chat.say("/start")
        await goto(app, chat, S.JOIN)
        assert (await goto(app, chat, S.LEFT)).startswith("1/2")
        assert (await chat.say("/help"))[-1].startswith("1/2")
        assert await goto(app, chat, S.RIGHT) == "outer right?"
