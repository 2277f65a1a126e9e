"""PostgreSQL: how its connections are set, and what its errors mean."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import asyncpg  # noqa: F401 -- SQLAlchemy imports it late, and who lacks it is told at once
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from flows.errors import SchemaMismatch
from storage.sql.location import Server
from storage.sql.servers.failures import NOBODY_ANSWERS, UPGRADE, Kind, Meaning

CONNECTIONS = 8
"""How many units of work run at once."""

CONNECT_SECONDS = 10

ANSWER_SECONDS = 60.0
"""How long one statement may take before its connection counts as dead."""

IDLE_SECONDS = 5
"""How long a transaction may hang between two statements: a process that has been stopped in
the middle lets its partitions go before its lease ends."""

GUARD = "SELECT pg_advisory_lock(4741265171)"
UNGUARD = "SELECT pg_advisory_unlock(4741265171)"
"""The number is Handrail's own, without a meaning."""

STATES: Mapping[str, Meaning] = {
    "40001": Meaning(Kind.AGAIN),
    "40P01": Meaning(Kind.AGAIN),
    "55P03": Meaning(Kind.AGAIN),
    "55006": Meaning(Kind.AGAIN),
    "22": Meaning(Kind.REFUSED),
    "23505": Meaning(Kind.REFUSED, is_duplicate=True),
    "23": Meaning(Kind.REFUSED),
    "54000": Meaning(Kind.REFUSED),
    "08": Meaning(Kind.LOST, NOBODY_ANSWERS),
    "57P": Meaning(Kind.LOST, "The server is stopping or starting; it goes on by itself then"),
    "25P03": Meaning(Kind.LOST, "The process was stopped in the middle of a transaction"),
    "28": Meaning(Kind.DOWN, "Look at user and password in HANDRAIL_DATABASE_URL"),
    "3D000": Meaning(Kind.DOWN, "Create that database, or name another one"),
    "3F000": Meaning(Kind.SCHEMA, UPGRADE),
    "42P01": Meaning(Kind.SCHEMA, UPGRADE),
    "42703": Meaning(Kind.SCHEMA, UPGRADE),
    "42501": Meaning(Kind.DOWN, "Give this user the right to read and write the tables"),
    "25006": Meaning(Kind.DOWN, "It takes no writes: name the primary server, or make it writable"),
    "53100": Meaning(Kind.DOWN, "Its disk is full. Make room; it goes on by itself then"),
    "53300": Meaning(Kind.DOWN, "Too many connections. Raise max_connections, or end some"),
    "53": Meaning(Kind.DOWN, "The server is short of memory or disk. Make room"),
    "58": Meaning(Kind.DOWN, "Reading or writing its files failed. Look at the disk"),
    "XX001": Meaning(Kind.DAMAGED, "It was left as it is. Restore it from a backup"),
    "XX002": Meaning(Kind.DAMAGED, "It was left as it is. Rebuild the index with REINDEX"),
}
"""By SQLSTATE, or the beginning of one; the longest counts."""


class PostgresqlErrors:
    """By the SQLSTATE. An error without one is the driver's, and mostly about the connection."""

    def meaning(self, error: BaseException) -> Meaning:
        """What the driver's own error means."""
        state = getattr(error, "sqlstate", None)
        if state:
            known = (STATES.get(state[:length]) for length in (5, 3, 2))
            return next((meaning for meaning in known if meaning), Meaning(Kind.DOWN))
        cause = error.__cause__ or error
        if "DataError" in {cls.__name__ for cls in type(cause).__mro__}:
            return Meaning(Kind.REFUSED)
        if type(error).__name__ in {"InterfaceError", "InternalClientError"} or isinstance(
            error, OSError | asyncio.TimeoutError | EOFError
        ):
            return Meaning(Kind.LOST, NOBODY_ANSWERS)
        return Meaning(Kind.DOWN)


def hot_engines(server: Server, *, patience: float) -> tuple[AsyncEngine, AsyncEngine]:
    """For what every turn needs: connections that are kept, for writing and for reading."""
    settings = {
        **_settings(patience),
        # Every statement of a turn goes by an index. A plan that was made while a table was
        # nearly empty would read all of it, and is kept.
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "jit": "off",
    }
    engine = create_async_engine(
        server.url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        # A transaction has always ended before its connection comes back.
        pool_reset_on_return=None,
        connect_args=_connecting(settings, ANSWER_SECONDS),
    )
    return engine, engine.execution_options(isolation_level="AUTOCOMMIT")


def cold_engine(server: Server, *, patience: float) -> AsyncEngine:
    """For what operators do, and for migrations: one connection is kept, if it is still alive."""
    return create_async_engine(
        server.url,
        pool_size=1,
        max_overflow=4,
        pool_pre_ping=True,
        connect_args=_connecting(_settings(patience), None),
    )


def _settings(patience: float) -> dict[str, str]:
    return {
        "application_name": "handrail",
        "lock_timeout": f"{int(patience * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        "default_transaction_isolation": "read committed",
    }


def _connecting(settings: dict[str, str], answer: float | None) -> dict[str, object]:
    return {"timeout": CONNECT_SECONDS, "command_timeout": answer, "server_settings": settings}


async def check(connection: AsyncConnection, server: Server) -> str:
    """Refuses a server that cannot keep our texts. Answers what its commits promise."""
    encoding = await _shown(connection, "server_encoding")
    if encoding != "UTF8":
        raise SchemaMismatch(
            f"the database {server} is encoded in {encoding}, which cannot hold every text. "
            "Create one with ENCODING 'UTF8' TEMPLATE template0, and name that."
        )
    fsync = await _shown(connection, "fsync")
    waits = await _shown(connection, "synchronous_commit")
    if fsync == "off":
        return (
            "Commits survive the end of this process; a crash of the server's machine may damage "
            "everything, because fsync is off."
        )
    if waits == "off":
        return (
            "Commits survive the end of this process; a crash of the server may take those of "
            "the last moments, because synchronous_commit is off."
        )
    return (
        "Every commit is on the server's disk when it returns: it survives the end of this "
        "process, a crash of the server and a power cut there."
    )


async def _shown(connection: AsyncConnection, setting: str) -> str:
    result = await connection.exec_driver_sql(f"SHOW {setting}")
    return str(result.scalar_one())
