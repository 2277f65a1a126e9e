"""Database URLs of SQLite files, such as ``sqlite+aiosqlite:///handrail.db``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from flows.errors import StorageError

SYNCHRONOUS = ("FULL", "NORMAL", "EXTRA")


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
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise StorageError(
                "the database URL cannot be read. Write it like sqlite+aiosqlite:///handrail.db."
            ) from error
        if parsed.get_backend_name() != "sqlite":
            raise StorageError(
                f"{parsed.get_backend_name()} databases are not supported by this version: it "
                "keeps conversations in memory (memory://) or in SQLite "
                "(sqlite+aiosqlite:///handrail.db)."
            )
        if parsed.host or not parsed.database or parsed.database == ":memory:":
            raise StorageError(
                "the database URL names no file. Write sqlite+aiosqlite:///handrail.db for a file "
                "in this folder, sqlite+aiosqlite:////folder/handrail.db for one elsewhere, or "
                "memory:// to keep nothing."
            )
        unknown = sorted(set(parsed.query) - {"synchronous"})
        if unknown:
            raise StorageError(
                f"the database URL has the setting {unknown[0]!r}, which there is not. "
                "The only one is synchronous."
            )
        return cls(Path(parsed.database), _synchronous(parsed.query.get("synchronous", "FULL")))


def _synchronous(value: str | tuple[str, ...]) -> str:
    setting = value if isinstance(value, str) else value[-1]
    if setting.upper() not in SYNCHRONOUS:
        raise StorageError(
            f"synchronous={setting} is no setting of SQLite that keeps the file whole. "
            f"There are {', '.join(SYNCHRONOUS)}."
        )
    return setting.upper()
