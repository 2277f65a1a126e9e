"""The schema on servers: made by the migrations alone, as the models say, and never half."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from flows.errors import SchemaMismatch
from storage import SqlStorage
from storage.sql import migrate
from storage.sql.location import Server, locate
from storage.sql.tables import metadata
from tests.servers import DATABASES, database, run_on


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database on each kind of server."""
    with database(request.param) as url:
        yield url


def kind_of(url: str) -> str:
    place = locate(url)
    assert isinstance(place, Server)
    return place.kind


def rows(url: str, *statements: str) -> list[tuple[object, ...]]:
    place = locate(url)
    assert isinstance(place, Server)
    return run_on(place.url, *statements)


async def _opened(url: str) -> None:
    storage = SqlStorage(url)
    try:
        await storage.open()
    finally:
        await storage.close()


def refusal(url: str) -> str:
    with pytest.raises(SchemaMismatch) as refused:
        asyncio.run(_opened(url))
    return str(refused.value)


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


async def _compared(url: str) -> list[object]:
    place = locate(url)
    assert isinstance(place, Server)
    engine = create_async_engine(place.url, poolclass=NullPool)
    async with engine.connect() as connection:
        return await connection.run_sync(_differences)


def test_migrations_and_models_agree(url: str) -> None:
    migrate.upgrade(url)
    assert asyncio.run(_compared(url)) == []


def test_names_compare_by_their_bytes(url: str) -> None:
    migrate.upgrade(url)
    if kind_of(url) == "postgresql":
        found = rows(
            url,
            "SELECT DISTINCT collation_name FROM information_schema.columns WHERE "
            "table_schema = 'public' AND data_type = 'character varying' "
            "AND table_name != 'alembic_version'",
        )
        assert found == [("C",)]
        return
    found = rows(
        url,
        "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = "
        "DATABASE() AND collation_name IS NOT NULL AND table_name != 'alembic_version'",
    )
    assert found in ([("utf8mb4_nopad_bin",)], [("utf8mb4_0900_bin",)])


def test_what_compare_does_not_look_at(url: str) -> None:
    migrate.upgrade(url)
    if kind_of(url) == "postgresql":
        options = "SELECT reloptions FROM pg_class WHERE relname = 'conversations'"
        assert rows(url, options) == [(["fillfactor=50"],)]
        partial = (
            "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid "
            "WHERE indpred IS NOT NULL"
        )
        assert sorted(rows(url, partial)) == [("ix_inbox_todo",), ("ix_outbox_todo",)]
        return
    engines = (
        "SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema = DATABASE()"
    )
    assert rows(url, engines) == [("InnoDB",)]
    texts = (
        "SELECT DISTINCT data_type FROM information_schema.columns WHERE table_schema = "
        "DATABASE() AND column_name IN ('body', 'notes', 'result', 'ref', 'error')"
    )
    assert rows(url, texts) == [("longtext",)]


def test_nothing_that_a_turn_changes_is_indexed_in_conversations(url: str) -> None:
    migrate.upgrade(url)
    if kind_of(url) == "postgresql":
        query = "SELECT indexdef FROM pg_indexes WHERE tablename = 'conversations'"
    else:
        query = (
            "SELECT column_name FROM information_schema.statistics WHERE table_schema = "
            "DATABASE() AND table_name = 'conversations'"
        )
    found = " ".join(str(row[0]) for row in rows(url, query))
    assert "key" in found
    assert "person" in found
    assert not any(name in found for name in ("version", "cause", "state", "updated"))


def test_upgrade_answers_the_revision_and_may_be_repeated(url: str) -> None:
    assert migrate.current(url) is None
    assert migrate.upgrade(url) == migrate.head()
    assert migrate.upgrade(url) == migrate.head()
    assert migrate.current(url) == migrate.head()
    assert len(rows(url, "SELECT part FROM partitions WHERE epoch = 0 AND owner IS NULL")) == 64


def test_an_empty_database_is_refused_with_the_command_that_fills_it(url: str) -> None:
    assert "has no tables of Handrail yet. Run 'handrail db upgrade'" in refusal(url)
    assert migrate.current(url) is None


def test_an_older_schema_is_refused_with_the_command_that_upgrades_it(url: str) -> None:
    migrate.upgrade(url)
    rows(url, "DROP TABLE workers", "UPDATE alembic_version SET version_num = '0002'")
    said = refusal(url)
    assert f"is at revision 0002, and this version needs {migrate.head()}" in said
    assert "Run 'handrail db upgrade'" in said
    assert migrate.upgrade(url) == migrate.head()
    asyncio.run(_opened(url))


def test_a_newer_schema_is_refused(url: str) -> None:
    migrate.upgrade(url)
    rows(url, "UPDATE alembic_version SET version_num = '9999'")
    assert "is at revision 9999, which is newer than this version" in refusal(url)
    with pytest.raises(SchemaMismatch, match="newer than this version"):
        migrate.upgrade(url)


def test_a_database_of_somebody_else_is_left_alone(url: str) -> None:
    rows(url, "CREATE TABLE songs (title TEXT)")
    assert "belongs to another program (it has the tables songs)" in refusal(url)
    with pytest.raises(SchemaMismatch, match="belongs to another program"):
        migrate.upgrade(url)
    with pytest.raises(SchemaMismatch, match="belongs to another program"):
        migrate.current(url)


def test_another_program_with_alembic_is_not_ours(url: str) -> None:
    rows(
        url,
        "CREATE TABLE alembic_version (version_num VARCHAR(32))",
        "CREATE TABLE meta (name VARCHAR(10), value VARCHAR(10))",
        "INSERT INTO meta VALUES ('program', 'jukebox')",
    )
    assert "belongs to another program" in refusal(url)


DIE_IN_THE_MIDDLE = """
import os, signal, sys
from alembic import op
from storage.sql import migrate

create_{what} = op.create_{what}

def create_or_die(name, *columns, **options):
    if name == "{name}":
        os.kill(os.getpid(), signal.SIGKILL)
    return create_{what}(name, *columns, **options)

op.create_{what} = create_or_die
migrate.upgrade(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("table", "meta"),
        ("index", "ix_inbox_todo"),
        ("table", "workers"),
    ],
)
def test_an_upgrade_that_is_killed_can_be_repeated(url: str, what: str, name: str) -> None:
    script = DIE_IN_THE_MIDDLE.format(what=what, name=name)
    ended = subprocess.run([sys.executable, "-c", script, url], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert "Run 'handrail db upgrade'" in refusal(url)
    if kind_of(url) == "postgresql":
        assert rows(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    assert migrate.upgrade(url) == migrate.head()
    assert asyncio.run(_compared(url)) == []
    assert len(rows(url, "SELECT part FROM partitions")) == 64
    asyncio.run(_opened(url))


def test_two_that_upgrade_at_once_both_succeed(url: str) -> None:
    script = "import sys; from storage.sql import migrate; migrate.upgrade(sys.argv[1])"
    command = [sys.executable, "-c", script, url]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert migrate.current(url) == migrate.head()
