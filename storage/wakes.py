"""Hints that there is work: they may be lost or invented, but the stream ends on close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator


class Wakes:
    """The hints for one handle of a storage."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._closed = False

    def hint(self) -> None:
        """Wakes whoever listens, once, however many hints there were meanwhile."""
        self._changed.set()

    def close(self) -> None:
        """Ends all streams."""
        self._closed = True
        self._changed.set()

    async def listen(self) -> AsyncIterator[None]:
        """Yields after each hint until ``close``."""
        while True:
            await self._changed.wait()
            if self._closed:
                return
            self._changed.clear()
            yield
