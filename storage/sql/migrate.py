"""The schema: which revision a database is at, and how it gets to the newest."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select, update
from sqlalchemy.exc import DBAPIError

from flows.errors import SchemaMismatch, StorageDown
from storage.sql.connect import PATIENCE, READING, SETTING, patient_engine
from storage.sql.failures import busy, failure, is_busy, primary_code
from storage.sql.location import Location
from storage.sql.tables import meta

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

APPLICATION = "handrail"
VERSION_TABLE = "alembic_version"

# Alembic keeps the migration that runs in a variable of its module.
_one_at_a_time = threading.Lock()


def upgrade(url: str) -> str:
    """Brings the database to the newest schema and answers its revision.

    It is one transaction: killed in the middle, it has done nothing.

    Raises:
        SchemaMismatch: the database is newer than this program, or not ours.
        StorageDown: it cannot be written now.
    """
    return upgrade_file(Location.parse(url))


def current(url: str) -> str | None:
    """The revision that the database is at; None when there is nothing yet. Changes nothing."""
    location = Location.parse(url)
    _check_place(location.path)
    if not location.path.exists():
        return None
    with _opened(location, PATIENCE, READING) as connection:
        return _revision(connection, location.path)


def head() -> str:
    """The newest revision, the one that this program works with."""
    newest = _scripts(_config()).get_current_head()
    if newest is None:
        raise SchemaMismatch("this installation holds no migrations. Install Handrail again.")
    return newest


def upgrade_file(location: Location, *, patience: float = PATIENCE) -> str:
    """``upgrade`` for a file that is known; ``patience`` is how long it waits for a lock."""
    from alembic import command  # costs a moment, which `memory://` need not spend

    _check_place(location.path)
    with _opened(location, patience, READING) as connection:
        _revision(connection, location.path)
    with _opened(location, patience, SETTING) as connection:
        _log_ahead(connection, location.path)
    with _opened(location, patience, {}) as connection:
        newest = head()
        if _revision(connection, location.path) != newest:
            config = _config()
            config.attributes["connection"] = connection
            with _one_at_a_time:
                command.upgrade(config, "head")
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


def _revision(connection: Connection, path: Path) -> str | None:
    """The revision of a database that is ours; None when it is empty.

    Raises SchemaMismatch when it is somebody else's, or newer.
    """
    from alembic.migration import MigrationContext
    from alembic.script.revision import ResolutionError

    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if not {VERSION_TABLE, meta.name} <= tables or not _is_ours(connection):
        raise SchemaMismatch(
            f"the database {path} belongs to another program (it has the tables "
            f"{', '.join(sorted(tables)[:5])}). It was left as it is. Name a file of its own."
        )
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        raise SchemaMismatch(
            f"the database {path} is Handrail's but says no revision. Restore it from a backup."
        )
    scripts = _scripts(_config())
    try:
        known = scripts.revision_map.get_revision(revision)
    except ResolutionError:
        known = None
    if known is None:
        raise SchemaMismatch(
            f"the database {path} is at revision {revision}, which is newer than this version of "
            f"Handrail ({scripts.get_current_head()}). Update Handrail, or name another database."
        )
    return revision


def _is_ours(connection: Connection) -> bool:
    columns = {column["name"] for column in inspect(connection).get_columns(meta.name)}
    if columns != set(meta.columns.keys()):
        return False
    mark = select(meta.c.value).where(meta.c.name == "application")
    return connection.execute(mark).scalar() == APPLICATION


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    # The setting is a template, in which a percent sign has to be doubled.
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts(config: Config) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config)


def _migrations() -> Path:
    """The folder of the migrations: in the package when installed, else in the source tree."""
    installed = Path(__file__).with_name("migrations")
    return installed if installed.is_dir() else Path(__file__).parents[2] / "alembic"
