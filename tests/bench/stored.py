"""An SQLite database in which many people have talked before."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from storage.sql import migrate


def fill(path: Path, people: int) -> None:
    """Makes a database in which so many people have begun a flow, long ago: for each of them a
    conversation, an instance, a handled update and a message that has arrived.
    """
    migrate.upgrade(f"sqlite+aiosqlite:///{path}")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN IMMEDIATE")
    numbers = (
        "WITH RECURSIVE people(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM people "
        "WHERE n < ?), "
        "named AS (SELECT n, printf('bench/old/%09d/%09d', n, n) AS conv, "
        "printf('bench:old/%09d', n) AS chat FROM people) "
    )
    for table, values in _ROWS:
        columns = ", ".join(values)
        chosen = ", ".join(values.values())
        connection.execute(
            f"INSERT INTO {table} ({columns}) {numbers} SELECT {chosen} FROM named",  # noqa: S608 -- names from here
            (people,),
        )
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


_STATE = (
    '{"session":{},"stack":[],"aside":[],"alarm":null,"chat":null,"format":2,"padding":"'
    + "x" * 500
    + '"}'
)

_ROWS: Sequence[tuple[str, Mapping[str, str]]] = (
    (
        "conversations",
        {
            "key": "conv",
            "part": "n % 64",
            "person": "chat",
            "version": "n",
            "cause": "n",
            "state": f"'{_STATE}'",
            "updated": "n",
        },
    ),
    (
        "instances",
        {
            "conv": "conv",
            "id": "'i' || n",
            "flow": "'visitor'",
            "flow_version": "1",
            "step": "'TOWN'",
            "status": "'active'",
            "updated": "n",
        },
    ),
    (
        "transitions",
        {
            "turn": "n",
            "n": "0",
            "conv": "conv",
            "instance": "'i' || n",
            "flow": "'visitor'",
            "source": "NULL",
            "target": "'NAME'",
            "cause": "'start'",
            "at": "n",
        },
    ),
    (
        "transitions",
        {
            "turn": "n",
            "n": "1",
            "conv": "conv",
            "instance": "'i' || n",
            "flow": "'visitor'",
            "source": "'NAME'",
            "target": "'TOWN'",
            "cause": "'next'",
            "at": "n",
        },
    ),
    (
        "inbox",
        {
            "source": "'bench:old'",
            "ext": "n",
            "part": "n % 64",
            "conv": "conv",
            "kind": "'text'",
            "at": "n",
            "tries": "0",
            "done": "n",
        },
    ),
    (
        "outbox",
        {
            "part": "n % 64",
            "chat": "chat",
            "conv": "conv",
            "turn": "n",
            "n": "0",
            "slot": "n || '.0'",
            "state": "'sent'",
            "tries": "0",
            "due": "n",
        },
    ),
)
"""What each person has left behind, column by column: as SQL over ``n``, ``conv`` and ``chat``."""
