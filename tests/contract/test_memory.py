"""The contract, kept by the memory storage."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage import MemoryStorage
from storage.testing import Backend, StorageContract
from storage.testing.rows import cause, turn
from tests.contract.backends.memory import MemoryBackend


class TestMemory(StorageContract):
    @pytest.fixture
    async def backend(self) -> AsyncIterator[Backend]:
        backend = MemoryBackend()
        yield backend
        await backend.close()


@pytest.mark.anyio
async def test_causes_are_emptied_when_they_are_done() -> None:
    storage = MemoryStorage()
    await storage.open()
    fence = await storage.lease("first", 64, 15_000)
    (seq,) = await storage.accept([cause("1", body='"the words"')])
    assert seq is not None
    await storage.commit(fence, [turn(seq)])
    assert "the words" not in repr(storage.database)


@pytest.mark.anyio
async def test_another_handle_is_woken_and_the_own_is_not() -> None:
    first = MemoryStorage()
    await first.open()
    second = MemoryStorage(database=first.database)
    await second.open()
    await first.accept([cause("1")])
    await anext(second.wakes())
    await first.close()
    assert [hint async for hint in _all(first, second)] == []


async def _all(closed: MemoryStorage, open_: MemoryStorage) -> AsyncIterator[None]:
    stream = open_.wakes()
    await open_.close()
    async for hint in stream:
        yield hint
