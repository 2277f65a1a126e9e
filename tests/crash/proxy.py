"""A proxy before PostgreSQL that cuts connections at COMMIT."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Literal

COMMIT = b"COMMIT;\0"
"""How the driver says it: the text of a simple query."""

Cut = Literal["before", "after", "late"]

LATE = 7.0
"""Seconds that COMMIT is held back: longer than the server lets a transaction hang."""


class Proxy:
    """Passes bytes on, as an async context manager, and cuts where it is told to.

    Attributes:
        cuts: how often it has cut so far.
    """

    def __init__(self, to: int) -> None:
        self.port = 0
        self.cuts = 0
        self._to = to
        self._next: Cut | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def cut_next(self, when: Cut) -> None:
        """Cuts at the next COMMIT: before the server hears of it, or after it has answered and
        before the answer is passed on: in either case the client knows nothing. ``late``: COMMIT
        is held back meanwhile, as by a network that hangs.
        """
        self._next = when

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = [writer]
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
            writers.append(to_server)
            await self._converse(reader, writer, from_server, to_server)
        except (OSError, asyncio.CancelledError):
            pass  # either side is gone, or the proxy is told to end
        finally:
            self._tasks.discard(task)
            for one in writers:
                one.transport.abort()

    async def _converse(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        answering = asyncio.ensure_future(_pass_on(from_server, writer))
        asking = asyncio.ensure_future(self._ask(reader, to_server, answering))
        try:
            await asyncio.wait({answering, asking}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done() and asking.result():
                await from_server.read(65536)  # the answer, which nobody hears
        finally:
            for task in (answering, asking):
                task.cancel()
            await asyncio.gather(answering, asking, return_exceptions=True)

    async def _ask(
        self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter, answering: Any
    ) -> bool:
        """Passes on what the client says; answers whether the server is to be heard out."""
        while data := await reader.read(65536):
            cut = self._next if COMMIT in data else None
            if cut is None:
                to_server.write(data)
                await to_server.drain()
                continue
            self._next = None
            self.cuts += 1
            if cut == "late":
                await asyncio.sleep(LATE)
                to_server.write(data)
                await to_server.drain()
                continue
            if cut == "before":
                return False
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            to_server.write(data)
            await to_server.drain()
            return True
        return False


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
