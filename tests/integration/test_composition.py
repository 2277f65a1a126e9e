"""Composed flows under back, cancel, redo and restarts: their parts are flows like any other."""

from __future__ import annotations

from typing import Any

import pytest

from flows import END, Action, Flow, FlowBuilder, Integer, Text, Turn
from flows.compose import choose, sequence, together
from tests.integration.conftest import Talk
from tests.support import Names, One, Three

pytestmark = pytest.mark.anyio


def asks(name: str) -> Flow[One, Names, str]:
    """Asks for a text, which is its result."""
    builder = FlowBuilder(name, One, Names)
    builder.ask(One.ONLY, f"{name}?", Text(), into="first")
    return builder.build(initial=One.ONLY, result=lambda data: data.first)


def forked() -> Flow[Three, Names, str]:
    """A text and a number in any order; its result is both."""
    builder = FlowBuilder("forked", Three, Names)
    builder.parallel(from_=Three.FIRST, steps=[Three.SECOND, Three.THIRD], join=END)
    builder.ask(Three.SECOND, "Text?", Text(), into="second")
    builder.ask(Three.THIRD, "Number?", Integer(), into="count")
    return builder.build(initial=Three.FIRST, result=lambda data: f"{data.second}{data.count}")


def telling(child: Flow[Any, Any, Any]) -> Flow[One, Names]:
    """Says what the child has come to."""
    builder = FlowBuilder("telling", One, Names)

    @builder.step(One.ONLY)
    async def tell(turn: Turn[One, Names]) -> Action[One]:
        turn.reply(repr(await turn.call(child)))
        return turn.next()

    return builder.build(initial=One.ONLY)


async def test_back_in_a_sequence_leads_to_the_part_before(talk: Talk) -> None:
    async with talk(telling(sequence("both", asks("name"), asks("town")))) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == ("town?",)
        assert await chat.say("/back") == ("name?",)
        assert await chat.say("Bob") == ("town?",)
        assert await chat.say("Lyon") == ("('Bob', 'Lyon')",)


async def test_back_in_a_choice_leads_to_the_choice(talk: Talk) -> None:
    one = choose("one", "Which?", {"A name": asks("name"), "A town": asks("town")})
    async with talk(telling(one)) as chat:
        await chat.say("/start")
        assert await chat.press("A name") == ("name?",)
        assert await chat.say("/back") == ("Which?",)
        assert await chat.press("A town") == ("town?",)
        assert await chat.say("Lyon") == ("'Lyon'",)


async def test_a_part_that_is_done_can_be_done_again_until_all_are(talk: Talk) -> None:
    async with talk(telling(together("all", asks("name"), asks("town")))) as chat:
        await chat.say("/start")
        await chat.press("Name")
        await chat.say("Ada")
        assert (await chat.press("\u2713 Name"))[-1] == "name?"
        await chat.say("Bob")
        await chat.press("Town")
        assert (await chat.say("Lyon"))[-1] == "('Bob', 'Lyon')"


async def test_a_part_may_fork(talk: Talk) -> None:
    async with talk(telling(together("all", asks("name"), forked()))) as chat:
        await chat.say("/start")
        assert await chat.press("Forked") == ("0/2",)
        assert await chat.say("5") == ("1/2\n\u2713 Third",)
        await chat.press("Second")
        assert (await chat.say("x"))[-1] == "1/2\n\u2713 Forked"
        await chat.press("Name")
        assert (await chat.say("Ada"))[-1] == "('Ada', 'x5')"


async def test_cancel_in_a_part_ends_all(talk: Talk) -> None:
    async with talk(telling(sequence("both", asks("name"), forked()))) as chat:
        await chat.say("/start")
        assert await chat.say("Ada") == ("0/2",)
        assert await chat.say("/cancel") == ("Cancelled.",)
        assert "did not understand" in (await chat.say("x"))[0]
