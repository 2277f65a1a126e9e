"""Database URLs, and what they open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import storage
from flows.errors import StorageError
from storage import MemoryStorage, SqlStorage, open_storage
from storage.sql.location import Location, Server, locate
from storage.sql.migrate import named


def test_the_public_names_are_these() -> None:
    assert storage.__all__ == [
        "EncryptedStorage",
        "Keyring",
        "MemoryStorage",
        "RedisStorage",
        "SqlStorage",
        "open_storage",
    ]
    for name in storage.__all__:
        assert getattr(storage, name).__name__ == name


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="PickleStorage"):
        storage.PickleStorage  # noqa: B018  # the access is the test


@pytest.mark.parametrize("url", ["memory://", "memory:"])
def test_memory_urls(url: str) -> None:
    assert isinstance(open_storage(url), MemoryStorage)


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///a.db", "sqlite:///a.db"])
def test_sqlite_urls(url: str) -> None:
    assert isinstance(open_storage(url), SqlStorage)
    assert Location.parse(url) == Location(Path("a.db"))


def test_an_absolute_path_and_a_setting() -> None:
    location = Location.parse("sqlite:////data/a.db?synchronous=normal")
    assert location == Location(Path("/data/a.db"), "NORMAL")


@pytest.mark.parametrize(
    ("url", "kind", "driver"),
    [
        ("postgresql+asyncpg://ada:secret@localhost/db", "postgresql", "postgresql+asyncpg"),
        ("postgresql://ada:secret@localhost:5433/db", "postgresql", "postgresql+asyncpg"),
        ("postgres://ada:secret@localhost/db", "postgresql", "postgresql+asyncpg"),
        ("mysql+aiomysql://ada:secret@localhost/db", "mysql", "mysql+aiomysql"),
        ("mysql://ada:secret@localhost/db", "mysql", "mysql+aiomysql"),
        ("mariadb://ada:secret@localhost/db", "mysql", "mysql+aiomysql"),
        ("mariadb+aiomysql://ada:secret@localhost/db", "mysql", "mysql+aiomysql"),
    ],
)
def test_urls_of_servers(url: str, kind: str, driver: str) -> None:
    assert isinstance(open_storage(url), SqlStorage)
    place = locate(url)
    assert isinstance(place, Server)
    assert (place.kind, place.url.drivername) == (kind, driver)
    assert "secret" not in f"{place} {place!r}"


def test_a_server_is_named_without_user_and_password() -> None:
    assert named("postgres://ada:secret@db.example:5433/bot") == "bot on db.example:5433"


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://ada:secret@h/db", "mysql+pymysql://ada:secret@h/db"]
)
def test_another_driver_is_told_which_one_there_is(url: str) -> None:
    with pytest.raises(StorageError, match=r"works with (asyncpg|aiomysql) only") as refusal:
        open_storage(url)
    assert "secret" not in str(refusal.value)


def test_a_server_without_a_database_says_how_to_write_one() -> None:
    with pytest.raises(StorageError, match="names no database on its server"):
        open_storage("postgresql://ada:secret@localhost")


def test_other_databases_are_told_what_there_is() -> None:
    with pytest.raises(StorageError, match=r"in memory \(memory://\), in SQLite") as refusal:
        open_storage("oracle://ada:secret@localhost")
    assert "secret" not in str(refusal.value)
    assert all(name in str(refusal.value) for name in ("PostgreSQL", "MariaDB", "Redis"))


def test_a_url_that_cannot_be_read_is_not_shown() -> None:
    with pytest.raises(StorageError, match="cannot be read") as refusal:
        open_storage("postgresql://ada:sec/ret@host:port/db")
    assert "ret" not in str(refusal.value).replace("are written", "").replace("percent", "")
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite://handrail.db"])
def test_an_sqlite_url_without_a_file_says_how_to_write_one(url: str) -> None:
    with pytest.raises(StorageError, match="names no file"):
        open_storage(url)


def test_what_is_no_url_says_how_to_write_one() -> None:
    with pytest.raises(StorageError, match=r"Write it like sqlite\+aiosqlite"):
        open_storage("handrail.db")


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(StorageError, match=r"'mode', which there is not"):
        open_storage("sqlite:///a.db?mode=ro")


@pytest.mark.parametrize("url", ["postgresql://h/db?sslmode=require", "mysql://h/db?charset=x"])
def test_an_unknown_setting_of_a_server_was_refused_with_the_words_of_its_driver(url: str) -> None:
    with pytest.raises(StorageError, match=r"'(sslmode|charset)', which there is not. There is"):
        open_storage(url)


def test_synchronous_off_is_refused() -> None:
    with pytest.raises(StorageError, match="FULL, NORMAL, EXTRA"):
        open_storage("sqlite:///a.db?synchronous=off")


def _imported_by(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_memory_needs_no_sqlalchemy() -> None:
    script = (
        "import sys, storage; storage.open_storage('memory://'); print('sqlalchemy' in sys.modules)"
    )
    assert _imported_by(script) == "False"


def test_a_missing_driver_says_what_to_install() -> None:
    script = """
import sys
sys.modules["aiosqlite"] = None
sys.modules["sqlalchemy"] = None
import storage
try:
    storage.open_storage("sqlite:///a.db")
except storage.StorageError as error:
    print(error)
"""
    assert "sqlalchemy" in _imported_by(script)
    assert "pip install" in _imported_by(script)


@pytest.mark.parametrize(
    ("driver", "extra", "url"),
    [
        ("asyncpg", "postgres", "postgresql://ada:secret@localhost/db"),
        ("aiomysql", "mysql", "mariadb://ada:secret@localhost/db"),
    ],
)
def test_a_missing_driver_of_a_server_says_which_extra(driver: str, extra: str, url: str) -> None:
    script = f"""
import sys
sys.modules["{driver}"] = None
import storage
try:
    storage.open_storage("{url}")
except storage.StorageError as error:
    print(error)
"""
    said = _imported_by(script)
    assert f"pip install 'handrail[{extra}]'" in said
    assert "secret" not in said
