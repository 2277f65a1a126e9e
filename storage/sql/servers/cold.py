"""Connections to a server for what may take long. They are others than the turns', whose plans
go by an index whatever it costs.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.sql.cold import ColdWork
from storage.sql.servers.connections import patiently
from storage.sql.servers.failures import Failures

Answer = TypeVar("Answer")


class ServerCold:
    """Transactions beside those of the turns."""

    concurrent = True

    def __init__(self, engine: AsyncEngine, failures: Failures, *, patience: float) -> None:
        self._patience = patience
        self._engine = engine
        self._failures = failures

    async def write(self, work: ColdWork[Answer]) -> Answer:
        """Runs ``work`` in a transaction and commits it, again where it ran into others."""
        answer: Answer = await patiently(
            lambda: self._transaction(work), self._failures, self._patience
        )
        return answer

    async def read(self, work: ColdWork[Answer]) -> Answer:
        """Runs ``work`` in a transaction that only reads."""
        return await self.write(work)

    async def close(self) -> None:
        """Lets the connections go."""
        await self._engine.dispose()

    async def clean(self, tables: Collection[Table]) -> None:
        """Lets the server take the room of deleted rows back: until it has, they can be read in
        its files. PostgreSQL does so when it is told; MySQL and MariaDB by themselves.
        """
        if self._engine.dialect.name != "postgresql":
            return
        names = ", ".join(table.name for table in tables)
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                # A table that is being vacuumed already is left to whoever does it.
                await connection.exec_driver_sql(f"VACUUM (SKIP_LOCKED) {names}")
        except Exception as error:
            raise self._failures.translated(error) from error

    async def _transaction(self, work: ColdWork[Answer]) -> Answer:
        try:
            connection = await self._engine.connect()
        except Exception as error:
            raise self._failures.translated(error) from error
        try:
            return await self._within(connection, work)
        finally:
            await connection.close()

    async def _within(self, connection: AsyncConnection, work: ColdWork[Answer]) -> Answer:
        try:
            transaction = await connection.begin()
            answer = await work(connection)
        except (DBAPIError, OSError) as error:
            # Whatever else is raised is the work's own.
            raise self._failures.translated(error) from error
        try:
            await transaction.commit()
        except Exception as error:
            raise self._failures.of_commit(error) from error
        return answer
