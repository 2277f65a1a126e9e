"""A line to a server that a test can cut, hold up, and break where it hurts most.

A backend whose storage talks to a server over TCP lets each handle connect by way of a ``Wire``
of its own, and has three of its ``Ability`` for nothing: ``LOST_ANSWERS``, ``HELD`` and ``CUTS``.
The line must not be encrypted, for the wire looks for the bytes of a commit in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

CHUNK = 1 << 16


@dataclass(slots=True)
class _Line:
    """One connection: what the client says goes ``up``, what the server says goes ``down``."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    losing: bool = False

    def cut(self) -> None:
        for end in (self.client, self.server):
            end.transport.abort()


@dataclass(slots=True, kw_only=True)
class Wire:
    """Listens on a port of its own and passes everything on to a server.

    Attributes:
        host, port: of the server.
        commit: what the client sends when it commits, such as ``b"COMMIT"``.
        committed: what the server's answer to that holds; the empty default fits any answer.
    """

    host: str
    port: int
    commit: bytes
    committed: bytes = b""
    _server: asyncio.Server | None = None
    _lines: list[_Line] = field(default_factory=list)
    _pumps: set[asyncio.Task[None]] = field(default_factory=set)
    _loses: bool | None = None
    _arrived: asyncio.Event | None = None
    _passing: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> int:
        """Begins to listen on 127.0.0.1; answers the port to connect to."""
        self._passing.set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Cuts all connections and listens no more."""
        if self._server is not None:
            self._server.close()
        self._passing.set()
        self.cut()
        while self._pumps:
            await asyncio.wait(self._pumps)

    def cut(self) -> None:
        """Cuts all connections; new ones are possible at once."""
        for line in self._lines:
            line.cut()
        self._lines.clear()

    def lose_answer(self, *, applied: bool) -> None:
        """Cuts the connection of the next commit: once the server has ``applied`` it, or before."""
        self._loses = applied

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[asyncio.Event]:
        """Holds the next commit back until the context ends; the event is set when it came."""
        self._arrived = asyncio.Event()
        self._passing.clear()
        try:
            yield self._arrived
        finally:
            self._arrived = None
            self._passing.set()

    async def _connected(
        self, from_client: asyncio.StreamReader, client: asyncio.StreamWriter
    ) -> None:
        try:
            from_server, server = await asyncio.open_connection(self.host, self.port)
        except OSError:
            client.transport.abort()
            return
        line = _Line(client, server)
        self._lines.append(line)
        self._start(self._pump(line, from_client, server, partial(self._went_up, line)))
        self._start(self._pump(line, from_server, client, partial(self._came_down, line)))

    def _start(self, pump: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(pump)
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)

    async def _pump(
        self,
        line: _Line,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        passes: Callable[[bytes], Coroutine[Any, Any, bool]],
    ) -> None:
        # Where one end is gone, the other one has to go, too.
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if not await passes(data):
                    break
                writer.write(data)
                await writer.drain()
        line.cut()

    async def _went_up(self, line: _Line, data: bytes) -> bool:
        """Whether something that the client has sent may go on to the server."""
        if self.commit not in data:
            return True
        if self._arrived is not None:
            self._arrived.set()
            await self._passing.wait()
        loses, self._loses = self._loses, None
        line.losing = loses is True
        return loses is not False

    async def _came_down(self, line: _Line, data: bytes) -> bool:
        """Whether the client gets what the server has answered."""
        return not (line.losing and self.committed in data)
