"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

TURNS_OF_THE_LOOP = 30
"""How often the event loop goes round after each step of the clock."""

START = 1_800_000_000_000
"""Where a clock starts unless said: 15 January 2027, 08:00 UTC."""


@dataclass(order=True, slots=True)
class _Sleeper:
    due: int
    order: int
    seconds: float = field(compare=False)
    woken: asyncio.Future[None] = field(compare=False)


class VirtualClock:
    """The ``Clock`` of an App under test. Give it to ``Chat``, which hands it to the App, and its
    ``now`` to a storage of your own: ``SqlStorage(url, clock=clock.now)``.

    Args:
        now: where it starts, in milliseconds since the epoch.
    """

    def __init__(self, now: int = START) -> None:
        self._now = now
        self._sleepers: list[_Sleeper] = []
        self._order = count()

    def now(self) -> int:
        """Milliseconds since the epoch (UTC)."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._now / 1000

    async def sleep(self, seconds: float) -> None:
        """Returns when the clock was moved so far."""
        due = self._now + max(round(seconds * 1000), 1)
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, _Sleeper(due, next(self._order), seconds, woken))
        await woken

    def skip(self, by: timedelta | float) -> None:
        """Time passes and nobody wakes, as while no process runs. ``by``: seconds, if a number."""
        self._now += milliseconds(by)

    async def advance(self, by: timedelta | float) -> None:
        """Moves on; everybody who wakes on the way does so in order, at their own time.

        It does not wait for what they do but for some rounds of the event loop; ``Chat.advance``
        does. ``by``: seconds, if a number.
        """
        end = self._now + milliseconds(by)
        await _go_round()
        while self._sleepers and self._sleepers[0].due <= end:
            sleeper = heapq.heappop(self._sleepers)
            self._now = max(self._now, sleeper.due)
            if not sleeper.woken.done():
                sleeper.woken.set_result(None)
                await _go_round()
        self._now = end
        await _go_round()

    def next_due(self, *, longer_than: float = 0.0, but: float | None = None) -> int | None:
        """When the first of those wakes who sleep longer than so many seconds, and not ``but``
        seconds; None: nobody does.
        """
        dues = [
            sleeper.due
            for sleeper in self._sleepers
            if sleeper.seconds > longer_than and sleeper.seconds != but
            if not sleeper.woken.done()
        ]
        return min(dues, default=None)


def milliseconds(by: timedelta | float) -> int:
    """A span of time in milliseconds; a number is in seconds.

    Raises:
        ValueError: it is negative: time does not go back.
    """
    span = by // timedelta(milliseconds=1) if isinstance(by, timedelta) else round(by * 1000)
    if span < 0:
        raise ValueError(f"time does not go back: {by}")
    return span


async def _go_round() -> None:
    for _ in range(TURNS_OF_THE_LOOP):
        await asyncio.sleep(0)
