"""Stopping: what runs is finished or runs again; and what is over leaves nothing in memory."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

import engine.app
from engine.testing.chat import Chat, TestChannel
from engine.workers.worker import Worker
from flows import Action, Choice, Flow, FlowBuilder, TextMessage, Turn
from flows.errors import SendLater, StorageDown
from flows.ports import Delivery
from storage import MemoryStorage
from tests.faults import Fragile, HeldClock
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


def slow(begun: asyncio.Event, release: asyncio.Event, runs: list[str]) -> Flow[One, Names]:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Name?")
        runs.append(said)
        begun.set()
        await release.wait()
        turn.reply(f"hello {said}")
        return turn.complete()

    return FlowBuilder("slow", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


def texts(*chats: Chat) -> list[str]:
    return [sent.text for chat in chats for sent in chat.deliveries]


async def test_a_stop_in_the_middle_of_a_handler_waits_for_its_turn() -> None:
    begun, release, runs = asyncio.Event(), asyncio.Event(), list[str]()
    stopping = asyncio.Event()

    class Ending(TestChannel):
        async def receive(self, intake: Any) -> None:
            try:
                await super().receive(intake)
            finally:
                stopping.set()

    storage = MemoryStorage()
    chat = Chat(app_of(slow(begun, release, runs)), storage=storage, channel=Ending)

    async def let_go() -> None:
        await stopping.wait()
        release.set()

    async with chat:
        await chat.say("/start")
        await chat.hand_in([chat.update(TextMessage("Ada"))])
        await begun.wait()
        letting_go = asyncio.ensure_future(let_go())
    await letting_go
    async with Chat(app_of(slow(begun, release, runs)), storage=storage) as again:
        await again.settle()
        assert texts(chat, again) == ["Name?", "hello Ada"]
    assert runs == ["Ada"]


async def test_a_handler_that_does_not_end_in_time_runs_again_after_the_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.workers.worker.DRAIN", 0.01)
    begun, release, runs = asyncio.Event(), asyncio.Event(), list[str]()
    storage = MemoryStorage()
    async with Chat(app_of(slow(begun, release, runs)), storage=storage) as chat:
        await chat.say("/start")
        await chat.hand_in([chat.update(TextMessage("Ada"))])
        await begun.wait()
    release.set()
    async with Chat(app_of(slow(begun, release, runs)), storage=storage) as again:
        await again.settle()
        assert texts(chat, again) == ["Name?", "hello Ada"]
    assert runs == ["Ada", "Ada"]


@pytest.mark.parametrize("method", ["commit", "sent", "release"])
async def test_a_stop_does_not_wait_for_ever_for_a_storage_that_is_down(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.workers.worker.DRAIN", 0.01)
    begun, release = asyncio.Event(), asyncio.Event()
    release.set()
    storage = MemoryStorage()
    fragile = Fragile(storage)
    clock = HeldClock()
    app = app_of(slow(begun, release, []), clock=clock)
    async with Chat(app, storage=fragile.storage) as chat:
        await chat.say("/start")
        fragile.fail(method, *(StorageDown("busy") for _ in range(1000)))
        await chat.hand_in([chat.update(TextMessage("Ada"))])
        await begun.wait()
    async with Chat(app_of(slow(begun, release, [])), storage=storage) as again:
        await again.settle()
        assert "hello Ada" in texts(chat, again)


async def test_messages_that_have_to_wait_do_not_hold_up_the_stop() -> None:
    class Busy(TestChannel):
        async def send(self, delivery: Delivery) -> str | None:
            raise SendLater(3600)

    begun, release = asyncio.Event(), asyncio.Event()
    storage = MemoryStorage()
    async with Chat(app_of(slow(begun, release, [])), storage=storage, channel=Busy) as chat:
        await chat.say("/start")
    assert len(storage.database.unsent) == 1


# --- memory -----------------------------------------------------------------------------


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Worker]:
    """The workers that Apps make."""
    made: list[Worker] = []

    class Kept(Worker):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            made.append(self)

    monkeypatch.setattr(engine.app, "Worker", Kept)
    return made


async def test_idle_conversations_leave_nothing_in_memory_but_a_bounded_cache(
    workers: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.state.snapshots.CACHED", 10)

    async def step(turn: Turn[One, Names]) -> Action[One]:
        colour = await turn.ask("Colour?", Choice(["red", "blue"]))
        turn.notice(colour)
        turn.reply(f"took {colour}")
        return turn.wait()

    builder = FlowBuilder("colours", One, Names, ttl=timedelta(days=1))
    flow = builder.step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        for number in range(50):
            await chat.say("/start", by=str(number))
            await chat.press("red", by=str(number))
        (worker,) = workers
        turns, sender, presses = worker._turns, worker._sender, worker._presses
        boxes = turns.mailboxes
        left = (boxes._boxes, boxes._ready, boxes._seqs, turns._running, turns._finished)
        recorder = sender._recorder
        unsent = (sender._chats, sender._ready, recorder._marks, recorder.fresh)
        unanswered = (presses._open, presses._tasks)
        assert [len(one) for one in (*left, *unsent, *unanswered)] == [0] * 11
        assert len(turns._snapshots._cache) == 10
        assert len(chat.notices) == 50


async def test_failed_sends_and_lost_partitions_leave_nothing_in_memory_either(
    workers: list[Worker],
) -> None:
    release, begun = asyncio.Event(), asyncio.Event()
    storage = MemoryStorage()
    app = app_of(slow(begun, release, []))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/start")
        await chat.hand_in([chat.update(TextMessage(text)) for text in ("Ada", "Bob")])
        await begun.wait()
        (worker,) = workers
        turns = worker._turns
        turns.forget(range(64))
        assert [len(turns.mailboxes._boxes), len(turns._snapshots._cache)] == [0, 0]
        release.set()
        turns.fall_behind()
        await chat.settle()
        assert texts(chat)[:2] == ["Name?", "hello Ada"]
        assert len(texts(chat)) == 3
        assert [len(turns._running), len(turns.mailboxes._seqs)] == [0, 0]


async def test_a_bug_in_a_turn_that_awaits_nothing_stops_the_worker_loudly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*_: object) -> None:
        raise AssertionError("a bug of the engine")

    chat = Chat(app_of(slow(asyncio.Event(), asyncio.Event(), [])))
    await chat.__aenter__()
    monkeypatch.setattr("engine.turns.turn.TurnRunner.run", broken)
    with pytest.raises(AssertionError, match="a bug of the engine"):
        async with asyncio.timeout(10):
            await chat.say("/start")


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")
