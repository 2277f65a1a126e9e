"""The contract, kept by SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from flows.ports import FlowStorage, Limits
from storage import SqlStorage
from storage.testing import Ability, Backend, ManualClock, StorageContract


class SqliteBackend:
    """Handles on one file, of which one may lease at a time."""

    abilities = frozenset({Ability.DAMAGE, Ability.TRACES, Ability.LOST_ANSWERS})

    def __init__(self, path: Path) -> None:
        self._path = path
        self._clock = ManualClock()
        self._handles: list[SqlStorage] = []
        self._limits: Limits | None = None

    @property
    def limits(self) -> Limits:
        assert self._limits is not None
        return self._limits

    async def open(self) -> FlowStorage:
        storage = SqlStorage(f"sqlite+aiosqlite:///{self._path}", clock=self._clock)
        self._limits = await storage.open()
        self._handles.append(storage)
        return storage

    async def crash(self, storage: FlowStorage) -> None:
        # As the kernel does for a killed process: descriptors are closed, locks are gone.
        await storage.close()

    def now(self) -> int:
        return self._clock()

    def advance(self, milliseconds: int) -> None:
        self._clock.advance(milliseconds)

    async def damage(self, key: str) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute(
            "UPDATE conversations SET state = CAST(x'7b22ff' AS TEXT) WHERE key = ?", (key,)
        )
        connection.close()

    async def traces(self, text: str) -> Collection[str]:
        files = sorted(self._path.parent.iterdir())
        return [file.name for file in files if text.encode() in file.read_bytes()]

    def lose_answer(self, storage: FlowStorage, *, applied: bool) -> None:
        (handle,) = (handle for handle in self._handles if handle is storage)
        engine = handle._opened.hot._connection.engine

        def fail(connection: Connection) -> None:
            event.remove(engine, "commit", fail)
            if applied:
                connection.connection.commit()
            lost = sqlite3.OperationalError("disk I/O error")
            lost.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise lost

        event.listen(engine, "commit", fail)

    async def close(self) -> None:
        for storage in self._handles:
            await storage.close()


class TestSqlite(StorageContract):
    @pytest.fixture
    async def backend(self, tmp_path: Path) -> AsyncIterator[Backend]:
        backend = SqliteBackend(tmp_path / "contract.db")
        yield backend
        await backend.close()
