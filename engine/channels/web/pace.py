"""How much one person may send: some at once, and then so many a second."""

from __future__ import annotations

from flows.ports import Clock

BURST = 20
"""Messages at once."""

RATE = 2.0
"""Messages a second after that."""

PEOPLE = 4096
"""People who are remembered; those who have been quiet are forgotten first."""


class Pace:
    """A bucket of tokens for each person."""

    def __init__(self, clock: Clock, *, burst: int = BURST, rate: float = RATE) -> None:
        self._clock = clock
        self._burst = burst
        self._rate = rate
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, person: str) -> float:
        """Seconds that the person has to wait; 0: it may be taken, and is counted."""
        now = self._clock.monotonic()
        left, then = self._buckets.pop(person, (float(self._burst), now))
        left = min(self._burst, left + (now - then) * self._rate)
        taken = left >= 1
        self._buckets[person] = (left - taken, now)
        if len(self._buckets) > PEOPLE:
            del self._buckets[next(iter(self._buckets))]
        return 0.0 if taken else (1 - left) / self._rate
