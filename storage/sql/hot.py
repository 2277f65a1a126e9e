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

from flows.errors import OutcomeUnknown, StorageDown, StorageError
from storage.sql.dialects import Work
from storage.sql.failures import DATA_ERRORS, busy, commit_failure, driver_error, failure, is_busy
from storage.sql.riders import Riders, Stop, together

Answer = TypeVar("Answer")

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
        self._stop = Stop(self._depart)

    async def write(self, work: Work[Answer], *, marks: int = 0) -> Answer:
        """Runs ``work`` in a transaction and commits it. What the data caused is raised as is.

        Marks wait for the next other write, and ride along in its transaction.
        """
        if marks and self._stop.has_seats(marks):
            return await self._stop.wait(work, marks)
        riders = self._stop.board()
        if riders:
            return await self._together(riders, work, marks)
        return await self._alone(work, marks)

    async def _alone(self, work: Work[Answer], marks: int) -> Answer:
        if marks and self._synchronous != "NORMAL" and self._marks + marks <= MARKS:
            self._marks += marks
            return await self._run(self._unsynced, work)
        answer = await self._run(self._transaction, work)
        self._marks = 0
        return answer

    async def _together(self, riders: Riders, work: Work[Answer], marks: int) -> Answer:
        """``work`` and those that ride along, in one transaction; where something in it cannot be
        stored, each in one of its own.
        """
        marks = marks and marks + sum(rider.marks for rider in riders)
        try:
            answers, answer = await self._alone(together(riders, work), marks)
        except (StorageError, asyncio.CancelledError) as error:
            for rider in riders:
                rider.fail(_lost(self._path, error))
            raise
        except Exception:  # nothing is written; whoever it was is told so below
            await self._one_by_one(riders)
            return await self._alone(work, marks)
        for rider, its_answer in zip(riders, answers, strict=True):
            rider.arrive(its_answer)
        return answer

    async def _one_by_one(self, riders: Riders) -> None:
        for rider in riders:
            try:
                rider.arrive(await self._alone(rider.work, rider.marks))
            except asyncio.CancelledError as error:
                rider.fail(_lost(self._path, error))
                raise
            except Exception as error:  # it is whose write it was that is told
                rider.fail(error)

    async def _depart(self) -> None:
        await self._one_by_one(self._stop.board())

    async def read(self, work: Work[Answer]) -> Answer:
        """Runs ``work``, which only reads, outside a transaction."""
        return await self._run(self._statements, work)

    async def close(self) -> None:
        """Waits for what is under way, and lets the connection go."""
        await self._depart()
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


def _lost(path: Path, error: BaseException) -> StorageError:
    """What those are told who rode along with a write that ended like this."""
    if isinstance(error, StorageError):
        return error
    return OutcomeUnknown(
        f"a write in the database {path} was given up before it was answered. Read again before "
        "anything is repeated."
    )


def not_open() -> StorageDown:
    """The answer to calls before ``open`` and after ``close``."""
    return StorageDown("the storage is not open. Await open() before anything else.")
