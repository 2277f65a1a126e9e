"""The schema of a database on a server. Upgrading is the operator's: several versions of a
program may work on it at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from flows.errors import SchemaMismatch
from storage.sql import schema
from storage.sql.location import Server
from storage.sql.servers.failures import UPGRADE, Failures
from storage.sql.servers.kinds import Kind, kind_of

PATIENCE = 60.0
"""Seconds that an upgrade waits for locks of what runs beside it."""


async def check(server: Server, kind: Kind, failures: Failures, *, patience: float) -> str:
    """Refuses a database that is not as this program wants it. Answers what it promises.

    Raises SchemaMismatch, which says what to do.
    """
    async with _connected(server, kind, failures, patience) as connection:
        promise = await kind.check(connection, server)
        there = await connection.run_sync(schema.revision, server)
    needed = schema.head()
    if there is None:
        raise SchemaMismatch(f"the database {server} has no tables of Handrail yet. {UPGRADE}.")
    if there != needed:
        raise SchemaMismatch(
            f"the database {server} is at revision {there}, and this version needs {needed}. "
            f"{UPGRADE}."
        )
    return promise


async def upgrade(server: Server) -> str:
    """Brings the database to the newest schema and answers its revision. One at a time."""
    kind = kind_of(server)
    failures = Failures(server, kind.errors)
    async with (
        _connected(server, kind, failures, PATIENCE) as guard,
        _connected(server, kind, failures, PATIENCE) as connection,
    ):
        await kind.check(guard, server)
        await guard.rollback()
        # Not in a transaction, which would end when nothing is said in it for a while.
        await guard.execution_options(isolation_level="AUTOCOMMIT")
        await guard.exec_driver_sql(kind.guard)
        try:
            if await connection.run_sync(schema.revision, server) != schema.head():
                await connection.run_sync(schema.upgrade)
            await connection.commit()
        finally:
            await guard.exec_driver_sql(kind.unguard)
    return schema.head()


async def current(server: Server) -> str | None:
    """The revision that the database is at; None when there is nothing yet."""
    kind = kind_of(server)
    failures = Failures(server, kind.errors)
    async with _connected(server, kind, failures, PATIENCE) as connection:
        return await connection.run_sync(schema.revision, server)


@asynccontextmanager
async def _connected(
    server: Server, kind: Kind, failures: Failures, patience: float
) -> AsyncIterator[AsyncConnection]:
    """A connection, its driver's errors put into sentences."""
    engine = kind.cold_engine(server, patience=patience)
    try:
        async with engine.connect() as connection:
            yield connection
    except Exception as error:
        raise failures.translated(error) from error
    finally:
        await engine.dispose()
