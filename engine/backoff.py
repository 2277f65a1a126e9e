"""How long to wait after failures: longer each time, never in step with others."""

from __future__ import annotations

import random
from dataclasses import dataclass


def delay(failures: int, *, base: float, cap: float) -> float:
    """Seconds to wait after so many failures in a row (1 or more).

    It doubles from ``base`` up to ``cap``; the result lies between half of that and all of
    it, so that many clients do not come back at the same moment.
    """
    full = min(cap, base * 2.0 ** min(failures - 1, 32))
    return random.uniform(full / 2, full)  # noqa: S311 - jitter, not a secret


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Counts failures in a row. ``base`` and ``cap`` are seconds."""

    base: float
    cap: float
    failures: int = 0

    def next(self) -> float:
        """Counts a failure and answers the seconds to wait."""
        self.failures += 1
        return delay(self.failures, base=self.base, cap=self.cap)

    def reset(self) -> None:
        """Something worked."""
        self.failures = 0
