"""Redis under the contract: handles on the same keys, as workers have them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager, closing

from flows.ports import FlowStorage, Limits
from storage.redis import RedisStorage
from storage.redis.scripts import scripts_of, source_of
from storage.testing import Ability, ManualClock
from storage.testing.wire import Wire
from tests.redis_server import RedisDatabase


class RedisBackend:
    """Keys of one prefix; each handle is connected by a wire of its own."""

    # Not LATE: a script is seen as a whole, so no row has a number that nobody sees yet.
    abilities = frozenset(Ability) - {Ability.LATE}

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database
        self._clock = ManualClock()
        self._handles: list[tuple[RedisStorage, Wire]] = []
        self._limits: Limits | None = None
        # A server that has it does not answer first that it has not.
        with closing(database.client()) as client:
            client.script_load(source_of("commit"))

    @property
    def limits(self) -> Limits:
        assert self._limits is not None
        return self._limits

    async def open(self) -> FlowStorage:
        commit = scripts_of(self._database.prefix)["commit"].known[1]
        wire = Wire(host=self._database.host, port=self._database.port, commit=commit)
        storage = RedisStorage(self._database.at(await wire.open()), clock=self._clock)
        self._handles.append((storage, wire))
        self._limits = await storage.open()
        return storage

    async def crash(self, storage: FlowStorage) -> None:
        # The server sees of a killed process only that its connections end.
        await storage.close()

    def now(self) -> int:
        return self._clock()

    def advance(self, milliseconds: int) -> None:
        self._clock.advance(milliseconds)

    async def damage(self, key: str) -> None:
        with closing(self._database.client()) as client:
            whole = client.hget(self._database.key("scopes"), key)
            assert isinstance(whole, bytes)
            head, _, _ = whole.rpartition(b"\0")
            client.hset(self._database.key("scopes"), key, head + b'\0{"\xff')

    async def traces(self, text: str) -> Collection[str]:
        return self._database.traces(text)

    def lose_answer(self, storage: FlowStorage, *, applied: bool) -> None:
        self._wire(storage).lose_answer(applied=applied)

    def hold(self, storage: FlowStorage) -> AbstractAsyncContextManager[asyncio.Event]:
        return self._wire(storage).hold()

    async def cut(self, storage: FlowStorage) -> None:
        self._wire(storage).cut()

    async def close(self) -> None:
        for storage, wire in self._handles:
            await storage.close()
            await wire.close()

    def _wire(self, storage: FlowStorage) -> Wire:
        (wire,) = (wire for handle, wire in self._handles if handle is storage)
        return wire
