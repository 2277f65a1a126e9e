"""Accepting causes: once each, in order, all of a page or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from flows.errors import BadRow
from flows.ports import InboxRow
from storage.testing.backend import Backend, Contract
from storage.testing.rows import cause, part, pending, turn

Spoil = Callable[[InboxRow], InboxRow]

SPOILS: Mapping[str, Spoil] = {
    "nul": lambda row: replace(row, body='"a\0b"'),
    "nul in a name": lambda row: replace(row, ext="a\0b"),
    "half a character": lambda row: replace(row, body='"\ud800"'),
    "64 bits": lambda row: replace(row, at=1 << 63),
    "no such partition": lambda row: replace(row, part=64),
}


class AcceptContract(Contract):
    """``accept``."""

    async def test_a_page_is_numbered_in_its_order(self, backend: Backend) -> None:
        storage = await backend.open()
        seqs = await storage.accept([cause("1"), cause("2", "bob"), cause("3")])
        assert None not in seqs
        assert list(seqs) == sorted(seq for seq in seqs if seq is not None)

    async def test_later_pages_have_higher_numbers(self, backend: Backend) -> None:
        storage = await backend.open()
        (first,) = await storage.accept([cause("1")])
        (second,) = await storage.accept([cause("2")])
        assert first is not None
        assert second is not None
        assert first < second

    async def test_an_empty_page_is_accepted(self, backend: Backend) -> None:
        storage = await backend.open()
        assert list(await storage.accept([])) == []

    async def test_a_duplicate_in_the_page_is_none(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second, third = await storage.accept([cause("1"), cause("1"), cause("2")])
        assert second is None
        assert [row.seq for row in await pending(storage, fence)] == [first, third]

    async def test_a_duplicate_of_an_earlier_page_is_none(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.accept([cause("1")])
        again, new = await storage.accept([cause("1"), cause("2")])
        assert again is None
        assert new is not None

    async def test_a_duplicate_of_a_done_row_is_none(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await storage.accept([cause("1")])
        assert seq is not None
        await storage.commit(fence, [turn(seq)])
        assert list(await storage.accept([cause("1")])) == [None]
        assert list(await pending(storage, fence)) == []

    async def test_the_same_id_of_another_source_is_another_row(self, backend: Backend) -> None:
        storage = await backend.open()
        seqs = await storage.accept([cause("1"), cause("1", source="contract:other")])
        assert None not in seqs

    async def test_the_same_id_of_another_chat_is_a_duplicate(self, backend: Backend) -> None:
        # A group that has become a supergroup: the update comes again, its chat has a new name.
        storage = await backend.open()
        assert part("ada") != part("bob")
        await storage.accept([cause("1")])
        assert list(await storage.accept([cause("1", "bob")])) == [None]
        assert (await storage.accept([cause("2"), cause("2", "bob")]))[1] is None

    async def test_a_large_page_is_accepted_in_order(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        users = ["ada", "bob", "cyd", "dan"]
        page = [cause(f"{number}", users[number % 4]) for number in range(400)]
        seqs = await storage.accept(page)
        assert seqs == sorted(seq or 0 for seq in seqs)
        rows = await pending(storage, fence, limit=1000)
        assert [(row.seq, row.ext) for row in rows] == [
            (seq, row.ext) for seq, row in zip(seqs, page, strict=True)
        ]

    async def test_a_row_that_is_there_is_not_changed_by_a_duplicate(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await storage.accept([cause("1", body='"first"')])
        assert seq is not None
        await storage.note(fence, seq, '"notes"')
        await storage.accept([cause("1", body='"second"')])
        (row,) = await pending(storage, fence)
        assert (row.body, row.notes, row.tries) == ('"first"', '"notes"', 1)

    async def test_an_id_may_come_again_after_the_sweep(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await storage.accept([cause("1")])
        assert seq is not None
        await storage.commit(fence, [turn(seq)])
        backend.advance(1)
        await storage.sweep(backend.now(), 100)
        (again,) = await storage.accept([cause("1")])
        assert again is not None
        assert again > seq

    async def test_a_row_without_a_conversation_is_handed_out(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await storage.accept([replace(cause("1"), conv=None)])
        (row,) = await pending(storage, fence)
        assert row.conv is None

    @pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS.keys())
    @pytest.mark.parametrize("place", [0, 1, 2])
    async def test_a_bad_row_refuses_the_page(
        self, backend: Backend, place: int, spoil: Spoil
    ) -> None:
        storage, fence = await self.start(backend)
        rows = [cause("1"), cause("2"), cause("3")]
        rows[place] = spoil(rows[place])
        with pytest.raises(BadRow) as refusal:
            await storage.accept(rows)
        assert refusal.value.index == place
        assert list(await pending(storage, fence)) == []
