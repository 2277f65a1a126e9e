"""Hints that may be lost or invented, handles that open and close, connections that are cut."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Fence, FlowStorage, Outcome
from storage.testing.backend import EVERYTHING, TTL, Ability, Backend, Contract
from storage.testing.rows import accepted, cause, conv, full_turn, pending, turn

LONGEST = 10
"""Seconds after which a test gives up on a hint that must come."""


class WakeContract(Contract):
    """``wakes``, ``open``, ``close``, and what ends connections."""

    async def test_wakes_end_when_the_handle_closes(self, backend: Backend) -> None:
        storage = await backend.open()
        listening = [asyncio.ensure_future(_listen(storage)) for _ in range(2)]
        await asyncio.sleep(0)
        await storage.close()
        await asyncio.wait_for(asyncio.gather(*listening), LONGEST)

    async def test_work_is_found_without_a_wake(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        other = await backend.open()
        (seq,) = await accepted(other, "ada")
        assert [row.seq for row in await pending(storage, fence)] == [seq]

    async def test_work_is_found_by_who_listens_too_late(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(await backend.open(), "ada")
        listening = asyncio.ensure_future(_listen(storage))
        await asyncio.sleep(0)
        assert [row.seq for row in await pending(storage, fence)] == [seq]
        await storage.close()
        await asyncio.wait_for(listening, LONGEST)

    async def test_a_wake_for_nothing_finds_nothing(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await accepted(await backend.open(), "ada")
        (row,) = await pending(storage, fence)
        await storage.commit(fence, [turn(row.seq)])
        # The hint of the row that is done by now may still come: so may any number of them.
        for _ in range(3):
            assert list(await pending(storage, fence)) == []
            assert await storage.fire(fence, 100) == ([], None)

    async def test_listening_holds_nobody_up(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        listening = asyncio.ensure_future(_listen(storage))
        await asyncio.sleep(0)
        for _ in range(3):
            (seq,) = await accepted(storage, "ada")
            (done,) = await storage.commit(fence, [turn(seq, state=None)])
            assert done.outcome is Outcome.DONE
        await storage.close()
        await asyncio.wait_for(listening, LONGEST)

    async def test_who_stops_listening_may_begin_again(self, backend: Backend) -> None:
        storage = await backend.open()
        for _ in range(3):
            listening = asyncio.ensure_future(_listen(storage))
            await asyncio.sleep(0)
            listening.cancel()
            await asyncio.wait([listening])
        again = asyncio.ensure_future(_listen(storage))
        await asyncio.sleep(0)
        await storage.close()
        await asyncio.wait_for(again, LONGEST)

    async def test_calls_on_a_closed_handle_say_so(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await storage.close()
        for call in (
            storage.load([conv("ada")]),
            storage.accept([cause("1")]),
            storage.commit(fence, [turn(1)]),
            storage.pending(fence, (), 1),
            storage.lease("first", EVERYTHING, TTL),
            storage.erase("contract/ada"),
        ):
            with pytest.raises(StorageDown):
                await call

    async def test_close_may_be_called_twice(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.close()
        await storage.close()

    async def test_a_closed_handle_opens_again(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.accept([cause("1")])
        await storage.close()
        await storage.open()
        assert list(await storage.accept([cause("1")])) == [None]

    async def test_a_worker_that_leaves_in_order_leaves_nothing_behind(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.commit(fence, [full_turn(seq)])
        await storage.release("first")
        await storage.close()
        # Without waiting for the lease to end.
        other = await backend.open()
        successor = await other.lease("second", EVERYTHING, TTL)
        assert len(successor.epochs) == EVERYTHING
        assert len(await other.outgoing(successor, (), 100)) == 1

    async def test_calls_after_a_cut_go_on(self, backend: Backend) -> None:
        self.need(backend, Ability.CUTS)
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await backend.cut(storage)
        assert await _goes_on(storage, fence) == [seq]
        (done,) = await storage.commit(fence, [full_turn(seq)])
        assert done.outcome is Outcome.DONE

    async def test_each_call_goes_on_after_a_cut(self, backend: Backend) -> None:
        self.need(backend, Ability.CUTS)
        storage, fence = await self.start(backend)
        for number in range(3):
            page = [cause(f"{number}")]
            await backend.cut(storage)
            # Which of the two was the first, nobody knows where the answer was cut.
            with suppress(StorageDown, OutcomeUnknown):
                await storage.accept(page)
            await storage.accept(page)
            assert list(await storage.accept(page)) == [None]
            await backend.cut(storage)
            with suppress(StorageDown, OutcomeUnknown):
                await storage.lease("first", EVERYTHING, TTL)
            assert await storage.lease("first", EVERYTHING, TTL) == fence
        assert [row.ext for row in await pending(storage, fence)] == ["0", "1", "2"]

    async def test_wakes_outlive_a_cut_or_say_that_they_end(self, backend: Backend) -> None:
        self.need(backend, Ability.CUTS)
        storage = await backend.open()
        listening = asyncio.ensure_future(_listen(storage))
        await asyncio.sleep(0)
        await backend.cut(storage)
        with suppress(StorageDown, OutcomeUnknown):
            await storage.accept([cause("1")])
        await storage.close()
        await asyncio.wait_for(listening, LONGEST)

    async def test_a_handle_closes_after_a_cut(self, backend: Backend) -> None:
        self.need(backend, Ability.CUTS)
        storage = await backend.open()
        await backend.cut(storage)
        await storage.close()


async def _goes_on(storage: FlowStorage, fence: Fence) -> list[int]:
    """What is undone: by this call, or after one StorageDown by the next."""
    with suppress(StorageDown):
        return [row.seq for row in await pending(storage, fence)]
    return [row.seq for row in await pending(storage, fence)]


async def _listen(storage: FlowStorage) -> None:
    with suppress(StorageDown):
        async for _ in storage.wakes():
            pass
