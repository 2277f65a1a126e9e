"""Leases: one holder a partition, and whoever lost one writes nothing."""

from __future__ import annotations

from flows.ports import Fence, Outcome
from storage.testing.backend import EVERYTHING, HALF, TTL, Backend, Contract
from storage.testing.rows import (
    NOBODY,
    NOWHERE,
    accepted,
    conv,
    full_turn,
    message,
    part,
    sent,
    turn,
)


class LeaseContract(Contract):
    """``lease`` and ``release``."""

    async def test_a_lone_worker_gets_what_it_wants(self, backend: Backend) -> None:
        storage = await backend.open()
        fence = await storage.lease("first", 5, TTL)
        assert len(fence.epochs) == 5
        assert fence.worker == "first"

    async def test_all_partitions_can_be_held(self, backend: Backend) -> None:
        _, fence = await self.start(backend)
        assert sorted(fence.epochs) == list(range(EVERYTHING))

    async def test_renewing_keeps_partitions_and_epochs(self, backend: Backend) -> None:
        storage = await backend.open()
        fence = await storage.lease("first", HALF, TTL)
        for _ in range(5):
            backend.advance(TTL // 2)
            assert await storage.lease("first", HALF, TTL) == fence

    async def test_what_is_over_is_given_back(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        fewer = await storage.lease("first", 3, TTL)
        assert fewer.epochs == {place: fence.epochs[place] for place in range(3)}

    async def test_who_wants_nothing_holds_nothing(self, backend: Backend) -> None:
        storage, _ = await self.start(backend)
        assert (await storage.lease("first", 0, TTL)).epochs == {}

    async def test_a_released_worker_commits_nothing(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.release("first")
        (late,) = await storage.commit(fence, [turn(seq)])
        assert late.outcome is Outcome.FENCED

    async def test_releasing_what_one_does_not_hold_does_nothing(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await storage.release("nobody")
        assert await storage.lease("first", EVERYTHING, TTL) == fence

    async def test_taking_again_raises_the_epoch(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await storage.release("first")
        again = await storage.lease("first", EVERYTHING, TTL)
        assert all(again.epochs[part] > epoch for part, epoch in fence.epochs.items())

    async def test_a_worker_frozen_beyond_its_lease_starts_anew(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        backend.advance(TTL + 1)
        again = await storage.lease("first", EVERYTHING, TTL)
        assert all(again.epochs[part] > epoch for part, epoch in fence.epochs.items())
        (late,) = await storage.commit(fence, [turn(seq)])
        assert late.outcome is Outcome.FENCED

    async def test_a_successor_has_higher_epochs(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        _, successor = await self.succeed(backend, storage)
        assert sorted(successor.epochs) == sorted(fence.epochs)
        assert all(successor.epochs[part] > epoch for part, epoch in fence.epochs.items())

    async def test_a_stale_worker_commits_nothing(self, backend: Backend) -> None:
        storage, stale = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        other, fence = await self.succeed(backend, storage)
        (late,) = await other.commit(stale, [full_turn(seq)])
        assert late.outcome is Outcome.FENCED
        assert late.versions == ()
        assert await other.load([conv("ada")]) == {}
        (done,) = await other.commit(fence, [full_turn(seq)])
        assert done.outcome is Outcome.DONE

    async def test_a_stale_worker_changes_nothing_else(self, backend: Backend) -> None:
        storage, stale = await self.start(backend)
        said, noted = await accepted(storage, "ada", "bob")
        await storage.commit(stale, [full_turn(said)])
        other, fence = await self.succeed(backend, storage)
        assert await other.note(stale, noted, "{}") is Outcome.FENCED
        assert list(await other.sent(stale, [sent(message(said))])) == [Outcome.FENCED]
        assert await other.fire(stale, 100) == ([], None)
        assert list(await other.pending(stale, NOBODY, 100)) == []
        assert list(await other.outgoing(stale, NOWHERE, 100)) == []
        assert len(await other.outgoing(fence, NOWHERE, 100)) == 1

    async def test_a_partition_outside_the_fence_is_fenced(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        epochs = {place: epoch for place, epoch in fence.epochs.items() if place != part("ada")}
        (refused,) = await storage.commit(Fence("first", epochs), [turn(seq)])
        assert refused.outcome is Outcome.FENCED

    async def test_fenced_turns_do_not_hold_back_others(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "bob")
        assert part("ada") != part("bob")
        epochs = {place: epoch for place, epoch in fence.epochs.items() if place != part("ada")}
        turns = [turn(first), turn(second, "bob")]
        answer = await storage.commit(Fence("first", epochs), turns)
        assert [committed.outcome for committed in answer] == [Outcome.FENCED, Outcome.DONE]

    async def test_a_clock_that_goes_back_takes_nothing_away(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        backend.advance(-3_600_000)
        assert await storage.lease("first", EVERYTHING, TTL) == fence
