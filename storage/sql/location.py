"""Database URLs: which database, and what is set about it. No password is ever shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from flows.errors import StorageError

SYNCHRONOUS = ("FULL", "NORMAL", "EXTRA")

DRIVERS = {"postgresql": "asyncpg", "mysql": "aiomysql"}
"""The driver of each kind of server: the only one that Handrail works with."""

SERVERS = {"postgresql": "postgresql", "postgres": "postgresql", "mysql": "mysql"}
SERVERS["mariadb"] = "mysql"
"""Kinds of servers, by what a URL calls them."""

EXTRAS = {"postgresql": "postgres", "mysql": "mysql"}
"""The extras of the package that bring the drivers."""

EXAMPLES = {
    "postgresql": "postgresql+asyncpg://user:password@host/name",
    "mysql": "mysql+aiomysql://user:password@host/name",
}

SETTINGS = {
    "postgresql": {"direct_tls", "host", "passfile", "port", "ssl", "target_session_attrs"},
    "mysql": {"ssl", "ssl_ca", "unix_socket"},
}
"""What a URL may set of each kind of server. What the driver takes besides, such as timeouts, is
set by us; and what it does not know, it refuses with words about its own arguments."""


@dataclass(frozen=True, slots=True)
class Location:
    """A database file and how carefully it is written.

    Attributes:
        synchronous: SQLite's setting: under ``NORMAL`` a power cut may lose the last commits.
    """

    path: Path
    synchronous: str = "FULL"

    @classmethod
    def parse(cls, url: str) -> Location:
        """The file that a URL names. Raises StorageError when it names none."""
        place = locate(url)
        if not isinstance(place, cls):
            raise StorageError("the database URL names a server, not a file.")
        return place

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class Server:
    """A database on a server.

    Attributes:
        kind: ``postgresql``, or ``mysql`` for MySQL and MariaDB.
        url: with the driver; its password is not to be shown.
    """

    kind: str
    url: URL = field(repr=False)

    def __str__(self) -> str:
        """The database as people call it, such as ``handrail on db.example.com``."""
        port = f":{self.url.port}" if self.url.port else ""
        return f"{self.url.database} on {self.url.host or 'localhost'}{port}"


def locate(url: str) -> Location | Server:
    """The database that a URL names. Raises StorageError when it names none."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Without its cause, which shows the URL and so a password.
        raise StorageError(
            "the database URL cannot be read. Write it like sqlite+aiosqlite:///handrail.db or "
            f"{EXAMPLES['postgresql']}; special characters in a password are written %40 for @, "
            "%2F for / and so on."
        ) from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return _file(parsed)
    if kind in SERVERS:
        return _server(SERVERS[kind], parsed)
    raise StorageError(
        f"{kind} databases are not supported by this version: it keeps conversations in memory "
        "(memory://), in SQLite (sqlite+aiosqlite:///handrail.db), in PostgreSQL "
        f"({EXAMPLES['postgresql']}), in MySQL or MariaDB ({EXAMPLES['mysql']}), and in Redis "
        "(redis://127.0.0.1:6379/0)."
    )


def _file(url: URL) -> Location:
    if url.host or not url.database or url.database == ":memory:":
        raise StorageError(
            "the database URL names no file. Write sqlite+aiosqlite:///handrail.db for a file "
            "in this folder, sqlite+aiosqlite:////folder/handrail.db for one elsewhere, or "
            "memory:// to keep nothing."
        )
    _only_known(url, {"synchronous"})
    return Location(Path(url.database), _synchronous(url.query.get("synchronous", "FULL")))


def _server(kind: str, url: URL) -> Server:
    driver = DRIVERS[kind]
    named = url.drivername.partition("+")[2]
    if named not in {"", driver}:
        raise StorageError(
            f"the database URL names the driver {named}, and Handrail works with {driver} only. "
            f"Write it like {EXAMPLES[kind]}."
        )
    if not url.database:
        raise StorageError(
            f"the database URL names no database on its server. Write it like {EXAMPLES[kind]}."
        )
    _only_known(url, SETTINGS[kind])
    return Server(kind, url.set(drivername=f"{kind}+{driver}"))


def _only_known(url: URL, known: Collection[str]) -> None:
    unknown = sorted(set(url.query) - set(known))
    if unknown:
        raise StorageError(
            f"the database URL has the setting {unknown[0]!r}, which there is not. "
            f"There is {', '.join(sorted(known))}."
        )


def _synchronous(value: str | tuple[str, ...]) -> str:
    setting = value if isinstance(value, str) else value[-1]
    if setting.upper() not in SYNCHRONOUS:
        raise StorageError(
            f"synchronous={setting} is no setting of SQLite that keeps the file whole. "
            f"There are {', '.join(SYNCHRONOUS)}."
        )
    return setting.upper()
