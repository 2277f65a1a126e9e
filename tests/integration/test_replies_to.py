"""A reply to a question is its answer, whichever branch is talked about."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

import pytest

from engine.testing import Chat
from flows import Action, FlowBuilder, Text, TextMessage, Turn
from tests.support import Names, app_of

pytestmark = pytest.mark.anyio


class Step(Enum):
    START = auto()
    FIRST = auto()
    SECOND = auto()
    END = auto()


builder = FlowBuilder("both", Step, Names)
builder.say(Step.START, "Two things.")
builder.ask(Step.FIRST, "First?", Text(), into="first")
builder.ask(Step.SECOND, "Second?", Text(), into="second")
builder.parallel(from_=Step.START, steps=[Step.FIRST, Step.SECOND], join=Step.END)


@builder.step(Step.END)
async def end(turn: Turn[Step, Names]) -> Action[Step]:
    turn.reply(f"{turn.data.first} {turn.data.second}")
    return turn.complete()


both = builder.build(initial=Step.START)


async def test_a_reply_finds_its_branch_though_another_one_is_in_focus() -> None:
    async with Chat(app_of(both)) as chat:
        await chat.say("/both")
        await chat.press("First")
        await chat.press("Second")  # now this one is talked about
        first = next(one for one in chat.deliveries if one.text == "First?")
        reference = f"m{chat.deliveries.index(first) + 1}"
        update = chat.update(TextMessage("one"))
        await chat.hand_in([replace(update, reply_to=reference)])
        await chat.settle()
        assert await chat.say("two") == ("2/2\n✓ First\n✓ Second", "one two")
