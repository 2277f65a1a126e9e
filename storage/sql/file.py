"""An SQLite file: one process works on it, and what every turn needs runs on the event loop."""

from __future__ import annotations

import asyncio
from functools import partial

from flows.ports import Fence
from storage.sql import migrate
from storage.sql.cold import ColdConnections
from storage.sql.connect import async_engine, patient_engine
from storage.sql.database import Opened
from storage.sql.dialects import Dialect
from storage.sql.dialects.sqlite import SqliteDialect
from storage.sql.hot import HotConnection
from storage.sql.location import Location
from storage.sql.owner import FileOwner
from storage.sql.partitions import LeaseCall, Partitions
from storage.wakes import Wakes

DURABILITY = {
    "FULL": "Every commit is on the disk when it returns: it survives the end of the process and "
    "a power cut.",
    "EXTRA": "Every commit is on the disk, its folder entry included, when it returns: it "
    "survives the end of the process and a power cut.",
    "NORMAL": "Commits survive the end of the process; a power cut may take the last ones.",
}


class FileDatabase:
    """A file; others may open it to look, and to put rows into the inbox.

    Args:
        patience: seconds that a call waits for another program's lock.
    """

    shared = False

    def __init__(self, location: Location, *, patience: float) -> None:
        self.sql: Dialect = SqliteDialect()
        self._location = location
        self._patience = patience
        self._owner = FileOwner(location.path)

    async def open(self) -> Opened:
        await asyncio.to_thread(migrate.upgrade_file, self._location, patience=self._patience)
        path, synchronous = self._location.path, self._location.synchronous
        hot = patient_engine(path, synchronous=synchronous, patience=self._patience)
        cold = async_engine(path, synchronous=synchronous, patience=self._patience)
        return Opened(
            hot=HotConnection(hot, path, patience=self._patience, synchronous=synchronous),
            cold=ColdConnections(cold, path, patience=self._patience),
            wakes=Wakes(),
            durability=DURABILITY[synchronous],
        )

    async def close(self, opened: Opened | None) -> None:
        if opened is not None:
            opened.wakes.close()
            await opened.hot.close()
            await opened.cold.close()
        self._owner.release()

    async def lease(self, opened: Opened, partitions: Partitions, call: LeaseCall) -> Fence:
        hot = opened.hot
        if not self._owner.is_held:
            self._owner.acquire()
            try:
                # Whoever held partitions of this file before is dead, or has let them go.
                await hot.write(partitions.free_all)
            except BaseException:
                self._owner.release()
                raise
        return await hot.write(partial(partitions.lease, call=call))

    async def release(self, opened: Opened, partitions: Partitions, worker: str) -> None:
        if self._owner.is_held and await opened.hot.write(
            partial(partitions.release, worker=worker)
        ):
            self._owner.release()

    def listen(self, opened: Opened) -> None:
        """Nobody tells a file's owner of others' work."""
