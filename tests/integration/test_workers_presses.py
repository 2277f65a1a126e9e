"""A button press that one worker takes in and another one handles: answered within two seconds,
and once.
"""

from __future__ import annotations

import asyncio

import pytest

from engine.app import App
from engine.routes.presses import DEADLINE
from flows import Action, Choice, FlowBuilder, Turn
from flows.conversation import partition_of
from flows.updates import Command
from tests.fleet import SOURCE, Fleet, Member
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


def pressed(fleet: Fleet) -> list[str | None]:
    """The notices of the answers."""
    return [notice for _, _, notice in fleet.service.answers]


class Bot:
    """Asks for a colour; with ``gate`` shut, the turn of the press takes until it is opened."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = 0

    def __call__(self) -> App:
        async def step(turn: Turn[One, Names]) -> Action[One]:
            colour = await turn.ask("Colour?", Choice(["red", "blue"]))
            self.begun += 1
            await self.gate.wait()
            turn.notice(f"You took {colour}.")
            turn.reply(f"{colour}!")
            return turn.complete()

        flow = FlowBuilder("colours", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
        return app_of(flow, handler_timeout=1e9)


async def ask(fleet: Fleet) -> str:
    """Two workers, and somebody whose chat is not the receiver's, at the question; who it is."""
    await fleet.start(2)
    (receiver,) = fleet.receivers()
    by = next(name for name in map(str, range(1000)) if owner(fleet, name).name != receiver)
    fleet.service.write(Command("start"), by=by)
    await fleet.over()
    return by


def press(fleet: Fleet, by: str) -> None:
    """The person presses the first button."""
    keyboard = next(sent for sent in reversed(fleet.service.deliveries) if sent.chat == by).keyboard
    fleet.press("press-1", keyboard[0][0].data, by=by)


def owner(fleet: Fleet, by: str) -> Member:
    """The worker whose chat it is."""
    part = partition_of(SOURCE, by)
    return next(one for one in fleet.members if part in one.parts)


async def test_the_owner_answers_with_the_notice_of_its_turn() -> None:
    async with Fleet(Bot()) as fleet:
        by = await ask(fleet)
        press(fleet, by)
        await fleet.over()
        await fleet.clock.advance(5)
        assert fleet.service.answers == [(owner(fleet, by).name, "press-1", "You took red.")]


async def test_a_turn_that_takes_long_is_answered_for_by_the_owner_and_not_again() -> None:
    bot = Bot()
    async with Fleet(bot) as fleet:
        by = await ask(fleet)
        bot.gate.clear()
        press(fleet, by)
        passed = await fleet.until(lambda: bool(fleet.service.answers))
        assert passed <= DEADLINE + 0.1
        bot.gate.set()
        await fleet.over()
        await fleet.clock.advance(5)
        assert fleet.service.answers == [(owner(fleet, by).name, "press-1", None)]
        assert fleet.service.texts(by)[-1] == "red!"


async def test_where_the_owner_is_dead_the_one_that_took_it_in_answers_and_then_handles_it() -> (
    None
):
    async with Fleet(Bot()) as fleet:
        by = await ask(fleet)
        (receiver,) = fleet.receivers()
        owner(fleet, by).freeze()
        press(fleet, by)
        passed = await fleet.until(lambda: bool(fleet.service.answers))
        assert passed <= DEADLINE + 0.1
        await fleet.over()
        assert fleet.service.answers == [(receiver, "press-1", None)]
        assert fleet.service.texts(by)[-1] == "red!"


async def test_an_owner_that_wakes_up_late_does_not_answer_once_more() -> None:
    """It stood still for less than its lease: the press is its own to handle."""
    async with Fleet(Bot()) as fleet:
        by = await ask(fleet)
        (receiver,) = fleet.receivers()
        member = owner(fleet, by)
        member.freeze()
        press(fleet, by)
        await fleet.clock.advance(6)
        member.thaw()
        await fleet.over()
        await fleet.clock.advance(5)
        assert fleet.service.answers == [(receiver, "press-1", None)]
        assert fleet.service.sent[-1].worker == member.name


async def test_a_press_whose_partition_changes_hands_is_answered_once_by_the_next_owner() -> None:
    """The turn was begun; it takes longer than the handover waits, and is begun anew."""
    bot = Bot()
    async with Fleet(bot) as fleet:
        await fleet.start(1)
        by = next(name for name in map(str, range(1000)) if partition_of(SOURCE, name) == 63)
        fleet.service.write(Command("start"), by=by)
        await fleet.over()
        bot.gate.clear()
        press(fleet, by)
        await fleet.until(lambda: bot.begun == 1)
        await fleet.until(lambda: bool(fleet.service.answers))
        newcomer = await fleet.start()
        bot.gate.set()
        await fleet.over()
        await fleet.clock.advance(5)
        assert owner(fleet, by) is newcomer
        assert pressed(fleet)[0] is None
        assert len(pressed(fleet)) <= 2  # the second worker cannot know of the first one's answer


async def test_presses_under_a_rebalance_are_all_answered() -> None:
    async with Fleet(Bot()) as fleet:
        await fleet.start(1)
        names = [str(n) for n in range(200)]
        for name in names:
            fleet.service.write(Command("start"), by=name)
        await fleet.over()
        await fleet.start(balanced=False)
        shown = {sent.chat: sent.keyboard for sent in fleet.service.deliveries}
        for name in names:
            fleet.press(f"press-{name}", shown[name][0][0].data, by=name)
            await fleet.clock.advance(0.05)
        await fleet.over()
        await fleet.clock.advance(5)
        assert sorted(press for _, press, _ in fleet.service.answers) == sorted(
            f"press-{name}" for name in names
        )
        assert pressed(fleet).count("You took red.") >= 190
