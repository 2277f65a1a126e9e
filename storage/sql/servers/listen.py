"""PostgreSQL's LISTEN: hints of others' work, on a direct connection of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as adapter

from storage.sql.dialects.postgresql import CHANNEL
from storage.sql.location import Server
from storage.sql.servers.failures import Failures
from storage.sql.servers.postgresql import CONNECT_SECONDS
from storage.wakes import Wakes

log = logging.getLogger(__name__)

APPLICATION = "handrail listening"
"""What the server calls the connection."""

PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds before it connects anew: at first, and at most."""


class Listener:
    """Hints whenever causes for partitions of this handle were added elsewhere.

    It heals itself; while it is away hints are lost, which the engine bears.
    """

    def __init__(self, server: Server, failures: Failures) -> None:
        self._server = server
        self._failures = failures
        self._parts: frozenset[str] = frozenset()
        self._task: asyncio.Task[None] | None = None

    def start(self, wakes: Wakes) -> None:
        """Begins to hint, if it has not begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(wakes), name="handrail LISTEN")

    def attend(self, parts: Collection[int]) -> None:
        """From now on only causes of these partitions are of interest."""
        self._parts = frozenset(map(str, parts))

    async def stop(self) -> None:
        """Ends it. May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self, wakes: Wakes) -> None:
        pause = PAUSE
        while True:
            try:
                connection = await self._connect()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                log.warning(
                    "no hints of new work, which is looked for every second instead: %s",
                    self._failures.translated(error),
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = PAUSE
            await self._listen(connection, wakes)

    async def _connect(self) -> Any:
        dialect = adapter.dialect()  # type: ignore[no-untyped-call]
        _, arguments = dialect.create_connect_args(self._server.url)  # type: ignore[no-untyped-call]
        return await asyncpg.connect(
            **arguments,
            timeout=CONNECT_SECONDS,
            server_settings={"application_name": APPLICATION},
        )

    async def _listen(self, connection: Any, wakes: Wakes) -> None:
        """Listens until the connection is lost."""
        ended = asyncio.Event()

        def heard(_connection: object, _pid: int, _channel: str, parts: str) -> None:
            if not self._parts.isdisjoint(parts.split(",")):
                wakes.hint()

        try:
            connection.add_termination_listener(lambda _: ended.set())
            await connection.add_listener(CHANNEL, heard)
            # What was said while nobody listened is unknown.
            wakes.hint()
            await ended.wait()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await asyncio.sleep(PAUSE)
        finally:
            connection.terminate()
