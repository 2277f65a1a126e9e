"""Timers: never early, once each, and never of a turn that was not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from flows.ports import Fence, FlowStorage, Outcome, TimerDrop, TimerRow
from storage.testing.backend import Backend, Contract
from storage.testing.rows import accepted, conv, part, pending, timer, turn

SECOND = 1000


class TimerContract(Contract):
    """``fire``, and the timers of ``commit``."""

    async def test_a_timer_is_not_early_by_a_millisecond(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _set(storage, fence, timer("ada", due=backend.now() + SECOND))
        backend.advance(SECOND - 1)
        assert await storage.fire(fence, 100) == ([], 0.001)
        assert list(await pending(storage, fence)) == []

    async def test_a_due_timer_becomes_a_cause(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        row = timer("ada", due=backend.now() + SECOND, body='{"visit": 3}')
        await _set(storage, fence, row)
        backend.advance(SECOND)
        (seq,), seconds = await storage.fire(fence, 100)
        assert seconds is None
        (fired,) = await pending(storage, fence)
        assert (fired.seq, fired.source, fired.kind) == (seq, row.source, "timer")
        assert (fired.conv, fired.part, fired.body) == (row.conv, row.part, row.body)
        assert fired.at == row.due

    async def test_a_timer_fires_once(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _set(storage, fence, timer("ada", due=backend.now()))
        assert len((await storage.fire(fence, 100))[0]) == 1
        assert await storage.fire(fence, 100) == ([], None)

    async def test_overdue_timers_fire_in_the_order_of_their_times(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        now = backend.now()
        late, early = timer("ada", due=now + 20, name="a"), timer("bob", due=now + 10, name="b")
        await _set(storage, fence, late, early)
        backend.advance(SECOND)
        await storage.fire(fence, 100)
        assert [row.conv for row in await pending(storage, fence)] == [conv("bob"), conv("ada")]

    async def test_the_limit_leaves_the_rest_due_at_once(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        now = backend.now()
        await _set(storage, fence, *(timer("ada", due=now, name=name) for name in "abc"))
        fired, seconds = await storage.fire(fence, 2)
        assert len(fired) == 2
        assert seconds == 0
        assert len((await storage.fire(fence, 2))[0]) == 1

    async def test_the_seconds_are_those_to_the_next_timer(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        now = backend.now()
        await _set(
            storage, fence, timer("ada", due=now + 90 * SECOND), timer("bob", due=now + 30 * SECOND)
        )
        assert await storage.fire(fence, 100) == ([], 30.0)

    async def test_setting_a_name_again_replaces_the_timer(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        now = backend.now()
        await _set(storage, fence, timer("ada", due=now + SECOND, body='"old"'))
        await _set(storage, fence, timer("ada", due=now + 2 * SECOND, body='"new"'))
        backend.advance(SECOND)
        assert await storage.fire(fence, 100) == ([], 1.0)
        backend.advance(SECOND)
        await storage.fire(fence, 100)
        assert [row.body for row in await pending(storage, fence)] == ['"new"']

    async def test_a_name_may_be_set_again_after_it_fired(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        for _ in range(2):
            await _set(storage, fence, timer("ada", due=backend.now()))
            assert len((await storage.fire(fence, 100))[0]) == 1
        assert len(await pending(storage, fence)) == 2

    async def test_a_dropped_timer_does_not_fire(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _set(storage, fence, timer("ada", due=backend.now() + SECOND))
        await _set(storage, fence, TimerDrop(conv=conv("ada"), name="wait"))
        backend.advance(SECOND)
        assert await storage.fire(fence, 100) == ([], None)

    async def test_dropping_what_is_not_there_does_nothing(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _set(storage, fence, TimerDrop(conv=conv("ada"), name="wait"))
        assert await storage.fire(fence, 100) == ([], None)

    async def test_within_a_turn_the_last_word_counts(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        row = timer("ada", due=backend.now())
        drop = TimerDrop(conv=conv("ada"), name="wait")
        await _set(storage, fence, drop, row)
        assert len((await storage.fire(fence, 100))[0]) == 1
        await _set(storage, fence, row, drop)
        assert await storage.fire(fence, 100) == ([], None)

    async def test_an_input_that_wins_the_race_takes_the_timer_away(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _set(storage, fence, timer("ada", due=backend.now() + SECOND))
        (answer,) = await accepted(storage, "ada")
        backend.advance(SECOND)
        drop = TimerDrop(conv=conv("ada"), name="wait")
        (done,) = await storage.commit(
            fence, [replace(turn(answer, "ada", state=None), scopes=[], timers=[drop])]
        )
        assert done.outcome is Outcome.DONE
        assert await storage.fire(fence, 100) == ([], None)

    async def test_an_input_that_loses_the_race_comes_after_the_timer(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        await _set(storage, fence, timer("ada", due=backend.now()))
        (fired,), _ = await storage.fire(fence, 100)
        (answer,) = await accepted(storage, "ada")
        assert [row.seq for row in await pending(storage, fence)] == [fired, answer]

    async def test_timers_outlive_their_worker(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _set(storage, fence, timer("ada", due=backend.now()))
        other, successor = await self.succeed(backend, storage)
        assert len((await other.fire(successor, 100))[0]) == 1

    async def test_a_fired_timer_outlives_its_worker_as_a_cause(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _set(storage, fence, timer("ada", due=backend.now()))
        (seq,), _ = await storage.fire(fence, 100)
        other, successor = await self.succeed(backend, storage)
        assert await other.fire(successor, 100) == ([], None)
        assert [row.seq for row in await pending(other, successor)] == [seq]

    async def test_each_owner_fires_its_own(self, backend: Backend) -> None:
        (first, one), (second, two) = await self.pair(backend)
        users = [f"user{number}" for number in range(12)]
        for user in users:
            storage, fence = (first, one) if part(user) in one.epochs else (second, two)
            await _set(storage, fence, timer(user, due=backend.now()), by=user)
        fired = await asyncio.gather(first.fire(one, 100), second.fire(two, 100))
        rows = [*await pending(first, one), *await pending(second, two)]
        assert [seq for seqs, _ in fired for seq in seqs] == [row.seq for row in rows]
        assert sorted(row.conv or "" for row in rows) == sorted(map(conv, users))
        assert [seconds for _, seconds in fired] == [None, None]

    async def test_overdue_timers_of_many_chats_fire_in_order_by_pages(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        now = backend.now()
        rows = [timer(f"user{n}", due=now + (n * 7) % 20) for n in range(20)]
        await _set(storage, fence, *rows)
        backend.advance(SECOND)
        for _ in range(7):
            await storage.fire(fence, 3)
        times = [row.at for row in await pending(storage, fence)]
        assert times == [now + n for n in range(20)]

    async def test_a_timer_is_early_for_no_part_of_a_page(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        now = backend.now()
        await _set(storage, fence, *(timer(f"user{n}", due=now + n) for n in range(4)))
        backend.advance(1)
        fired, seconds = await storage.fire(fence, 100)
        assert (len(fired), seconds) == (2, 0.001)

    async def test_a_turn_in_conflict_sets_no_timer(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _set(storage, fence, timer("ada", due=backend.now(), body='"old"'))
        (seq,) = await accepted(storage, "ada")
        new = timer("ada", due=backend.now(), body='"new"')
        (late,) = await storage.commit(fence, [replace(turn(seq, version=12), timers=[new])])
        assert late.outcome is Outcome.CONFLICT
        await storage.fire(fence, 100)
        assert [row.body for row in await pending(storage, fence) if row.seq != seq] == ['"old"']


async def _set(
    storage: FlowStorage, fence: Fence, *timers: TimerRow | TimerDrop, by: str = "zoe"
) -> None:
    """A turn that does nothing but set or drop timers."""
    (seq,) = await accepted(storage, by)
    whole = replace(turn(seq, by), scopes=[], timers=timers)
    (done,) = await storage.commit(fence, [whole])
    assert done.outcome is Outcome.DONE
