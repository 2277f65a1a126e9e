"""Units of work on the pooled connections of a server, several at once.

The drivers await; the tables do not. SQLAlchemy's greenlets join the two: a unit of work runs
as if its cursor blocked, and the event loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from flows.errors import StorageDown
from storage.sql.cold import whole
from storage.sql.dialects import Cursor, Race, Work
from storage.sql.servers.failures import Again, Failures

Answer = TypeVar("Answer")

MakeCursor = Callable[[Any], Cursor]
"""Makes a driver's cursor one of ours."""

TRIES = 8
"""How often a unit of work is run that runs into others."""

PAUSE = 0.005
"""Seconds before the second try, at most; each further pause may be twice as long."""


MOST_DEAD = 16
"""How many dead connections are thrown away for one call: more than a pool has."""


class _Dead(Exception):
    """The connection was lost before the commit."""


class ServerCursor:
    """A driver's cursor, with its errors understood."""

    def __init__(self, cursor: Any, failures: Failures) -> None:
        self._cursor = cursor
        self._failures = failures

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        return int(self._cursor.rowcount)

    @property
    def lastrowid(self) -> int | None:
        """The number that the last insert gave, where the driver tells."""
        number: int | None = self._cursor.lastrowid
        return number

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Runs a statement and answers the cursor itself."""
        try:
            self._cursor.execute(statement, parameters)
        except Exception as error:
            raise self._failures.translated(error) from error
        return self

    def executemany(self, statement: str, parameters: Sequence[Sequence[Any]], /) -> object:
        """Runs a statement for each tuple."""
        try:
            self._cursor.executemany(statement, parameters)
        except Exception as error:
            raise self._failures.translated(error) from error
        return self

    def fetchall(self) -> list[Any]:
        """The rows that the last statement answered."""
        return list(self._cursor.fetchall())


class ServerConnections:
    """Transactions for ``accept``, ``commit`` and whatever else every turn needs.

    Args:
        writing: where transactions come from.
        reading: where single statements go.
        cursor: makes a driver's cursor one of ours.
        patience: seconds after which a unit of work that runs into others is given up.
    """

    def __init__(
        self,
        writing: AsyncEngine,
        reading: AsyncEngine,
        failures: Failures,
        cursor: type[ServerCursor],
        *,
        patience: float,
    ) -> None:
        self._engine = writing
        # A statement alone is a transaction: no BEGIN and no COMMIT travel.
        self._reading = reading
        self._cursor = cursor
        self._failures = failures
        self._patience = patience

    @property
    def engine(self) -> AsyncEngine:
        """Where the connections come from."""
        return self._engine

    async def write(self, work: Work[Answer], *, marks: int = 0) -> Answer:
        """Runs ``work`` in a transaction and commits it, again where it ran into others.

        Raises:
            Refused: a row cannot be stored.
        """
        return await whole(self._patiently(work))

    async def read(self, work: Work[Answer]) -> Answer:
        """Runs ``work``, which only reads, each statement for itself."""
        return await whole(self._anew(self._reading, work, _statements))

    async def close(self) -> None:
        """Lets the connections go."""
        await self._engine.dispose()
        await self._reading.dispose()

    async def _patiently(self, work: Work[Answer]) -> Answer:
        answer: Answer = await patiently(
            lambda: self._anew(self._engine, work, _transaction), self._failures, self._patience
        )
        return answer

    async def _anew(self, engine: AsyncEngine, work: Work[Answer], unit: Any) -> Answer:
        """Again where a connection of the pool turns out to be dead, as all of them are after a
        restart of the server: nothing was written on it. Each that is found so is thrown away,
        until there is one that lives or none can be made.
        """
        end = monotonic() + self._patience
        for attempt in range(MOST_DEAD):
            try:
                return await self._once(engine, work, unit)
            except _Dead as dead:
                if attempt == MOST_DEAD - 1 or monotonic() >= end:
                    raise StorageDown(str(dead)) from dead.__cause__
        raise AssertionError("unreachable")

    async def _once(self, engine: AsyncEngine, work: Work[Answer], unit: Any) -> Answer:
        try:
            connection = await engine.connect()
        except Exception as error:
            raise self._failures.translated(error) from error
        try:
            answer: Answer = await connection.run_sync(
                unit, work, partial(self._cursor, failures=self._failures), self._failures
            )
        except StorageDown as error:
            if not self._failures.is_lost(error.__cause__ or error):
                raise
            await connection.invalidate()
            raise _Dead(str(error)) from error.__cause__
        finally:
            await connection.close()
        return answer


def _statements(
    connection: Connection, work: Work[Answer], cursor: MakeCursor, _failures: Failures
) -> Answer:
    return work(cursor(connection.connection.cursor()))


def _transaction(
    connection: Connection, work: Work[Answer], cursor: MakeCursor, failures: Failures
) -> Answer:
    transaction = connection.begin()
    try:
        answer = work(cursor(connection.connection.cursor()))
    except BaseException:
        try:
            transaction.rollback()
        except Exception:
            # Its connection is gone, and with it the transaction; the first error says more.
            connection.invalidate()
        raise
    try:
        transaction.commit()
    except Exception as error:
        connection.invalidate()
        raise failures.of_commit(error) from error
    return answer


async def patiently(unit: Any, failures: Failures, patience: float) -> Any:
    """Runs a unit of work again while it runs into others: in a ring of locks, or in a race.

    Raises StorageDown after too many tries, or when the second began after ``patience``.
    """
    end = monotonic() + patience
    for attempt in range(TRIES):
        try:
            return await unit()
        except (Again, Race) as error:
            if attempt == TRIES - 1 or (attempt > 0 and monotonic() >= end):
                raise failures.given_up(error) from error
            # Not both of two at the same moment again.
            await asyncio.sleep(random.uniform(0, PAUSE * 2**attempt))  # noqa: S311
    raise AssertionError("unreachable")
