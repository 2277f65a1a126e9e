"""A database on a server: several workers share it, each with connections of its own."""

from __future__ import annotations

from functools import partial

from flows.ports import Fence
from storage.sql.database import Opened
from storage.sql.dialects import Dialect
from storage.sql.location import Server
from storage.sql.partitions import LeaseCall, Partitions
from storage.sql.servers import kinds, migrate
from storage.sql.servers.cold import ServerCold
from storage.sql.servers.connections import ServerConnections
from storage.sql.servers.failures import Failures
from storage.wakes import Wakes


class ServerDatabase:
    """A database on a server. Its tables are the operator's to upgrade.

    Args:
        patience: seconds that a statement waits for a lock.
    """

    shared = True

    def __init__(self, server: Server, *, patience: float) -> None:
        self._kind = kinds.kind_of(server)
        self.sql: Dialect = self._kind.dialect()
        self._server = server
        self._patience = patience
        self._failures = Failures(server, self._kind.errors)
        self._listener = self._kind.listener(server, self._failures)

    async def open(self) -> Opened:
        durability = await migrate.check(
            self._server, self._kind, self._failures, patience=self._patience
        )
        writing, reading = self._kind.hot_engines(self._server, patience=self._patience)
        cold = self._kind.cold_engine(self._server, patience=self._patience)
        return Opened(
            hot=ServerConnections(
                writing, reading, self._failures, self._kind.cursor, patience=self._patience
            ),
            cold=ServerCold(cold, self._failures, patience=self._patience),
            wakes=Wakes(),
            durability=durability,
        )

    async def close(self, opened: Opened | None) -> None:
        await self._listener.stop()
        if opened is not None:
            opened.wakes.close()
            await opened.hot.close()
            await opened.cold.close()

    async def lease(self, opened: Opened, partitions: Partitions, call: LeaseCall) -> Fence:
        fence = await opened.hot.write(partial(partitions.lease, call=call))
        self._listener.attend(fence.epochs)
        return fence

    async def release(self, opened: Opened, partitions: Partitions, worker: str) -> None:
        await opened.hot.write(partial(partitions.release, worker=worker))
        self._listener.attend(())

    def listen(self, opened: Opened) -> None:
        self._listener.start(opened.wakes)
