"""How often somebody may be wrong."""

from __future__ import annotations

from collections import OrderedDict, deque

from flows.ports import Clock

TRIES = 10
"""Wrong tokens from one address within ``MINUTE``."""

MINUTE = 60.0

REMEMBERED = 1024
"""Addresses; beyond that the one that was wrong longest ago is forgotten."""


class Throttle:
    """Counts wrong tokens by address."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0: now."""
        times = self._wrong.get(address)
        if times is None:
            return 0.0
        now = self._clock.monotonic()
        while times and times[0] <= now - MINUTE:
            times.popleft()
        return times[0] + MINUTE - now if len(times) >= TRIES else 0.0

    def was_wrong(self, address: str) -> None:
        """Counts a wrong token."""
        times = self._wrong.setdefault(address, deque(maxlen=TRIES))
        times.append(self._clock.monotonic())
        self._wrong.move_to_end(address)
        if len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)
