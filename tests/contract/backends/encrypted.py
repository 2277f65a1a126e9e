"""Another backend under the contract, with everything that people say encrypted in it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager

from flows.ports import FlowStorage, Limits
from storage import EncryptedStorage, Keyring
from storage.crypto.keys import new_key
from storage.testing import Ability
from tests.contract.backends.memory import MemoryBackend
from tests.contract.backends.sqlite import SqliteBackend


class EncryptedBackend:
    """Handles that encrypt, around those of the other one."""

    def __init__(self, inner: MemoryBackend | SqliteBackend) -> None:
        self._inner = inner
        self._keys = Keyring.parse(new_key())
        self._within: dict[FlowStorage, FlowStorage] = {}
        self._limits: Limits | None = None

    @property
    def abilities(self) -> Collection[Ability]:
        return self._inner.abilities

    @property
    def limits(self) -> Limits:
        assert self._limits is not None
        return self._limits

    async def open(self) -> FlowStorage:
        inner = await self._inner.open()
        storage = EncryptedStorage(inner, self._keys)
        self._within[storage] = inner
        self._limits = await storage.open()
        return storage

    async def crash(self, storage: FlowStorage) -> None:
        await self._inner.crash(self._within[storage])

    def now(self) -> int:
        return self._inner.now()

    def advance(self, milliseconds: int) -> None:
        self._inner.advance(milliseconds)

    async def damage(self, key: str) -> None:
        await self._inner.damage(key)

    async def traces(self, text: str) -> Collection[str]:
        return await self._inner.traces(text)

    def lose_answer(self, storage: FlowStorage, *, applied: bool) -> None:
        self._inner.lose_answer(self._within[storage], applied=applied)

    def hold(self, storage: FlowStorage) -> AbstractAsyncContextManager[asyncio.Event]:
        return self._inner.hold(self._within[storage])

    async def cut(self, storage: FlowStorage) -> None:
        await self._inner.cut(self._within[storage])

    async def close(self) -> None:
        await self._inner.close()
