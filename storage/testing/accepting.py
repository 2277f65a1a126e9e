"""Accepting causes: once each, in order, all of a page or none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.errors import BadRow
from storage.testing.backend import Backend, Contract
from storage.testing.rows import cause, pending, turn


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

    @pytest.mark.parametrize("place", [0, 1, 2])
    async def test_a_bad_row_refuses_the_page(self, backend: Backend, place: int) -> None:
        storage, fence = await self.start(backend)
        rows = [cause("1"), cause("2"), cause("3")]
        rows[place] = replace(rows[place], body='"a\0b"')
        with pytest.raises(BadRow) as refusal:
            await storage.accept(rows)
        assert refusal.value.index == place
        assert list(await pending(storage, fence)) == []
