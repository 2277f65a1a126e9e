"""What runs and how it has ended, counted: by flow, by step, and as a funnel."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.flow import Flow
from flows.ports import Clock, Tally
from flows.turns.instance import Status

FRESH = 1.5
"""Seconds that counts are used again."""

REST = 10
"""Counting gets a tenth of the time at most: counts that took long are used for longer."""

LEFT = (Status.CANCELLED, Status.EXPIRED)
LIVE = (Status.ACTIVE, Status.ESCALATED, Status.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of one flow: how many instances there are in all, and with each status."""

    flow: str
    started: int
    by_status: Mapping[str, int]

    @property
    def running(self) -> int:
        """How many have not ended."""
        return sum(self.by_status.get(status, 0) for status in LIVE)


@dataclass(frozen=True, slots=True)
class Rung:
    """A step in the funnel.

    Attributes:
        came: how many have come to it, or further.
        here: how many stand at it now.
        left: how many have ended at it without completing: cancelled, or run out of time.
    """

    step: str
    came: int
    here: int
    left: int


class Counts:
    """The counts of all instances, taken anew when they are older than a moment. Several who look
    at once share one count.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        self._until = float("-inf")
        self._tallies: Sequence[Tally] = ()

    async def get(self, count: Callable[[], Awaitable[Sequence[Tally]]]) -> Sequence[Tally]:
        """The counts, which ``count`` takes where they are needed anew."""
        async with self._lock:
            begun = self._clock.monotonic()
            if begun >= self._until:
                self._tallies = await count()
                took = self._clock.monotonic() - begun
                self._until = begun + took + max(FRESH, took * REST)
            return self._tallies

    def forget(self) -> None:
        """Somebody has changed something: the next to look counts anew."""
        self._until = float("-inf")


def by_flow(tallies: Sequence[Tally], flows: Sequence[str]) -> list[Numbers]:
    """The numbers of each flow: those of the code first, then others that have instances."""
    counted: dict[str, Counter[str]] = {name: Counter() for name in flows}
    for one in tallies:
        counted.setdefault(one.flow, Counter())[one.status] += one.count
    return [Numbers(name, counts.total(), dict(counts)) for name, counts in counted.items()]


def live_at(tallies: Sequence[Tally], flow: str) -> dict[str, int]:
    """Step name to how many instances of a flow stand at it; those in several count at each."""
    counts: Counter[str] = Counter()
    for one in tallies:
        if one.flow == flow and one.status in LIVE:
            for step in one.step.split():
                counts[step] += one.count
    return dict(counts)


def funnel(tallies: Sequence[Tally], flow: Flow[Any, Any, Any]) -> list[Rung]:
    """The steps in their order, and how many came to each: who stands or has ended at a later
    step, or has completed, is taken to have passed it. Who is in several branches at once
    counts for the first of them.
    """
    order = {step: place for place, step in enumerate(flow.table)}
    came, here, left = ([0] * len(order) for _ in range(3))
    for one in tallies:
        if one.flow != flow.name:
            continue
        if one.status == Status.COMPLETED:
            place = len(order) - 1
        else:
            places = [order[step] for step in one.step.split() if step in order]
            if not places:
                continue
            place = min(places)
            (left if one.status in LEFT else here)[place] += one.count
        for earlier in range(place + 1):
            came[earlier] += one.count
    return [Rung(step, came[at], here[at], left[at]) for step, at in order.items()]
