"""MySQL and MariaDB: how their connections are set, and what their errors mean."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import aiomysql  # noqa: F401 -- SQLAlchemy imports it late, and who lacks it is told at once
from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from flows.errors import SchemaMismatch, StorageDown
from storage.sql.dialects import Cursor
from storage.sql.dialects.mysql import unfolded
from storage.sql.location import Server
from storage.sql.servers.connections import ServerCursor
from storage.sql.servers.failures import NOBODY_ANSWERS, UPGRADE, Kind, Meaning

CONNECTIONS = 8
"""How many units of work run at once."""

READERS = 4
"""And how many that only read."""

CONNECT_SECONDS = 10

IDLE_SECONDS = 5
"""How long a transaction may hang between two statements, where the server can tell."""

LARGEST_PACKET = 8 << 20
"""What the server has to take in one statement: the largest row, with room."""

GUARD = "SELECT GET_LOCK(CONCAT('handrail.', MD5(DATABASE())), 60)"
UNGUARD = "SELECT RELEASE_LOCK(CONCAT('handrail.', MD5(DATABASE())))"

AGAIN = Meaning(Kind.AGAIN)
REFUSED = Meaning(Kind.REFUSED)
LOST = Meaning(Kind.LOST, NOBODY_ANSWERS)
STOPPING = Meaning(Kind.LOST, "The server is stopping or starting; it goes on by itself then")
LOGIN = Meaning(Kind.DOWN, "Look at user and password in HANDRAIL_DATABASE_URL")
RIGHTS = Meaning(Kind.DOWN, "Give this user the right to read and write the tables")
READ_ONLY = Meaning(Kind.DOWN, "It takes no writes: name the primary, or make it writable")
FULL = Meaning(Kind.DOWN, "Its disk is full. Make room; it goes on by itself then")
TABLES = Meaning(Kind.SCHEMA, UPGRADE)
DAMAGED = Meaning(Kind.DAMAGED, "It was left as it is. Restore it from a backup")

CODES: Mapping[int, Meaning] = {
    **dict.fromkeys((1205, 1213, 1020, 3572), AGAIN),
    1062: Meaning(Kind.REFUSED, is_duplicate=True),
    **dict.fromkeys((1048, 1264, 1265, 1292, 1366, 1406, 1118, 3819, 4025), REFUSED),
    **dict.fromkeys((0, 2002, 2003, 2006, 2013, 2055), LOST),
    **dict.fromkeys((1053, 1927, 1152, 1153, 1158, 1159, 1160, 1161, 4031), STOPPING),
    **dict.fromkeys((1044, 1045, 1698), LOGIN),
    1049: Meaning(Kind.DOWN, "Create that database, or name another one"),
    **dict.fromkeys((1142, 1143, 1227, 1370), RIGHTS),
    **dict.fromkeys((1290, 1792, 1836), READ_ONLY),
    **dict.fromkeys((1021, 1114), FULL),
    1040: Meaning(Kind.DOWN, "Too many connections. Raise max_connections, or end some"),
    **dict.fromkeys((1146, 1054), TABLES),
    **dict.fromkeys((1034, 1194, 1195, 1712), DAMAGED),
}
"""By the server's error number; those from 2000 on are the driver's."""


class MysqlErrors:
    """By the number. An error without one is about the connection."""

    def meaning(self, error: BaseException) -> Meaning:
        """What the driver's own error means."""
        code = error.args[0] if error.args else None
        if type(error).__module__.startswith("pymysql") and isinstance(code, int):
            if code == 1030 and "28" in str(error):
                return FULL
            return CODES.get(code, Meaning(Kind.DOWN))
        if isinstance(error, OSError | EOFError) or type(error).__name__ == "InterfaceError":
            return LOST
        return Meaning(Kind.DOWN)


def hot_engines(server: Server, *, patience: float) -> tuple[AsyncEngine, AsyncEngine]:
    """For what every turn needs: connections that are kept, for writing and for reading.

    Two pools: to change a connection between transactions and single statements, and back,
    would cost more than the statement.
    """
    return (
        _engine(server, patience, pool_size=CONNECTIONS, max_overflow=0),
        _engine(server, patience, isolation_level="AUTOCOMMIT", pool_size=READERS, max_overflow=0),
    )


def cold_engine(server: Server, *, patience: float) -> AsyncEngine:
    """For what operators do, and for migrations: one connection is kept, if it is still alive."""
    return _engine(server, patience, pool_size=1, max_overflow=4, pool_pre_ping=True)


def _engine(server: Server, patience: float, **options: Any) -> AsyncEngine:
    encryption, url = _encryption(server.url)
    engine = create_async_engine(
        url,
        # A transaction has always ended before its connection comes back.
        pool_reset_on_return=None,
        connect_args={"connect_timeout": CONNECT_SECONDS, "charset": "utf8mb4"} | encryption,
        **options,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def settings(connection: Any, _record: object) -> None:
        try:
            _set(connection.cursor(), server, patience=patience, encrypted=bool(encryption))
        except BaseException:
            # The pool does not know of it yet.
            connection.terminate()
            raise

    return engine


def _set(cursor: Any, server: Server, *, patience: float, encrypted: bool) -> None:
    if encrypted:
        _check_encrypted(cursor, server)
    cursor.execute("SELECT VERSION()")
    ((version,),) = cursor.fetchall()
    for setting in _settings(is_mariadb="MariaDB" in version, patience=patience):
        cursor.execute(setting)
    cursor.close()


def _encryption(url: URL) -> tuple[dict[str, Any], URL]:
    """What ``ssl=true`` and ``ssl_ca=FILE`` mean for the driver, and the URL without them.

    The server has to prove who it is: to the certificates of this machine, or of the file.
    """
    wanted, file = url.query.get("ssl"), url.query.get("ssl_ca")
    plain = url.difference_update_query(["ssl", "ssl_ca"])
    if wanted is None and file is None:
        return {}, plain
    return {"ssl": ssl.create_default_context(cafile=str(file) if file else None)}, plain


def _check_encrypted(cursor: Any, server: Server) -> None:
    """The driver goes on in plain text, without a word, where the server knows nothing else."""
    cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    if not any(cipher for _, cipher in cursor.fetchall()):
        raise StorageDown(
            f"the server of the database {server} does not encrypt its connections, which the "
            "URL asks for. Set up TLS there, or take ssl out of HANDRAIL_DATABASE_URL."
        )


def _settings(*, is_mariadb: bool, patience: float) -> list[str]:
    collation = "utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin"
    idle = f", idle_transaction_timeout = {IDLE_SECONDS}" if is_mariadb else ""
    return [
        # Literals compare as the tables' columns do.
        f"SET NAMES utf8mb4 COLLATE {collation}",
        # Locks fall on the rows that are looked for, not on the gaps between them.
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        # Nothing is cut or replaced in silence, and a backslash quotes, as the driver assumes.
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
        f"innodb_lock_wait_timeout = {max(1, round(patience))}{idle}",
    ]


class UnfoldingCursor(ServerCursor):
    """A cursor that takes lists."""

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Runs a statement and answers the cursor itself."""
        return super().execute(*unfolded(statement, parameters))


async def check(connection: AsyncConnection, server: Server) -> str:
    """Refuses a server that cannot keep our texts. Answers what its commits promise."""
    found = await connection.exec_driver_sql(
        "SELECT VERSION(), @@max_allowed_packet, @@innodb_flush_log_at_trx_commit"
    )
    version, packet, flush = found.one()  # type: ignore[misc]  # a row of three
    oldest = (10, 6) if "MariaDB" in version else (8, 0)
    numbers = tuple(int(part) for part in version.partition("-")[0].split(".")[:2])
    if numbers < oldest:
        raise SchemaMismatch(
            f"the server of the database {server} is {version}, which cannot pass over locked "
            "rows. Use MariaDB 10.6 or newer, or MySQL 8.0 or newer."
        )
    if packet < LARGEST_PACKET:
        raise SchemaMismatch(
            f"the server of the database {server} takes statements of {packet} bytes at most. Set "
            f"its max_allowed_packet to {LARGEST_PACKET} or more."
        )
    if flush != 1:
        return (
            "Commits survive the end of this process; a crash of the server may take those of "
            f"the last moments, because innodb_flush_log_at_trx_commit is {flush}."
        )
    return (
        "Every commit is on the server's disk when it returns: it survives the end of this "
        "process, a crash of the server and a power cut there."
    )
