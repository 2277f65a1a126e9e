"""Several workers: what they share, what they know of each other, and whose clock counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from flows.ports import Fence, Outcome
from storage.testing.backend import EVERYTHING, HALF, TTL, Ability, Backend, Contract
from storage.testing.rows import (
    NOBODY,
    NOWHERE,
    accepted,
    full_turn,
    message,
    sent,
    timer,
    turn,
)


class ShareContract(Contract):
    """``lease``, by several workers at once."""

    async def test_two_workers_never_hold_the_same(self, backend: Backend) -> None:
        self.need(backend, Ability.SHARED)
        storage, other = await backend.open(), await backend.open()
        first = await storage.lease("first", HALF, TTL)
        second = await other.lease("second", EVERYTHING, TTL)
        assert len(second.epochs) == HALF
        assert not first.epochs.keys() & second.epochs.keys()

    async def test_rebalancing_moves_what_the_first_gives_back(self, backend: Backend) -> None:
        self.need(backend, Ability.SHARED)
        storage, before = await self.start(backend)
        other = await backend.open()
        assert (await other.lease("second", HALF, TTL)).epochs == {}
        kept = await storage.lease("first", HALF, TTL)
        moved = await other.lease("second", HALF, TTL)
        assert sorted([*kept.epochs, *moved.epochs]) == list(range(EVERYTHING))
        assert all(epoch > before.epochs[part] for part, epoch in moved.epochs.items())

    async def test_released_partitions_are_free_at_once(self, backend: Backend) -> None:
        self.need(backend, Ability.SHARED)
        storage, _ = await self.start(backend)
        other = await backend.open()
        await storage.release("first")
        assert len((await other.lease("second", EVERYTHING, TTL)).epochs) == EVERYTHING

    async def test_a_worker_frozen_beyond_its_lease_finds_itself_replaced(
        self, backend: Backend
    ) -> None:
        self.need(backend, Ability.SHARED)
        storage, stale = await self.start(backend)
        said, noted = await accepted(storage, "ada", "bob")
        await storage.commit(stale, [full_turn(said)])
        other, fence = await self.succeed(backend, storage)
        # By its own handle, which may have kept something of what it knew.
        (late,) = await storage.commit(stale, [full_turn(noted, "bob")])
        assert late.outcome is Outcome.FENCED
        assert await storage.note(stale, noted, "{}") is Outcome.FENCED
        assert list(await storage.sent(stale, [sent(message(said))])) == [Outcome.FENCED]
        assert await storage.fire(stale, 100) == ([], None)
        assert list(await storage.pending(stale, NOBODY, 100)) == []
        assert list(await storage.outgoing(stale, NOWHERE, 100)) == []
        assert (await storage.lease("first", EVERYTHING, TTL)).epochs == {}
        (done,) = await other.commit(fence, [full_turn(noted, "bob")])
        assert done.outcome is Outcome.DONE

    async def test_workers_that_come_at_once_share(self, backend: Backend) -> None:
        self.need(backend, Ability.SHARED)
        handles = [await backend.open() for _ in range(3)]
        fences = await asyncio.gather(
            *(handle.lease(f"worker{n}", 30, TTL) for n, handle in enumerate(handles))
        )
        held = [place for fence in fences for place in fence.epochs]
        assert sorted(held) == list(range(EVERYTHING))

    async def test_three_workers_come_to_equal_shares(self, backend: Backend) -> None:
        self.need(backend, Ability.SHARED)
        handles = [await backend.open() for _ in range(3)]
        want = [EVERYTHING] * 3
        fences: list[Fence] = []
        for _ in range(3):
            fences = [
                await handle.lease(f"worker{n}", want[n], TTL) for n, handle in enumerate(handles)
            ]
            want = [-(-EVERYTHING // fence.workers) for fence in fences]
        assert [fence.workers for fence in fences] == [3, 3, 3]
        assert sorted(len(fence.epochs) for fence in fences) == [20, 22, 22]
        held = [place for fence in fences for place in fence.epochs]
        assert sorted(held) == list(range(EVERYTHING))

    async def test_a_lone_worker_knows_that_it_is_alone(self, backend: Backend) -> None:
        _, fence = await self.start(backend)
        assert fence.workers == 1

    async def test_a_worker_that_gets_nothing_is_known_to_the_others(
        self, backend: Backend
    ) -> None:
        self.need(backend, Ability.SHARED)
        storage, _ = await self.start(backend)
        other, idle = await backend.open(), await backend.open()
        assert (await other.lease("second", HALF, TTL)).workers == 2
        assert (await idle.lease("third", 0, TTL)).workers == 3
        assert (await storage.lease("first", EVERYTHING, TTL)).workers == 3

    async def test_a_worker_that_is_silent_is_forgotten_in_its_own_time(
        self, backend: Backend
    ) -> None:
        self.need(backend, Ability.SHARED)
        storage, other, third = [await backend.open() for _ in range(3)]
        await storage.lease("first", HALF, 10 * TTL)
        await other.lease("second", HALF, TTL)
        backend.advance(TTL - 1)
        assert (await third.lease("third", 0, TTL)).workers == 3
        backend.advance(1)
        assert (await third.lease("third", 0, TTL)).workers == 2

    async def test_a_released_worker_is_forgotten_at_once(self, backend: Backend) -> None:
        self.need(backend, Ability.SHARED)
        storage, _ = await self.start(backend)
        other = await backend.open()
        assert (await other.lease("second", HALF, TTL)).workers == 2
        await storage.release("first")
        assert (await other.lease("second", HALF, TTL)).workers == 1

    async def test_workers_names_differ_by_case_and_trailing_space(self, backend: Backend) -> None:
        self.need(backend, Ability.SHARED)
        storage, other, third = [await backend.open() for _ in range(3)]
        await storage.lease("worker", HALF, TTL)
        assert len((await other.lease("Worker", 10, TTL)).epochs) == 10
        fence = await third.lease("worker ", EVERYTHING, TTL)
        assert (len(fence.epochs), fence.workers) == (HALF - 10, 3)

    async def test_a_lease_ends_by_the_clock_of_the_database(self, backend: Backend) -> None:
        self.need(backend, Ability.SHARED)
        await self.start(backend)
        other = await backend.open()
        backend.advance(TTL - 1)
        assert (await other.lease("second", EVERYTHING, TTL)).epochs == {}
        backend.advance(1)
        assert len((await other.lease("second", EVERYTHING, TTL)).epochs) == EVERYTHING

    @pytest.mark.parametrize("hours", [-1, 1])
    async def test_a_host_whose_clock_is_wrong_takes_nothing(
        self, backend: Backend, monkeypatch: pytest.MonkeyPatch, hours: int
    ) -> None:
        self.need(backend, Ability.SHARED)
        storage, fence = await self.start(backend)
        other = await backend.open()
        with _wrong_clock(monkeypatch, hours * 3600):
            assert (await other.lease("second", EVERYTHING, TTL)).epochs == {}
            (seq,) = await accepted(other, "ada")
            # Nor does it give away what it holds, nor fire too early.
            await storage.commit(
                fence, [replace(turn(seq), timers=[timer("ada", due=backend.now() + 1000)])]
            )
            assert await storage.lease("first", EVERYTHING, TTL) == replace(fence, workers=2)
            assert await storage.fire(fence, 100) == ([], 1.0)
            backend.advance(TTL)
            assert len((await other.lease("second", EVERYTHING, TTL)).epochs) == EVERYTHING


@contextmanager
def _wrong_clock(monkeypatch: pytest.MonkeyPatch, seconds: int) -> Iterator[None]:
    """The clock of this host, not that of the database, is wrong."""
    now, now_ns = time.time, time.time_ns
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() + seconds)
        patch.setattr(time, "time_ns", lambda: now_ns() + seconds * 1_000_000_000)
        yield
