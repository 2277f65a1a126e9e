"""The kinds of servers, each with all that is its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from flows.errors import StorageError
from storage.sql.dialects import Dialect
from storage.sql.location import EXTRAS, Server
from storage.sql.servers.connections import ServerCursor
from storage.sql.servers.failures import Errors, Failures
from storage.wakes import Wakes


class HotEngines(Protocol):
    """Makes engines for writing and for reading single statements.

    ``patience``: seconds that a statement waits for a lock.
    """

    def __call__(self, server: Server, *, patience: float) -> tuple[AsyncEngine, AsyncEngine]: ...


class ColdEngine(Protocol):
    """Makes an engine for what is done now and then."""

    def __call__(self, server: Server, *, patience: float) -> AsyncEngine: ...


class Listener(Protocol):
    """Hears of others' work."""

    def start(self, wakes: Wakes) -> None:
        """Begins to hint, if it has not begun."""
        ...

    def attend(self, parts: Collection[int]) -> None:
        """From now on only causes of these partitions are of interest."""
        ...

    async def stop(self) -> None:
        """Ends it. May be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of server.

    Attributes:
        cursor: makes a driver's cursor one of ours.
        check: refuses a server that cannot keep our texts; answers what its commits promise.
        guard: a statement that lets one upgrade in after the other.
        unguard: its end.
    """

    dialect: Callable[[], Dialect]
    errors: Errors
    hot_engines: HotEngines
    cold_engine: ColdEngine
    check: Callable[[AsyncConnection, Server], Awaitable[str]]
    listener: Callable[[Server, Failures], Listener]
    cursor: type[ServerCursor]
    guard: str
    unguard: str


class Deaf:
    """Hears nothing: where the database cannot tell, the engine looks by itself."""

    def __init__(self, _server: Server, _failures: Failures) -> None:
        pass

    def start(self, wakes: Wakes) -> None:
        """Nothing is ever heard."""

    def attend(self, parts: Collection[int]) -> None:
        """Nothing is of interest."""

    async def stop(self) -> None:
        """There is nothing to end."""


def kind_of(server: Server) -> Kind:
    """All that is the own of a server's kind. Raises StorageError without its driver."""
    try:
        if server.kind == "postgresql":
            return _postgresql()
        return _mysql()
    except ModuleNotFoundError as error:
        raise StorageError(
            f"{server.kind} databases need the package {error.name}, which is not installed. "
            f"Install it with: pip install 'handrail[{EXTRAS[server.kind]}]'"
        ) from error


def _postgresql() -> Kind:
    from storage.sql.dialects.postgresql import PostgresqlDialect
    from storage.sql.servers import listen, postgresql

    return Kind(
        dialect=PostgresqlDialect,
        errors=postgresql.PostgresqlErrors(),
        hot_engines=postgresql.hot_engines,
        cold_engine=postgresql.cold_engine,
        check=postgresql.check,
        listener=listen.Listener,
        cursor=ServerCursor,
        guard=postgresql.GUARD,
        unguard=postgresql.UNGUARD,
    )


def _mysql() -> Kind:
    from storage.sql.dialects.mysql import MysqlDialect
    from storage.sql.servers import mysql

    return Kind(
        dialect=MysqlDialect,
        errors=mysql.MysqlErrors(),
        hot_engines=mysql.hot_engines,
        cold_engine=mysql.cold_engine,
        check=mysql.check,
        listener=Deaf,
        cursor=mysql.UnfoldingCursor,
        guard=mysql.GUARD,
        unguard=mysql.UNGUARD,
    )
