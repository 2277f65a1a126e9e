"""Lines from a stream, read only when asked for, and cancellable at any time."""

from __future__ import annotations

import asyncio
import os
from io import UnsupportedOperation
from typing import Protocol, TextIO

MAX_LINE = 64 * 1024
"""Characters of a line that are kept; nobody types more."""

_MAX_BYTES = 4 * MAX_LINE
_CHUNK = 64 * 1024


class LineReader(Protocol):
    """Where typed lines come from."""

    async def read_line(self) -> str | None:
        """The next line without its line end; None at the end of the input."""
        ...


def reader_of(stream: TextIO) -> LineReader:
    """A reader for a terminal, a pipe, a file, or a text in memory."""
    try:
        return _DescriptorReader(stream.fileno())
    except (UnsupportedOperation, ValueError):
        return _MemoryReader(stream)


class _MemoryReader:
    """A stream without a file descriptor: a text in memory, where reading never blocks."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    async def read_line(self) -> str | None:
        line = self._stream.readline()
        return line.rstrip("\r\n")[:MAX_LINE] if line else None


class _DescriptorReader:
    """Reads bytes when the event loop says that there are some.

    A thread in ``readline()`` could not be cancelled, and would keep the process from ending
    at a signal. The descriptor is left in blocking mode: a terminal shares it with stdout.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = b""
        self._ended = False

    async def read_line(self) -> str | None:
        while b"\n" not in self._buffer and not self._ended:
            chunk = await self._read()
            self._ended = not chunk
            # of a line without an end no more is kept than anybody wants of it
            self._buffer = self._buffer[:_MAX_BYTES] + chunk
        if not self._buffer:
            # At a terminal, Ctrl-D ends this input and not the ones after it.
            return None
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r").decode(errors="replace")[:MAX_LINE]

    async def _read(self) -> bytes:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        try:
            loop.add_reader(self._descriptor, _set, ready)
        except PermissionError:
            # A regular file or /dev/null: epoll does not take them, and they never block. Others
            # and a signal get their turn all the same: /dev/zero has no end.
            await asyncio.sleep(0)
            return os.read(self._descriptor, _CHUNK)
        except NotImplementedError:
            # The Windows event loop watches no descriptors.
            return await asyncio.to_thread(os.read, self._descriptor, _CHUNK)
        try:
            await ready
        finally:
            loop.remove_reader(self._descriptor)
        try:
            return os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            # Another process took the bytes first.
            return await self._read()


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
