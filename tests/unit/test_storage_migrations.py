"""The migrations: they build the tables of the models, and all of them or none."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from alembic import command
from storage.sql import migrate, schema
from storage.sql.tables import metadata


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "handrail.db"


def _names(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def test_migrations_and_models_agree(path: Path) -> None:
    migrate.upgrade(f"sqlite:///{path}")
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrated_file_is_the_one_that_the_models_would_make(
    path: Path, tmp_path: Path
) -> None:
    migrate.upgrade(f"sqlite:///{path}")
    other = tmp_path / "models.db"
    engine = create_engine(f"sqlite:///{other}", poolclass=NullPool)
    metadata.create_all(engine)
    assert _described(path) == _described(other)


def _described(path: Path) -> dict[str, object]:
    """Columns, keys and indexes of every table, as SQLite itself tells them."""
    tables: dict[str, object] = {}
    with closing(sqlite3.connect(path)) as connection:
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'alembic_version'"
        ).fetchall():
            columns = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
            indexes = connection.execute(f"PRAGMA index_list({table})").fetchall()
            tables[table] = (
                [column[:4] + column[5:] for column in columns],
                sorted((name, unique, origin, part) for _, name, unique, origin, part in indexes),
                [connection.execute(f"PRAGMA index_info({row[1]})").fetchall() for row in indexes],
            )
    return tables


def test_upgrade_answers_the_revision_and_may_be_repeated(path: Path) -> None:
    url = f"sqlite+aiosqlite:///{path}"
    assert migrate.upgrade(url) == migrate.head()
    assert migrate.upgrade(url) == migrate.head()
    assert migrate.current(url) == migrate.head()


def test_the_files_of_the_migrations_are_named_for_what_alembic_knows() -> None:
    assert migrate.head() == ScriptDirectory.from_config(schema._config()).get_current_head()


def test_a_file_that_is_up_to_date_is_opened_without_alembic(path: Path) -> None:
    migrate.upgrade(f"sqlite:///{path}")
    script = """
import sys
from storage.sql import migrate
migrate.upgrade(sys.argv[1])
print("alembic" in sys.modules)
"""
    command = [sys.executable, "-c", script, f"sqlite:///{path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_current_of_nothing_is_none_and_makes_no_file(path: Path) -> None:
    assert migrate.current(f"sqlite:///{path}") is None
    assert not path.exists()


def test_an_empty_file_is_filled(path: Path) -> None:
    path.touch()
    assert migrate.current(f"sqlite:///{path}") is None
    assert migrate.upgrade(f"sqlite:///{path}") == migrate.head()


def test_every_partition_has_its_row(path: Path) -> None:
    migrate.upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT part, owner, epoch FROM partitions").fetchall()
    assert rows == [(part, None, 0) for part in range(64)]


DIE_IN_THE_MIDDLE = """
import os, signal, sys
from alembic import op
from storage.sql import migrate, schema

create_table = op.create_table

def create_or_die(name, *columns, **options):
    if name == "outbox":
        os.kill(os.getpid(), signal.SIGKILL)
    return create_table(name, *columns, **options)

op.create_table = create_or_die
migrate.upgrade("sqlite:///" + sys.argv[1])
"""


def test_an_upgrade_that_is_killed_has_done_nothing_and_can_be_repeated(path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", DIE_IN_THE_MIDDLE, path], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.exists()
    assert _names(path) == set()
    assert migrate.upgrade(f"sqlite:///{path}") == migrate.head()
    assert set(metadata.tables) <= _names(path)


def test_two_that_open_a_new_file_at_once_both_succeed(path: Path) -> None:
    script = "import sys; from storage.sql import migrate; migrate.upgrade(sys.argv[1])"
    command = [sys.executable, "-c", script, f"sqlite:///{path}"]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert migrate.current(f"sqlite:///{path}") == migrate.head()


def _at(path: Path, revision: str) -> None:
    """Makes a file of an old revision."""
    config = schema._config()
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_a_file_of_an_old_revision_is_brought_to_the_newest(path: Path, revision: str) -> None:
    _at(path, revision)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO instances (conv, id, flow, flow_version, step, status, updated) "
            "VALUES ('c', 'i', 'signup', 1, 'NAME', 'active', 5)"
        )
        connection.execute("INSERT INTO messages (conv, slot, ref, at) VALUES ('c', 's', '7', 5)")
        connection.commit()
    assert migrate.current(f"sqlite:///{path}") == revision
    assert migrate.upgrade(f"sqlite:///{path}") == migrate.head()
    assert {"ix_instances_conv", "workers"} <= _names(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, step FROM instances").fetchall() == [("i", "NAME")]
        assert connection.execute("SELECT slot, ref FROM messages").fetchall() == [("s", "7")]
