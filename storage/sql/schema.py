"""The schema of a database: which revision it is at, and how Alembic brings it to the newest."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, String, column, inspect, select, table

from flows.errors import SchemaMismatch
from storage.sql.location import Location, Server
from storage.sql.tables import meta

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

APPLICATION = "handrail"
VERSION_TABLE = "alembic_version"

_stored_revision = select(column("version_num", String)).select_from(table(VERSION_TABLE))

# Alembic keeps the migration that runs in a variable of its module.
_one_at_a_time = threading.Lock()


@cache
def head() -> str:
    """The newest revision, the one that this program works with: the name of a migration's file
    begins with it. Alembic takes a while to import, and a database that is up to date needs none.
    """
    files = (_migrations() / "versions").glob("[0-9]*_*.py")
    newest = max((file.name.partition("_")[0] for file in files), default=None)
    if newest is None:
        raise SchemaMismatch("this installation holds no migrations. Install Handrail again.")
    return newest


def upgrade(connection: Connection) -> None:
    """Runs the migrations that are missing, in the transaction of the connection."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, "head")


def revision(connection: Connection, place: Location | Server) -> str | None:
    """The revision of a database that is ours; None when there is nothing in it yet.

    Raises SchemaMismatch when it is somebody else's, or newer.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables or _is_begun(connection, tables):
        return None
    if not {VERSION_TABLE, meta.name} <= tables or not _is_ours(connection):
        raise SchemaMismatch(
            f"the database {place} belongs to another program (it has the tables "
            f"{', '.join(sorted(tables)[:5])}). It was left as it is. Name one of its own."
        )
    found: str | None = connection.execute(_stored_revision).scalar_one_or_none()
    if found is None:
        _excuse_no_revision(connection, place)
        return None
    if found != head() and not _is_known(found):
        raise SchemaMismatch(
            f"the database {place} is at revision {found}, which is newer than this version of "
            f"Handrail ({head()}). Update Handrail, or name another database."
        )
    return found


def _is_known(found: str) -> bool:
    """Whether it is the revision of a migration that there is."""
    from alembic.script.revision import ResolutionError

    try:
        return _scripts(_config()).revision_map.get_revision(found) is not None
    except ResolutionError:
        return False


def _excuse_no_revision(connection: Connection, place: Location | Server) -> None:
    """Where tables are not taken back, the first upgrade may have been killed."""
    if connection.dialect.name not in {"mysql", "mariadb"}:
        raise SchemaMismatch(
            f"the database {place} is Handrail's but says no revision. Restore it from a backup."
        )


def _is_begun(connection: Connection, tables: set[str]) -> bool:
    """Whether all there is are the two empty tables with which a first upgrade begins. Only
    where tables are not taken back can it have been killed there.
    """
    if connection.dialect.name not in {"mysql", "mariadb"}:
        return False
    if not tables <= {VERSION_TABLE, meta.name}:
        return False
    if meta.name in tables and not _is_like_ours(connection):
        return False
    names = [inspect(connection).dialect.identifier_preparer.quote(table) for table in tables]
    counts = [connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in names]  # noqa: S608
    return not any(counts)


def _is_ours(connection: Connection) -> bool:
    if not _is_like_ours(connection):
        return False
    mark = select(meta.c.value).where(meta.c.name == "application")
    return connection.execute(mark).scalar() == APPLICATION


def _is_like_ours(connection: Connection) -> bool:
    columns = {column["name"] for column in inspect(connection).get_columns(meta.name)}
    return columns == set(meta.columns.keys())


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
