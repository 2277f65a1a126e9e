"""What turns are compared with: a plain ``sqlite3`` loop, one row and one commit per update."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from time import perf_counter
from typing import Literal

Synchronous = Literal["NORMAL", "FULL"]

ROWS = 200
BODY = "x" * 500


def updates_per_second(
    folder: Path, *, seconds: float, synchronous: Synchronous = "NORMAL"
) -> float:
    """How many 500-byte rows are upserted a second in a file with a write-ahead log, each of them
    committed on its own.
    """
    connection = sqlite3.connect(folder / "baseline.db", isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (key INTEGER PRIMARY KEY, body TEXT)")
        return _loop(connection, seconds)
    finally:
        connection.close()


def _loop(connection: sqlite3.Connection, seconds: float) -> float:
    upsert = (
        "INSERT INTO rows (key, body) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET body = excluded.body"
    )
    done = 0
    begin = now = perf_counter()
    while now - begin < seconds:
        for key in range(ROWS):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(upsert, (key, f"{done}{BODY}"[:500]))
            connection.execute("COMMIT")
            done += 1
        now = perf_counter()
    return done / (now - begin)
