"""Connections for what may take long: in the thread of aiosqlite, off the event loop.

Each is closed after use: an open reader would keep the write-ahead log from being emptied.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from flows.errors import StorageDown
from storage.sql.connect import READING, SETTING
from storage.sql.failures import busy, failure, is_busy

Answer = TypeVar("Answer")


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

    async def empty_log(self) -> None:
        """Copies the write-ahead log into the file and truncates it.

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
