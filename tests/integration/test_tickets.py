"""Tickets of outside events: each is for one event, and for what was asked when it was drawn."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing import Chat
from flows import Action, Flow, FlowBuilder, Integer, Turn
from flows.errors import UnknownToken
from flows.flow import Handler
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

OneTurn = Turn[One, Names]


def paying(step: Handler[One, Names, Any]) -> Flow[One, Names]:
    return FlowBuilder("pay", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


async def twice(turn: OneTurn) -> Action[One]:
    paid = []
    for _ in range(2):
        ticket = turn.ticket()
        turn.reply(ticket)
        paid.append(await turn.outside(ticket, int))
    turn.reply(str(paid))
    return turn.complete()


async def several(turn: OneTurn) -> Action[One]:
    count = await turn.ask("How many?", Integer())
    ticket = turn.ticket()
    turn.reply(ticket)
    paid = await turn.outside(ticket, int)
    turn.reply(f"{count} for {paid}")
    return turn.complete()


async def test_the_second_event_of_a_step_has_a_ticket_of_its_own() -> None:
    app = app_of(paying(twice), rerun_every_step=True)
    async with Chat(app) as chat:
        (first,) = await chat.say("/pay")
        await app.resume(first, 1)
        await chat.settle()
        with pytest.raises(UnknownToken):
            await app.resume(first, 2)
        await app.resume(chat.replies()[-1], 3)
        await chat.settle()
        assert chat.replies()[-1] == "[1, 3]"


async def test_back_takes_the_ticket_of_what_was_undone() -> None:
    app = app_of(paying(several))
    async with Chat(app) as chat:
        await chat.say("/pay")
        (old,) = await chat.say("1")
        await chat.say("/back")
        (new,) = await chat.say("2")
        with pytest.raises(UnknownToken):
            await app.resume(old, 5)
        await app.resume(new, 10)
        await chat.settle()
        assert chat.replies()[-1] == "2 for 10"


async def test_what_does_not_fit_is_logged_and_waited_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = app_of(paying(several))
    async with Chat(app) as chat:
        await chat.say("/pay")
        (ticket,) = await chat.say("1")
        await app.resume(ticket, {"no": "number"})
        await chat.settle()
        assert "goes on waiting for its outside event" in caplog.text
        await app.resume(ticket, 10)
        await chat.settle()
        assert chat.replies()[-1] == "1 for 10"


async def test_a_ticket_that_was_used_or_never_drawn_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def same(turn: OneTurn) -> Action[One]:
        first, second = turn.ticket(), turn.ticket()
        await turn.outside(first, int, prompt=first)
        await turn.outside(second, int)
        return turn.complete()

    async def own(turn: OneTurn) -> Action[One]:
        await turn.outside("my own id", int)
        return turn.complete()

    app = app_of(paying(same))
    async with Chat(app) as chat:
        (ticket,) = await chat.say("/pay")
        await app.resume(ticket, 1)
        await chat.settle()
    assert "was used by an event before" in caplog.text
    async with Chat(app_of(paying(own))) as chat:
        await chat.say("/pay")
    assert "none that this step has drawn" in caplog.text
