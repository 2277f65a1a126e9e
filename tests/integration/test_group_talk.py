"""What people say to each other, while a flow of their chat asks some of them."""

from __future__ import annotations

import pytest

from engine.testing import Chat
from flows import Action, Confirm, Flow, FlowBuilder, Turn
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


def vote() -> Flow[One, Names]:
    async def ask(turn: Turn[One, Names]) -> Action[One]:
        answers = await turn.ask_each(["1", "2"], "Pizza?", Confirm())
        turn.reply(f"{sum(answers.values())} for pizza")
        return turn.complete()

    builder = FlowBuilder("vote", One, Names, key="chat")
    return builder.step(One.ONLY, ask).build(initial=One.ONLY)


async def test_who_is_not_asked_is_left_alone() -> None:
    async with Chat(app_of(vote())) as chat:
        await chat.say("/vote", by="1", chat="-5")
        assert await chat.say("nice weather", by="3", chat="-5") == ()
        assert await chat.say("nice weather", by="1", chat="-5") != ()


async def test_a_typed_answer_counts_once_and_is_counted_aloud() -> None:
    async with Chat(app_of(vote())) as chat:
        await chat.say("/vote", by="1", chat="-5")
        assert await chat.say("yes", by="1", chat="-5") == ("Thank you. 1 of 2 have answered.",)
        assert await chat.say("no", by="1", chat="-5") == ("You have answered already.",)
        assert await chat.press("No", by="2", chat="-5") == ("1 for pizza",)


async def test_a_flow_that_was_handed_over_is_that_persons_to_stop() -> None:
    async def ask(turn: Turn[One, Names]) -> Action[One]:
        turn.assign("1")
        turn.reply(await turn.ask("Who pays?"))
        return turn.complete()

    builder = FlowBuilder("bill", One, Names, key="chat")
    async with Chat(app_of(builder.step(One.ONLY, ask).build(initial=One.ONLY))) as chat:
        await chat.say("/bill", by="1", chat="-5")
        for command in ("/back", "/cancel"):
            assert await chat.say(command, by="2", chat="-5") == (
                "That question is for somebody else.",
            )
        assert await chat.say("I do", by="1", chat="-5") == ("I do",)
