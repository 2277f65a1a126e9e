"""Stand-ins for the other side of a channel's ports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flows.updates import Update


class Inbox:
    """An intake that keeps what it is given; ``failures`` are raised first, one a page."""

    def __init__(self, *failures: Exception) -> None:
        self.updates: list[Update] = []
        self.letters: list[tuple[str, str]] = []
        self.pages: list[list[Update]] = []
        self.failures = list(failures)
        self.gate = asyncio.Event()
        self.gate.set()
        self._came = asyncio.Condition()

    async def accept(self, updates: Sequence[Update]) -> Sequence[Update]:
        """Keeps a page, once the gate is open."""
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.pages.append(list(updates))
        self.updates.extend(updates)
        async with self._came:
            self._came.notify_all()
        return ()

    async def set_aside(self, source: str, ext: str, body: str, *, at: int) -> None:
        """Keeps what is no update."""
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.letters.append((ext, body))

    async def settle(self) -> None:
        """Nothing runs behind it."""

    async def has(self, count: int) -> list[Update]:
        """The updates, once there are so many."""
        async with asyncio.timeout(10), self._came:
            await self._came.wait_for(lambda: len(self.updates) >= count)
        return self.updates


class QuickClock:
    """A clock whose sleeps take no time; ``slept`` are their seconds."""

    def __init__(self, now: int = 1_760_000_123_000) -> None:
        self.slept: list[float] = []
        self._now = now

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Seconds."""
        return self._now / 1000

    async def sleep(self, seconds: float) -> None:
        """Notes the seconds and lets others run."""
        self.slept.append(seconds)
        self._now += int(seconds * 1000)
        await asyncio.sleep(0)
