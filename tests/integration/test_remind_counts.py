"""What decides about lost time can count how often it has reminded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from engine.testing import Chat, VirtualClock
from flows import Action, FlowBuilder, Turn
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


def twice_at_most(turn: Turn[One, Names]) -> Action[One]:
    turn.scene["reminded"] = turn.scene.get("reminded", 0) + 1
    if turn.scene["reminded"] > 2:
        return turn.cancel("silent")
    return turn.remind(f"reminder {turn.scene['reminded']}")


async def asks(turn: Turn[One, Names]) -> Action[One]:
    await turn.ask("Well?", timeout=HOUR, on_timeout=twice_at_most)
    return turn.complete()


async def waits(turn: Turn[One, Names]) -> Action[One]:
    return turn.wait(prompt="Well?", timeout=HOUR)


@pytest.mark.parametrize("step", [asks, waits])
async def test_the_scene_is_kept_from_reminder_to_reminder(
    step: Callable[[Turn[One, Names]], Awaitable[Action[One]]],
) -> None:
    builder = FlowBuilder("silent", One, Names).step(One.ONLY, step)
    builder.on_timeout(twice_at_most)
    async with Chat(app_of(builder.build(initial=One.ONLY)), clock=VirtualClock()) as chat:
        await chat.say("/start")
        chat.expect("Well?")
        said = await chat.advance(HOUR) + await chat.advance(HOUR) + await chat.advance(2 * HOUR)
        assert [one for one in said if one != "Well?"] == ["reminder 1", "reminder 2"]
        assert (await chat.say("hello"))[0].startswith("I did not understand")
