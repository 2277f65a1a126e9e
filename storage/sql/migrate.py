"""``handrail db``: bringing a database to the newest schema, and saying which it has."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, update
from sqlalchemy.exc import DBAPIError

from flows.errors import SchemaMismatch, StorageDown
from storage.sql import schema
from storage.sql.connect import PATIENCE, READING, SETTING, patient_engine
from storage.sql.failures import busy, failure, is_busy, primary_code
from storage.sql.location import Location, Server, locate
from storage.sql.schema import head
from storage.sql.tables import meta

Answer = TypeVar("Answer")

__all__ = ["current", "head", "named", "upgrade", "upgrade_file"]


def named(url: str) -> str:
    """The database as it may be shown: a server's without user and password."""
    place = locate(url)
    return str(place) if isinstance(place, Server) else url


def upgrade(url: str) -> str:
    """Brings the database to the newest schema and answers its revision.

    Killed in the middle, it has done nothing, or on MySQL and MariaDB a part that the next
    upgrade goes on from.

    Raises:
        SchemaMismatch: the database is newer than this program, or not ours.
        StorageDown: it cannot be written now.
    """
    place = locate(url)
    if isinstance(place, Server):
        from storage.sql.servers import migrate  # its drivers are extras

        return _awaited(migrate.upgrade(place))
    return upgrade_file(place)


def current(url: str) -> str | None:
    """The revision that the database is at; None when there is nothing yet. Changes nothing."""
    place = locate(url)
    if isinstance(place, Server):
        from storage.sql.servers import migrate  # its drivers are extras

        return _awaited(migrate.current(place))
    _check_place(place.path)
    if not place.path.exists():
        return None
    with _opened(place, PATIENCE, READING) as connection:
        return schema.revision(connection, place)


def _awaited(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Awaits ``work`` in a loop of its own, from wherever it is called."""
    with ThreadPoolExecutor(1, "handrail-db") as thread:
        return thread.submit(asyncio.run, work).result()


def upgrade_file(location: Location, *, patience: float = PATIENCE) -> str:
    """``upgrade`` for a file that is known; ``patience`` is how long it waits for a lock."""
    _check_place(location.path)
    with _opened(location, patience, READING) as connection:
        schema.revision(connection, location)
    with _opened(location, patience, SETTING) as connection:
        _log_ahead(connection, location.path)
    with _opened(location, patience, {}) as connection:
        newest = head()
        if schema.revision(connection, location) != newest:
            schema.upgrade(connection)
        # SQLite begins to write to a read-only file without a word; writing tells.
        connection.execute(update(meta).values(value=meta.c.value))
        return newest


def _check_place(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise StorageDown(
            f"the folder {folder} of the database {path.name} does not exist. Create it, or name "
            "another place."
        )
    if path.is_dir():
        raise SchemaMismatch(f"{path} is a folder, not a database. Name a file in it.")


@contextmanager
def _opened(
    location: Location, patience: float, options: Mapping[str, str]
) -> Iterator[Connection]:
    """A connection in a transaction, its driver's errors put into sentences."""
    engine = patient_engine(location.path, synchronous=location.synchronous, patience=patience)
    try:
        with engine.execution_options(**options).begin() as connection:
            yield connection
    except (DBAPIError, sqlite3.Error) as error:
        if is_busy(error):
            raise busy(location.path, patience) from error
        if primary_code(error) == sqlite3.SQLITE_NOTADB:
            raise SchemaMismatch(
                f"{location.path} is no SQLite database. It was left as it is. Name another file."
            ) from error
        raise failure(location.path, error) from error
    finally:
        engine.dispose()


def _log_ahead(connection: Connection, path: Path) -> None:
    """Switches to the write-ahead log, so that readers and the one writer do not wait."""
    mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar()
    if mode != "wal":
        raise StorageDown(
            f"the file system of {path} cannot share memory between processes (journal mode "
            f"{mode}), as on a network drive. Put the database on a local disk."
        )
