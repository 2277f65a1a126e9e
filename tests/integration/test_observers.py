"""Observers are told what the engine does, and harm nothing."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.telemetry import (
    Accepted,
    CommitEnded,
    Observer,
    SendBegun,
    SendEnded,
    StepBegun,
    StepEnded,
    TurnBegun,
    TurnEnded,
)
from engine.testing import Chat, CrashPoint, VirtualClock
from engine.testing.channel import TestChannel
from flows import Action, Flow, FlowBuilder, Reminder, Text, Turn
from flows.errors import OutcomeUnknown, SendLater, SendRefused, SendUncertain
from flows.ports import Delivery
from storage import MemoryStorage
from tests.faults import Fragile
from tests.support import Names, Three, app_of

pytestmark = pytest.mark.anyio

CURRENT: ContextVar[str] = ContextVar("current", default="nothing")


class Diary(Observer):
    """Writes down what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def accepted(self, page: Accepted) -> None:
        self.told.append(page)

    def turn_begun(self, turn: TurnBegun) -> None:
        self.told.append(turn)

    def turn_ran(self, turn: int) -> None:
        self.told.append(turn)

    def turn_ended(self, turn: TurnEnded) -> None:
        self.told.append(turn)

    def step_begun(self, step: StepBegun) -> None:
        CURRENT.set(step.step)
        self.told.append(step)

    def step_ended(self, step: StepEnded) -> None:
        self.told.append(step)

    def committed(self, commit: CommitEnded) -> None:
        self.told.append(commit)

    def send_begun(self, send: SendBegun) -> None:
        self.told.append(send)

    def send_ended(self, send: SendEnded) -> None:
        self.told.append(send)

    def timers_fired(self, count: int) -> None:
        self.told.append(count)

    @property
    def kinds(self) -> list[str]:
        return [type(one).__name__ for one in self.told]

    @property
    def turns(self) -> list[str]:
        return [one.outcome for one in self.told if isinstance(one, TurnEnded)]

    @property
    def steps(self) -> list[tuple[str, str, str | None]]:
        ended = [one for one in self.told if isinstance(one, StepEnded)]
        return [(one.step, one.outcome, one.error) for one in ended]

    @property
    def sends(self) -> list[str]:
        return [one.outcome for one in self.told if isinstance(one, SendEnded)]


def talk() -> Flow[Three, Names]:
    flow = FlowBuilder("talk", Three, Names)

    @flow.step(Three.FIRST)
    async def first(turn: Turn[Three, Names]) -> Action[Three]:
        turn.reply(f"in {CURRENT.get()}")
        return turn.next()

    @flow.step(Three.SECOND, remind=Reminder(timedelta(hours=1), "Still there?"))
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        if await turn.ask("Go on.", Text()) == "fail":
            raise LookupError("no luck")
        return turn.next()

    @flow.step(Three.THIRD)
    async def third(turn: Turn[Three, Names]) -> Action[Three]:
        await turn.ask("And?", Text())
        return turn.complete()

    return flow.build(initial=Three.FIRST)


async def test_a_turn_is_told_from_its_page_to_its_messages_in_order() -> None:
    diary = Diary()
    async with Chat(app_of(talk(), observers=[diary])) as chat:
        await chat.say("/start")
    assert diary.kinds == [
        "Accepted",
        "TurnBegun",
        *["StepBegun", "StepEnded"] * 2,
        "int",
        "CommitEnded",
        "TurnEnded",
        *["SendBegun", "SendEnded"] * 2,
    ]
    page, begun, step = diary.told[:3]
    assert isinstance(page, Accepted)
    assert (page.source, list(page.turns), page.duplicates) == ("test:local", [1], 0)
    assert isinstance(begun, TurnBegun)
    assert (begun.turn, begun.kind, begun.conversation) == (1, "command", "test/local/1//1")
    assert isinstance(step, StepBegun)
    assert (step.flow, step.step, step.instance, step.turn) == ("talk", "FIRST", "1-0", 1)
    assert diary.steps == [("FIRST", "decided", None), ("SECOND", "asked", None)]
    assert diary.sends == ["sent", "sent"]


async def test_a_handler_runs_in_the_context_of_its_observers() -> None:
    async with Chat(app_of(talk(), observers=[Diary()])) as chat:
        assert (await chat.say("/start"))[0] == "in FIRST"


async def test_an_update_that_comes_twice_is_told_as_a_duplicate() -> None:
    diary = Diary()
    async with Chat(app_of(talk(), observers=[diary])) as chat:
        await chat.say("/start")
        diary.told.clear()
        await chat.again()
    (page,) = diary.told
    assert isinstance(page, Accepted)
    assert (list(page.turns), page.duplicates) == ([], 1)


async def test_a_failed_turn_is_told_with_the_type_of_its_error_and_nothing_more() -> None:
    diary = Diary()
    async with Chat(app_of(talk(), observers=[diary])) as chat:
        await chat.say("/start")
        diary.told.clear()
        await chat.say("fail")
    assert diary.steps == [("SECOND", "failed", "LookupError")]
    assert diary.turns == ["failed"]
    assert "no luck" not in repr(diary.told)


async def test_a_turn_whose_state_cannot_be_read_is_dead() -> None:
    diary, storage = Diary(), MemoryStorage()
    async with Chat(app_of(talk(), observers=[diary]), storage=storage) as chat:
        await chat.say("/start")
        await chat.crash()
        for scope in storage.database.scopes.values():
            scope.snapshot = replace(scope.snapshot, state="[]")
        await chat.restart()
        diary.told.clear()
        await chat.say("a")
    assert diary.turns == ["dead"]


async def test_a_turn_on_what_another_has_changed_is_a_conflict_and_runs_again() -> None:
    diary, storage = Diary(), MemoryStorage()
    async with Chat(app_of(talk(), observers=[diary]), storage=storage) as chat:
        await chat.say("/start")
        for scope in storage.database.scopes.values():
            version = scope.snapshot.version + 1
            scope.snapshot = replace(scope.snapshot, version=version)
        diary.told.clear()
        assert await chat.say("a") == ("And?",)
    assert diary.turns == ["conflict", "done"]


async def test_a_turn_whose_answer_was_lost_is_done() -> None:
    diary, fragile = Diary(), Fragile(MemoryStorage())
    async with Chat(app_of(talk(), observers=[diary]), storage=fragile.storage) as chat:
        fragile.fail("commit", OutcomeUnknown("gone"), after=True)
        await chat.say("/start")
    assert diary.turns == ["done"]


async def test_timers_are_told_and_how_late_their_turns_are() -> None:
    diary, clock = Diary(), VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(talk(), observers=[diary]), clock=clock, storage=storage) as chat:
        await chat.say("/start")
        await chat.crash()
        await chat.advance(timedelta(hours=1, seconds=5))
        diary.told.clear()
        await chat.restart()
    assert 1 in diary.told
    (turn,) = (one for one in diary.told if isinstance(one, TurnEnded))
    assert turn.outcome == "done"
    assert turn.late == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (SendLater(1.0), "later"),
        (SendRefused("no such chat"), "refused"),
        (SendUncertain("cut"), "uncertain"),
        (RuntimeError("a bug"), "uncertain"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else one,
)
async def test_a_send_is_told_by_how_it_ended(error: Exception, outcome: str) -> None:
    class Failing(TestChannel):
        async def send(self, delivery: Delivery) -> str | None:
            if delivery.text == "in FIRST" and not failed:
                failed.append(delivery.text)
                raise error
            return await super().send(delivery)

    failed: list[str] = []
    diary = Diary()
    async with Chat(
        app_of(talk(), observers=[diary]), clock=VirtualClock(), channel=Failing
    ) as chat:
        await chat.say("/start")
    assert diary.sends[0] == outcome


async def test_what_a_dead_process_has_begun_is_begun_again_by_the_next() -> None:
    diary = Diary()
    async with Chat(app_of(talk(), observers=[diary]), storage=MemoryStorage()) as chat:
        chat.crash_at(CrashPoint("commit"))
        await chat.say("/start")
        await chat.restart()
    begun = [one for one in diary.told if isinstance(one, TurnBegun)]
    assert [(one.turn, one.tries) for one in begun] == [(1, 0), (1, 1)]
    assert diary.turns == ["done"]


class Broken(Observer):
    def turn_begun(self, turn: TurnBegun) -> None:
        raise ZeroDivisionError("a bug in an observer")

    def send_ended(self, send: SendEnded) -> None:
        raise ZeroDivisionError("a bug in an observer")


async def test_an_observer_that_fails_harms_nobody_and_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    diary = Diary()
    async with Chat(app_of(talk(), observers=[Broken(), diary])) as chat:
        await chat.say("/start")
        assert await chat.say("a") == ("And?",)
    assert diary.turns == ["done", "done"]
    assert caplog.text.count("the observer's Broken.turn_begun has failed") == 1
    assert caplog.text.count("the observer's Broken.send_ended has failed") == 1


async def test_observers_can_be_added_before_the_start() -> None:
    diary, app = Diary(), app_of(talk())
    app.observe(diary)
    assert list(app.observers) == [diary]
    async with Chat(app) as chat:
        await chat.say("/start")
    assert diary.turns == ["done"]
