"""The clock of a storage that lives in this process: milliseconds since the epoch (UTC)."""

from __future__ import annotations

import time
from collections.abc import Callable

Milliseconds = Callable[[], int]
"""Answers the time; tests put a clock of their own in its place."""


def system_clock() -> int:
    """The time of this machine."""
    return time.time_ns() // 1_000_000


class VersionClock:
    """Versions for scopes that are new: the time in microseconds, and above all given before.

    A scope that was erased and made again must never have a version that it had before, not
    even when the clock stands still or goes back.
    """

    def __init__(self) -> None:
        self._highest = 0

    def first(self, micros: int) -> int:
        """The version of a scope that is written for the first time, at this time."""
        return self.seen(max(micros, self._highest + 1))

    def seen(self, version: int) -> int:
        """Takes note of a version that a scope has got, and answers it."""
        if version > self._highest:
            self._highest = version
        return version
