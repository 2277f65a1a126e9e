"""How much one person may send: some at once, and then so much a second."""

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

    def __init__(self, clock: Clock, *, burst: float = BURST, rate: float = RATE) -> None:
        self._clock = clock
        self._burst = float(burst)
        self._rate = rate
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, person: str, amount: float = 1.0) -> float:
        """Seconds that the person has to wait; 0: it may be taken, and is counted."""
        now = self._clock.monotonic()
        left, then = self._buckets.pop(person, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        taken = left >= amount
        self._buckets[person] = (left - amount if taken else left, now)
        if len(self._buckets) > PEOPLE:
            del self._buckets[next(iter(self._buckets))]
        return 0.0 if taken else (amount - left) / self._rate

    def give_back(self, person: str, amount: float) -> None:
        """What was counted was not taken."""
        left, then = self._buckets.get(person, (self._burst, self._clock.monotonic()))
        self._buckets[person] = (left + amount, then)
