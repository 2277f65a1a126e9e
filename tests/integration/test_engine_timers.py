"""A flow expires by itself when its person has been silent for too long, and only then."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from engine.testing.chat import Chat
from flows import Action, AskTimeout, Flow, FlowBuilder, Reminder, TextMessage, Turn
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import InboxRow, Query
from storage import MemoryStorage, SqlStorage
from tests.faults import Fragile, HeldClock
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

EXPIRED = "This conversation has expired."


def survey(name: str = "survey", ttl: timedelta | None = timedelta(minutes=1)) -> Flow[One, Names]:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        first = await turn.ask("First?")
        second = await turn.ask("Second?")
        turn.reply(f"{first}, {second}")
        return turn.complete()

    builder = FlowBuilder(name, One, Names, ttl=ttl)
    return builder.step(One.ONLY, step).build(initial=One.ONLY)


async def after(chat: Chat, clock: HeldClock, seconds: float) -> tuple[str, ...]:
    """What the bot says by itself in so many seconds."""
    before = len(chat.deliveries)
    await clock.advance(seconds)
    await chat.settle()
    return tuple(sent.text for sent in chat.deliveries[before:])


async def test_a_flow_expires_by_itself_never_early_and_says_so_once() -> None:
    clock = HeldClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(survey(), clock=clock), storage=storage) as chat:
        await chat.say("/start")
        assert await after(chat, clock, 59.9) == ()
        assert await after(chat, clock, 2) == (EXPIRED,)
        assert await after(chat, clock, 300) == ()
        (row,) = (await storage.inspect(Query(what="instances"))).rows
        assert row["status"] == "expired"
        assert (await chat.say("/start"))[-1] == "First?"


async def test_every_answer_starts_the_time_anew() -> None:
    clock = HeldClock()
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(survey(), clock=clock), storage=storage) as chat:
        await chat.say("/start")
        assert await after(chat, clock, 50) == ()
        assert await chat.say("a") == ("Second?",)
        assert await after(chat, clock, 50) == ()
        assert await chat.say("b") == ("a, b",)
        assert await after(chat, clock, 300) == ()


async def test_a_timer_that_fired_before_the_answer_was_handled_does_nothing() -> None:
    """Both are due, and the answer was accepted first."""
    clock = HeldClock()
    database = MemoryStorage(clock.now).database
    storage = MemoryStorage(database=database)
    async with Chat(app_of(survey(), clock=clock), storage=storage) as chat:
        await chat.say("/start")
    answer = chat.update(TextMessage("a"))
    other = MemoryStorage(database=database)
    await other.open()
    key = answer.conversation
    assert key is not None
    assert answer.address is not None
    await other.accept([_row(answer.to_json(), str(key), answer.address.partition)])
    clock.skip(120)
    fence = await other.lease("other", 64, 1)
    seqs, _ = await other.fire(fence, 10)
    assert len(seqs) == 1
    await other.release("other")
    async with Chat(app_of(survey(), clock=clock), storage=storage) as again:
        await again.settle()
        assert [sent.text for sent in again.deliveries] == ["Second?"]
        assert await again.say("b") == ("a, b",)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_timer_that_was_due_while_nothing_ran_fires_after_the_start(
    kind: str, tmp_path: Path
) -> None:
    clock = HeldClock()
    storage = (
        MemoryStorage(clock.now)
        if kind == "memory"
        else SqlStorage(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}", clock=clock.now)
    )
    app = app_of(survey(), clock=clock)
    async with Chat(app, storage=storage) as first:
        await first.say("/start")
    clock.skip(3600)
    async with Chat(app, storage=storage) as second:
        await after(second, clock, 1)
        assert [sent.text for sent in second.deliveries] == [EXPIRED]
    async with Chat(app, storage=storage) as third:
        assert await after(third, clock, 120) == ()


async def test_the_question_beneath_an_expired_flow_is_shown_again() -> None:
    clock = HeldClock()
    lasting, brief = survey("lasting", ttl=None), survey("brief")
    storage = MemoryStorage(clock.now)
    async with Chat(app_of(lasting, brief, clock=clock), storage=storage) as chat:
        await chat.say("/lasting")
        await chat.say("/brief")
        assert await after(chat, clock, 61) == (EXPIRED, "First?")
        assert await chat.say("a") == ("Second?",)


@pytest.mark.parametrize("error", [StorageDown("busy"), OutcomeUnknown("cut")])
async def test_timers_wait_for_a_storage_that_does_not_answer(error: Exception) -> None:
    clock = HeldClock()
    fragile = Fragile(MemoryStorage(clock.now))
    async with Chat(app_of(survey(), clock=clock), storage=fragile.storage) as chat:
        await chat.say("/start")
        fragile.fail("fire", *[error] * 70)
        assert await after(chat, clock, 90) == (EXPIRED,)


def _row(body: str, conv: str, part: int) -> InboxRow:
    return InboxRow(source="elsewhere", ext="1", part=part, conv=conv, kind="text", body=body, at=0)


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")


async def test_a_reminder_shows_the_question_once() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("First?", remind=Reminder(timedelta(minutes=1), "Still there?"))
        return turn.complete()

    flow = FlowBuilder("survey", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow), clock=HeldClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(60) == ("Still there?", "First?")
        assert await chat.advance(600) == ()


async def test_a_question_that_follows_lost_time_is_asked_once() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        try:
            await turn.ask("First?", timeout=timedelta(minutes=1))
        except AskTimeout:
            await turn.ask("Too late. Second?")
        return turn.complete()

    flow = FlowBuilder("survey", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow), clock=HeldClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(60) == ("Too late. Second?",)
