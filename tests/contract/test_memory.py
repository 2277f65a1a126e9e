"""The contract, kept by the memory storage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import replace

import pytest

from flows.ports import FlowStorage, Limits
from storage import MemoryStorage
from storage.memory import MemoryDatabase
from storage.testing import Ability, Backend, ManualClock, StorageContract
from storage.testing.rows import cause, turn


class MemoryBackend:
    """Handles that share one database, as workers would."""

    abilities = frozenset({Ability.SHARED, Ability.DAMAGE, Ability.TRACES})

    def __init__(self) -> None:
        self._clock = ManualClock()
        self._database = MemoryDatabase(self._clock)
        self._handles: list[MemoryStorage] = []
        self._limits: Limits | None = None

    @property
    def limits(self) -> Limits:
        assert self._limits is not None
        return self._limits

    async def open(self) -> FlowStorage:
        storage = MemoryStorage(database=self._database)
        self._limits = await storage.open()
        self._handles.append(storage)
        return storage

    async def crash(self, storage: FlowStorage) -> None:
        await storage.close()

    def now(self) -> int:
        return self._clock()

    def advance(self, milliseconds: int) -> None:
        self._clock.advance(milliseconds)

    async def damage(self, key: str) -> None:
        scope = self._database.scopes[key]
        scope.snapshot = replace(scope.snapshot, state='{"half')

    async def traces(self, text: str) -> Collection[str]:
        return [repr(self._database)] if text in repr(self._database) else []

    def lose_answer(self, storage: FlowStorage, *, applied: bool) -> None:
        raise NotImplementedError("memory gives its answer at once")

    async def close(self) -> None:
        for storage in self._handles:
            await storage.close()


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
