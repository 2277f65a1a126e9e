"""Memory under the contract: handles that share one database, as workers would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from flows.ports import Committed, Fence, FlowStorage, Limits, TurnCommit
from storage import MemoryStorage
from storage.memory import MemoryDatabase
from storage.testing import Ability, ManualClock


class MemoryBackend:
    """One database in memory."""

    abilities = frozenset({Ability.SHARED, Ability.DAMAGE, Ability.TRACES, Ability.HELD})

    def __init__(self) -> None:
        self._clock = ManualClock()
        self._database = MemoryDatabase(self._clock)
        self._handles: list[HeldMemory] = []
        self._limits: Limits | None = None

    @property
    def limits(self) -> Limits:
        assert self._limits is not None
        return self._limits

    async def open(self) -> FlowStorage:
        storage = HeldMemory(self._database)
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

    def hold(self, storage: FlowStorage) -> AbstractAsyncContextManager[asyncio.Event]:
        (handle,) = (handle for handle in self._handles if handle is storage)
        return handle.hold()

    async def cut(self, storage: FlowStorage) -> None:
        raise NotImplementedError("memory has no connections")

    async def close(self) -> None:
        for storage in self._handles:
            await storage.close()


class HeldMemory(MemoryStorage):
    """Memory whose commits can be on their way for a while, as to a server."""

    def __init__(self, database: MemoryDatabase) -> None:
        super().__init__(database=database)
        self._arrived: asyncio.Event | None = None
        self._passing = asyncio.Event()
        self._passing.set()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[asyncio.Event]:
        self._arrived = asyncio.Event()
        self._passing.clear()
        yield self._arrived
        self._arrived = None
        self._passing.set()

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        if self._arrived is not None:
            self._arrived.set()
            await self._passing.wait()
        return await super().commit(fence, turns)
