"""SQL databases on servers under the contract: handles on one of them, as workers would be."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from flows.ports import FlowStorage, Limits
from storage import SqlStorage
from storage.sql.location import Server, locate
from storage.sql.tables import conversations, metadata
from storage.testing import Ability, ManualClock
from storage.testing.wire import Wire
from tests.servers import execute_on

COMMITS = {"postgresql": b"COMMIT;", "mysql": b"\x03COMMIT"}
"""How a commit looks on its way to each kind of server."""

EMPTIED = [
    table.name for table in metadata.sorted_tables if table.name not in ("meta", "partitions")
]
SEQUENCES = ("inbox_seq_seq", "outbox_seq_seq", "dead_letters_id_seq")


class ServerBackend:
    """One database, migrated and empty; each handle is connected by a wire of its own."""

    abilities = frozenset(Ability)

    def __init__(self, url: str) -> None:
        place = locate(url)
        assert isinstance(place, Server)
        if place.url.host is None or place.url.port is None:
            pytest.skip("this server is reached by a file, and not over a wire")
        self._host, self._port = place.url.host, place.url.port
        self._place = place
        self._clock = ManualClock()
        self._handles: list[tuple[SqlStorage, Wire]] = []
        self._limits: Limits | None = None

    @property
    def limits(self) -> Limits:
        assert self._limits is not None
        return self._limits

    async def open(self) -> FlowStorage:
        wire = Wire(host=self._host, port=self._port, commit=COMMITS[self._place.kind])
        there = self._place.url.set(host="127.0.0.1", port=await wire.open())
        storage = SqlStorage(there.render_as_string(hide_password=False), clock=self._clock)
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
        engine = create_async_engine(self._place.url, poolclass=NullPool)
        async with engine.begin() as connection:
            here = conversations.c.key == key
            await connection.execute(update(conversations).where(here).values(state='{"half'))

    async def traces(self, text: str) -> Collection[str]:
        """In the tables: what a server's files hold is not for us to read."""
        engine = create_async_engine(self._place.url, poolclass=NullPool)
        found = []
        async with engine.connect() as connection:
            for table in metadata.sorted_tables:
                rows = (await connection.execute(select(table))).all()
                if any(text in str(value) for row in rows for value in row):
                    found.append(table.name)
        return found

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


async def empty(url: str) -> None:
    """Empties all tables."""
    place = locate(url)
    assert isinstance(place, Server)
    deleting = [f"DELETE FROM {name}" for name in EMPTIED]  # noqa: S608
    free = "UPDATE partitions SET owner = NULL, epoch = 0, until = 0 WHERE epoch > 0"
    if place.kind == "postgresql":
        # Far quicker than TRUNCATE, which makes new files and waits for the disk.
        restart = [f"PERFORM setval('{name}', 1, false)" for name in SEQUENCES]
        await execute_on(place.url, f"DO $$ BEGIN {'; '.join([*deleting, *restart, free])}; END $$")
        return
    # Numbers go on: a name that was just deleted keeps its place locked for whoever reuses it.
    await execute_on(place.url, *deleting, free)
