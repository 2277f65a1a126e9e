"""Database URLs, and what they open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import storage
from flows.errors import StorageError
from storage import MemoryStorage, SqlStorage, open_storage
from storage.sql.location import Location


def test_the_public_names_are_these() -> None:
    assert storage.__all__ == ["MemoryStorage", "SqlStorage", "open_storage"]
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
    "url",
    [
        "postgresql+asyncpg://ada:secret@localhost/db",
        "mysql+aiomysql://ada:secret@localhost/db",
        "redis://ada:secret@localhost",
    ],
)
def test_other_databases_are_told_what_there_is(url: str) -> None:
    with pytest.raises(StorageError, match=r"in memory \(memory://\) or in SQLite") as refusal:
        open_storage(url)
    assert "secret" not in str(refusal.value)


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
