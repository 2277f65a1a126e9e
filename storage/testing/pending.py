"""What is undone is handed out, oldest first, and to everybody in turn."""

from __future__ import annotations

from flows.ports import Outcome
from storage.testing.backend import Backend, Contract
from storage.testing.rows import NOBODY, accepted, cause, conv, part, pending, person, turn


class PendingContract(Contract):
    """``pending`` and ``note``."""

    async def test_undone_rows_come_ascending_and_whole(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        seqs = await storage.accept([cause("1", body='"one"'), cause("2", "bob")])
        rows = await pending(storage, fence)
        assert [row.seq for row in rows] == list(seqs)
        first = rows[0]
        assert (first.source, first.ext, first.part) == ("contract:bot", "1", part("ada"))
        assert (first.conv, first.kind, first.body) == (conv("ada"), "text", '"one"')
        assert (first.notes, first.at) == (None, 1)

    async def test_done_rows_are_not_handed_out(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        done, undone = await accepted(storage, "ada", "bob")
        await storage.commit(fence, [turn(done)])
        assert [row.seq for row in await pending(storage, fence)] == [undone]

    async def test_tries_rise_each_time_and_survive_a_crash(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await accepted(storage, "ada")
        assert [row.tries for row in await pending(storage, fence)] == [1]
        assert [row.tries for row in await pending(storage, fence)] == [2]
        other, successor = await self.succeed(backend, storage)
        assert [row.tries for row in await pending(other, successor)] == [3]

    async def test_an_older_row_is_found_behind_a_skipped_one(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        older, newer = await accepted(storage, "ada", "bob")
        found = await storage.pending(fence, {newer}, 100)
        assert [row.seq for row in found] == [older]

    async def test_skipped_rows_do_not_fill_the_page(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        seqs = await accepted(storage, *["ada"] * 10)
        found = await storage.pending(fence, set(seqs[:8]), 2)
        assert [row.seq for row in found] == seqs[8:]

    async def test_skipped_rows_count_no_try(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        assert list(await storage.pending(fence, {seq}, 100)) == []
        assert [row.tries for row in await pending(storage, fence)] == [1]

    async def test_a_page_begins_with_the_oldest_of_a_conversation(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        seqs = await accepted(storage, *["ada"] * 5)
        assert [row.seq for row in await pending(storage, fence, limit=3)] == seqs[:3]

    async def test_a_flood_leaves_room_for_others(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        flood = await accepted(storage, *["ada"] * 100)
        (quiet,) = await accepted(storage, "bob")
        page = [row.seq for row in await pending(storage, fence, limit=4)]
        assert quiet in page
        assert page[:-1] == flood[:3]

    async def test_only_partitions_of_the_fence_are_handed_out(self, backend: Backend) -> None:
        storage, _ = await self.start(backend)
        await accepted(storage, "ada")
        fence = await storage.lease("first", 1, 15_000)
        expected = [conv("ada")] if part("ada") in fence.epochs else []
        assert [row.conv for row in await pending(storage, fence)] == expected

    async def test_notes_are_replaced_and_handed_out(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        assert await storage.note(fence, seq, '"one"') is Outcome.DONE
        assert await storage.note(fence, seq, '"two"') is Outcome.DONE
        (row,) = await storage.pending(fence, NOBODY, 100)
        assert row.notes == '"two"'

    async def test_notes_survive_a_crash(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.note(fence, seq, '"paid"')
        other, successor = await self.succeed(backend, storage)
        (row,) = await pending(other, successor)
        assert row.notes == '"paid"'

    async def test_notes_on_a_done_row_are_gone(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.commit(fence, [turn(seq)])
        assert await storage.note(fence, seq, "{}") is Outcome.GONE

    async def test_notes_on_an_erased_row_are_gone(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.erase(person("ada"))
        assert await storage.note(fence, seq, "{}") is Outcome.GONE
