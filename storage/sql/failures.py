"""What an error of the SQLite driver means for the caller."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from flows.errors import OutcomeUnknown, StorageDown, StorageError

DATA_ERRORS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
)
"""One row of the statement cannot be stored; the statement as such is right."""

_SENTENCES = {
    sqlite3.SQLITE_FULL: "its disk is full. Make room; it goes on by itself then",
    sqlite3.SQLITE_READONLY: "it may not be written. Give this user the right to write the file "
    "and its folder",
    sqlite3.SQLITE_IOERR: "reading or writing it failed. Look at the disk and the system's log",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened. Look whether its folder is there and whether "
    "this user may write to it",
    sqlite3.SQLITE_PERM: "this user may not open it. Give it the right to",
}


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error, where SQLAlchemy has wrapped it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig
    return error


def primary_code(error: BaseException) -> int:
    """SQLite's primary result code; 0 where the error has none."""
    return int(getattr(driver_error(error), "sqlite_errorcode", 0) or 0) & 0xFF


def is_busy(error: BaseException) -> bool:
    """Whether another connection holds the lock that was wanted."""
    return primary_code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def busy(path: Path, seconds: float) -> StorageDown:
    """Another connection held the lock for too long."""
    return StorageDown(
        f"the database {path} has been locked by another program for more than {seconds:g} "
        "seconds. End that program, or let it finish its transaction."
    )


def commit_failure(path: Path, error: BaseException) -> StorageError:
    """What it means that COMMIT itself failed.

    After an I/O error the pages may have reached the file or not: only a fresh read tells.
    """
    if primary_code(error) == sqlite3.SQLITE_IOERR:
        return OutcomeUnknown(
            f"the answer to a commit in the database {path} was lost ({driver_error(error)}). "
            "Read the versions again before anything is repeated."
        )
    return failure(path, error)


def failure(path: Path, error: BaseException) -> StorageError:
    """The error as one of ours: a sentence that says which database, what, and what to do."""
    code = primary_code(error)
    reason = driver_error(error)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StorageError(
            f"the database {path} is damaged ({reason}). It was left as it is. Restore it from a "
            "backup, or recover it with `sqlite3 FILE .recover`."
        )
    sentence = _SENTENCES.get(code, "look at the reason")
    return StorageDown(f"the database {path} cannot be used now ({reason}): {sentence}.")
