"""An answer that was given in time counts, although nothing ran when it was given."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.testing import Chat, TestChannel, VirtualClock
from flows import Action, FlowBuilder, TextMessage, Turn
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


class Backlog(TestChannel):
    """A service that keeps what people say while the bot is away, and hands it in later."""

    @property
    def catch_up(self) -> float:
        """As on Telegram."""
        return 3.0


async def ask(turn: Turn[One, Names]) -> Action[One]:
    turn.reply(await turn.ask("Name?", timeout=4 * HOUR))
    return turn.complete()


@pytest.mark.parametrize(("hours", "said"), [(1, "Ada"), (5, "That took too long")])
async def test_it_is_the_time_at_which_it_was_said_that_counts(hours: int, said: str) -> None:
    flow = FlowBuilder("one", One, Names).step(One.ONLY, ask).build(initial=One.ONLY)
    clock = VirtualClock()
    async with Chat(app_of(flow), clock=clock, channel=Backlog) as chat:
        await chat.say("/start")
        answer = replace(chat.update(TextMessage("Ada")), at=clock.now() + hours * 3_600_000)
        await chat.crash()
        await chat.advance(10 * HOUR)
        await chat.restart()
        await chat.hand_in([answer])
        await chat.advance(timedelta(seconds=5))
        assert said in chat.deliveries[1].text  # the first is the question
