"""One worker process per SQLite file: an operating-system lock that ends with its process."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from flows.errors import AlreadyOwned
from storage.sql.failures import failure, is_busy


class FileOwner:
    """The right to work on a database file, held as a lock on ``<file>.lock``.

    The lock is an exclusive transaction on an empty SQLite file: SQLite knows how to lock a
    file on every system, two handles of one process exclude each other as two processes do,
    and the kernel lets go when the process dies, however it dies.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = path.with_name(path.name + ".lock")
        self._held: sqlite3.Connection | None = None

    @property
    def is_held(self) -> bool:
        """Whether this handle owns the file."""
        return self._held is not None

    def acquire(self) -> None:
        """Takes the lock. Raises AlreadyOwned when another handle or process has it."""
        try:
            connection = sqlite3.connect(
                self._lock, timeout=0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise failure(self._lock, error) from error
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            connection.close()
            if is_busy(error):
                raise AlreadyOwned(
                    f"another worker runs on the database {self._path} already, and SQLite is "
                    "for one. Stop that one first, or give this one a database of its own."
                ) from error
            raise failure(self._lock, error) from error
        self._held = connection

    def release(self) -> None:
        """Lets the lock go, if it is held."""
        if self._held is not None:
            self._held.close()
            self._held = None
