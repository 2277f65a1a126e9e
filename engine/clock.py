"""The clock of the machine."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Real time; the port is ``flows.ports.Clock``."""

    def now(self) -> int:
        """Milliseconds since the epoch (UTC)."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Returns after so many seconds."""
        await asyncio.sleep(seconds)
