"""Connections for what may take long, off the event loop: for SQLite in the thread of aiosqlite.

Each is closed after use: an open reader would keep the write-ahead log from being emptied.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from flows.errors import StorageDown
from storage.sql.connect import READING, SETTING
from storage.sql.failures import busy, failure, is_busy

Answer = TypeVar("Answer")

ColdWork = Callable[[AsyncConnection], Awaitable[Answer]]
"""What happens in one transaction. It may be run again from its beginning."""


class Cold(Protocol):
    """Transactions for what operators do, and for what is done now and then.

    Attributes:
        concurrent: whether turns are committed while one of these transactions writes.
    """

    concurrent: bool

    async def write(self, work: ColdWork[Answer]) -> Answer:
        """Runs ``work`` in a transaction and commits it."""
        ...

    async def read(self, work: ColdWork[Answer]) -> Answer:
        """Runs ``work`` in a transaction that only reads."""
        ...

    async def clean(self, tables: Collection[Table]) -> None:
        """Removes what rows that were deleted have left behind, as far as it can."""
        ...

    async def close(self) -> None:
        """Lets go of the connections."""
        ...


async def whole(work: Coroutine[object, object, Answer]) -> Answer:
    """Awaits ``work`` to its end, even if the caller is cancelled: a connection that is being
    opened in its thread would stay open for ever.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    finally:
        if not task.done():
            await asyncio.wait((task,))
            if not task.cancelled():
                task.exception()  # nobody waits for it any more


class ColdConnections:
    """Transactions on connections of their own, which wait for the lock if they must."""

    concurrent = False

    def __init__(self, engine: AsyncEngine, path: Path, *, patience: float) -> None:
        self._engine = engine
        self._path = path
        self._patience = patience

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end."""
        async with self._transaction({}) as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that takes no writer's lock."""
        async with self._transaction(READING) as connection:
            yield connection

    async def write(self, work: ColdWork[Answer]) -> Answer:
        """Runs ``work`` in a transaction and commits it."""
        async with self.writing() as connection:
            return await work(connection)

    async def read(self, work: ColdWork[Answer]) -> Answer:
        """Runs ``work`` in a transaction that only reads."""
        async with self.reading() as connection:
            return await work(connection)

    async def close(self) -> None:
        """Lets the engine go, which keeps no connection."""
        await self._engine.dispose()

    async def clean(self, tables: Collection[Table]) -> None:
        """Copies the write-ahead log into the file and truncates it. The connections overwrite
        what they delete, so the file is clean; the log still has the pages as they were before.

        Raises StorageDown when somebody reads from it all the while.
        """
        async with self._transaction(SETTING) as connection:
            result = await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            in_use = result.scalar_one()
        if in_use:
            raise StorageDown(
                f"what was erased is gone from the database {self._path}, but its log file still "
                "holds it, because another program reads from the database. End that program "
                "and erase again."
            )

    @asynccontextmanager
    async def _transaction(self, options: Mapping[str, str]) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.execution_options(**options).begin() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            if is_busy(error):
                raise busy(self._path, self._patience) from error
            raise failure(self._path, error) from error
