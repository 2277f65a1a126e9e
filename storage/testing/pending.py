"""What is undone is handed out, oldest first, and to everybody in turn."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from flows.errors import BadRow
from flows.ports import Outcome
from storage.testing.backend import EVERYTHING, TTL, Ability, Backend, Contract
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

    async def test_a_lower_number_that_shows_later_is_found(self, backend: Backend) -> None:
        self.need(backend, Ability.HELD)
        self.need(backend, Ability.LATE)
        storage, fence = await self.start(backend)
        other = await backend.open()
        async with backend.hold(other) as arrived:
            accepting = asyncio.ensure_future(other.accept([cause("slow", "bob")]))
            await arrived.wait()
            (quick,) = await accepted(storage, "ada")
            assert [row.seq for row in await pending(storage, fence)] == [quick]
        (slow,) = await accepting
        assert slow is not None
        assert slow < quick
        assert [row.seq for row in await storage.pending(fence, {quick}, 100)] == [slow]

    async def test_rows_behind_skipped_ones_keep_their_order(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        seqs = await accepted(storage, "ada", "bob", "ada", "bob", "ada", "cyd")
        found = await storage.pending(fence, {seqs[0], seqs[3]}, 100)
        assert [row.seq for row in found] == [seqs[1], seqs[2], seqs[4], seqs[5]]

    async def test_a_row_never_overtakes_one_of_its_conversation(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        users = ["ada", "ada", "bob", "ada", "cyd", "bob", "ada"]
        seqs = await accepted(storage, *users)
        skip: set[int] = set()
        handed: list[int] = []
        for _ in range(4):
            handed += [row.seq for row in await storage.pending(fence, skip, 2)]
            skip.update(handed)
        assert sorted(handed) == seqs
        for user in set(users):
            own = [seq for seq, name in zip(seqs, users, strict=True) if name == user]
            assert [seq for seq in handed if seq in own] == own

    async def test_rows_of_no_conversation_do_not_count_as_one(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        page = [replace(cause(f"{number}"), conv=None) for number in range(3)]
        seqs = await storage.accept(page)
        flood = await accepted(storage, *["ada"] * 5)
        found = [row.seq for row in await pending(storage, fence, limit=4)]
        assert found == [*seqs, flood[0]]

    async def test_tries_count_for_whoever_takes_over_after_a_kill(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await accepted(storage, "ada")
        for tries in range(1, 4):
            assert [row.tries for row in await pending(storage, fence)] == [tries]
            await backend.crash(storage)
            backend.advance(TTL + 1)
            storage = await backend.open()
            fence = await storage.lease(f"worker{tries}", EVERYTHING, TTL)

    async def test_notes_that_cannot_be_stored_are_refused(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.note(fence, seq, '"kept"')
        for notes in ('"a\0b"', "9" * (backend.limits.body_bytes + 1)):
            with pytest.raises(BadRow):
                await storage.note(fence, seq, notes)
        assert [row.notes for row in await pending(storage, fence)] == ['"kept"']
