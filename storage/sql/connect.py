"""Engines for one SQLite file, and the settings of every connection to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

PATIENCE = 5.0
"""Seconds that a call waits for another program's lock."""

READING = {"handrail_begin": "BEGIN"}
"""Execution options of an engine whose transactions only read, and take no writer's lock."""

SETTING = {"handrail_begin": ""}
"""Execution options for statements that SQLite allows outside transactions only."""

SETTINGS = (
    # Emptied and erased text must not stay in free parts of the file.
    "PRAGMA secure_delete = ON",
    # Nor may it go to temporary files, by way of a sort.
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16000",
    # Pages, 16 MB: a page that many turns write is copied into the file once.
    "PRAGMA wal_autocheckpoint = 4000",
)


def patient_engine(path: Path, *, synchronous: str, patience: float) -> Engine:
    """For work in a thread, such as migrations, and for ``hot``: it waits for locks."""
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        poolclass=NullPool,
        # A unit of work may move to a thread as a whole; two never enter at once.
        connect_args={"timeout": patience, "check_same_thread": False},
    )
    _prepare(engine, synchronous)
    return engine


def async_engine(path: Path, *, synchronous: str, patience: float) -> AsyncEngine:
    """For what operators do: it waits for locks, in a thread of aiosqlite.

    It keeps no connection, since an idle reader would keep the write-ahead log from being
    emptied.
    """
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", poolclass=NullPool, connect_args={"timeout": patience}
    )
    _prepare(engine.sync_engine, synchronous)
    return engine


def _prepare(engine: Engine, synchronous: str) -> None:
    @event.listens_for(engine, "connect")
    def settings(connection: Any, _record: object) -> None:
        # The driver begins no transaction by itself: its own begins are deferred, and a
        # deferred one that writes after it has read may fail at once as busy.
        connection.isolation_level = None
        cursor = connection.cursor()
        for setting in (*SETTINGS, f"PRAGMA synchronous = {synchronous}"):
            cursor.execute(setting)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get("handrail_begin", "BEGIN IMMEDIATE")
        if statement:
            cursor = connection.connection.cursor()
            cursor.execute(statement)
            cursor.close()
