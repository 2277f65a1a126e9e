"""The port of clocks."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Time, so that tests can hold it."""

    def now(self) -> int:
        """Milliseconds since the epoch (UTC)."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns after so many seconds of this clock."""
        ...
