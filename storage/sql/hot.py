"""Units of work on one connection: on the event loop, and in a thread when the file is busy.

A hop to a thread and back costs more than the work itself, so the work is done inline: a
local file answers in microseconds. Only where another program holds the lock does the same
unit of work move to a thread and wait there; until it is back, nobody else may enter the
connection.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from flows.errors import StorageDown
from storage.sql.failures import DATA_ERRORS, busy, commit_failure, driver_error, failure, is_busy

Answer = TypeVar("Answer")
Work = Callable[[sqlite3.Cursor], Answer]


MARKS = 32
"""Marks of sent messages that a power cut may take: as many as a killed process can leave."""


class HotConnection:
    """One connection for ``accept``, ``commit`` and whatever else every turn needs.

    Args:
        synchronous: SQLite's setting, for all but marks of sent messages. Those reach the disk
            with the next commit of anything else, or when there are ``MARKS`` of them: what a
            power cut takes of them is sent again, and to wait for the disk once more for each
            answer would cost a third of a turn.
    """

    def __init__(self, engine: Engine, path: Path, *, patience: float, synchronous: str) -> None:
        self._path = path
        self._patience = patience
        self._synchronous = synchronous
        self._marks = 0
        self._connection: Connection = engine.connect()
        self._driver = cast(sqlite3.Connection, self._connection.connection.dbapi_connection)
        self._cursor = self._driver.cursor()
        self._cursor.execute("PRAGMA busy_timeout = 0")
        self._lock = asyncio.Lock()

    async def write(self, work: Work[Answer], *, marks: int = 0) -> Answer:
        """Runs ``work`` in a transaction and commits it. What the data caused is raised as is."""
        if marks and self._synchronous != "NORMAL" and self._marks + marks <= MARKS:
            self._marks += marks
            return await self._run(self._unsynced, work)
        answer = await self._run(self._transaction, work)
        self._marks = 0
        return answer

    async def read(self, work: Work[Answer]) -> Answer:
        """Runs ``work``, which only reads, outside a transaction."""
        return await self._run(self._statements, work)

    async def close(self) -> None:
        """Waits for what is under way, and lets the connection go."""
        async with self._lock:
            self._cursor.close()
            self._connection.close()

    async def _run(self, unit: Callable[[Work[Answer]], Answer], work: Work[Answer]) -> Answer:
        # The lock is free unless somebody waits in a thread, and the work below awaits
        # nothing: so it is not taken.
        if not self._lock.locked():
            try:
                return unit(work)
            except (sqlite3.Error, DBAPIError) as error:
                if not is_busy(error):
                    raise self._translated(error) from error
        # A cancelled caller leaves; the thread does not, and must keep the lock.
        return await asyncio.shield(asyncio.ensure_future(self._wait(unit, work)))

    async def _wait(self, unit: Callable[[Work[Answer]], Answer], work: Work[Answer]) -> Answer:
        async with self._lock:
            try:
                return await asyncio.to_thread(self._patiently, unit, work)
            except (sqlite3.Error, DBAPIError) as error:
                if is_busy(error):
                    raise busy(self._path, self._patience) from error
                raise self._translated(error) from error

    def _patiently(self, unit: Callable[[Work[Answer]], Answer], work: Work[Answer]) -> Answer:
        self._cursor.execute(f"PRAGMA busy_timeout = {int(self._patience * 1000)}")
        try:
            return unit(work)
        finally:
            self._cursor.execute("PRAGMA busy_timeout = 0")

    def _statements(self, work: Work[Answer]) -> Answer:
        return work(self._cursor)

    def _unsynced(self, work: Work[Answer]) -> Answer:
        self._cursor.execute("PRAGMA synchronous = NORMAL")
        try:
            return self._transaction(work)
        finally:
            self._cursor.execute(f"PRAGMA synchronous = {self._synchronous}")

    def _transaction(self, work: Work[Answer]) -> Answer:
        # Statements of our own: SQLAlchemy's transaction costs as much as a row does.
        self._cursor.execute("BEGIN IMMEDIATE")
        try:
            answer = work(self._cursor)
        except BaseException:
            self._driver.rollback()
            raise
        try:
            self._cursor.execute("COMMIT")
        except sqlite3.Error as error:
            self._driver.rollback()
            if is_busy(error):
                raise
            raise commit_failure(self._path, error) from error
        return answer

    def _translated(self, error: BaseException) -> BaseException:
        reason = driver_error(error)
        return reason if isinstance(reason, DATA_ERRORS) else failure(self._path, error)


def not_open() -> StorageDown:
    """The answer to calls before ``open`` and after ``close``."""
    return StorageDown("the storage is not open. Await open() before anything else.")
