"""SQLite under the contract: handles on one file, of which one may lease at a time."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

from flows.ports import FlowStorage, Limits
from storage import SqlStorage
from storage.sql.hot import HotConnection
from storage.testing import Ability, ManualClock


def make_template(folder: Path) -> Path:
    """An empty database, to be copied: making one takes longer than most tests."""
    path = folder / "template.db"

    async def make() -> None:
        storage = SqlStorage(f"sqlite:///{path}")
        await storage.open()
        await storage.close()

    asyncio.run(make())
    return path


class _Losing:
    """A cursor that loses the answer to the next COMMIT."""

    def __init__(self, hot: HotConnection, *, applied: bool) -> None:
        self._hot = hot
        self._cursor = hot._cursor
        self._applied = applied

    def execute(self, statement: str, *parameters: Any) -> object:
        if statement != "COMMIT":
            return self._cursor.execute(statement, *parameters)
        self._hot._cursor = self._cursor
        if self._applied:
            self._cursor.execute(statement)
        lost = sqlite3.OperationalError("disk I/O error")
        lost.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise lost

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class SqliteBackend:
    """One file in a folder of its own, a copy of ``template`` where one is given."""

    abilities = frozenset({Ability.DAMAGE, Ability.TRACES, Ability.LOST_ANSWERS})

    def __init__(self, folder: Path, template: Path | None = None) -> None:
        self._path = folder / "contract.db"
        if template is not None:
            shutil.copy(template, self._path)
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
        hot = handle._opened.hot
        assert isinstance(hot, HotConnection)
        hot._cursor = cast(sqlite3.Cursor, _Losing(hot, applied=applied))

    def hold(self, storage: FlowStorage) -> AbstractAsyncContextManager[asyncio.Event]:
        raise NotImplementedError("SQLite commits in one step of the loop")

    async def cut(self, storage: FlowStorage) -> None:
        raise NotImplementedError("SQLite has no server")

    async def close(self) -> None:
        for storage in self._handles:
            await storage.close()
