"""The world's door: the Bot API over HTTP on loopback, lean enough for a bot at full speed.

What it understands is what the bot's HTTP client sends: a POST with a length. ``tests.botapi``
is the server with judges, for tests of the channel itself.
"""

from __future__ import annotations

import asyncio
import re
from types import TracebackType
from typing import cast

import orjson

from tests.crash.world import Conflict, World

TOKEN = "42:LOOPBACK-crash"
PROCESS = "x-process"
"""The header in which a process says its name."""

_HEAD = re.compile(rb"POST /bot42:LOOPBACK-crash/(\w+) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_NAME = re.compile(rb"\r\nx-process: (\w+)", re.IGNORECASE)
_CONFLICT = "Conflict: terminated by other getUpdates request"


class Service:
    """Serves a world, as an async context manager. ``url`` is what a channel takes."""

    def __init__(self, world: World) -> None:
        self.url = ""
        self._world = world
        self._connections: set[_Connection] = set()

    async def __aenter__(self) -> Service:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for connection in tuple(self._connections):
            connection.transport.abort()
        await self._server.wait_closed()

    def _connection(self) -> _Connection:
        return _Connection(self._world, self._connections)


class _Connection(asyncio.Protocol):
    """One connection: one call after the other. A call ends with its connection."""

    transport: asyncio.Transport

    def __init__(self, world: World, connections: set[_Connection]) -> None:
        self._world = world
        self._connections = connections
        self._buffer = b""
        self._calling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._connections.discard(self)
        if self._calling is not None:
            self._calling.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        method, name, length = _HEAD.match(head), _NAME.search(head), _LENGTH.search(head)
        if method is None or name is None or length is None:
            raise AssertionError(f"no request of this bot: {head!r}")
        if len(rest) == int(length[1]):
            self._buffer = b""
            calling = self._call(name[1].decode(), method[1].decode(), rest)
            self._calling = asyncio.ensure_future(calling)

    async def _call(self, process: str, method: str, body: bytes) -> None:
        try:
            result = await self._world.call(process, method, orjson.loads(body))
            answer = _response(200, {"ok": True, "result": result})
        except Conflict:
            answer = _response(409, {"ok": False, "error_code": 409, "description": _CONFLICT})
        self.transport.write(answer)


def _response(status: int, content: object) -> bytes:
    body = orjson.dumps(content)
    head = (
        f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    )
    return f"{head}\r\n".encode() + body
