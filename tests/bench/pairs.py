"""Ratios on a machine that others use, too: the median of pairs, measured in turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from tests.bench.measure import Measured

LOOP_SECONDS = 0.7
"""How long the plain loop runs in each pair."""

One = TypeVar("One")
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True)
class Pair:
    """Updates a second of the plain loop, and turns right after it."""

    loop: float
    turns: Measured


async def in_turn(
    first: Callable[[], One], second: Callable[[], Awaitable[Other]], *, times: int
) -> list[tuple[One, Other]]:
    """Measures one and the other, again and again: what slows the machine slows both."""
    return [(first(), await second()) for _ in range(times)]


def rate_ratio(pairs: list[Pair]) -> float:
    """Turns for each update of the plain loop, the median of all pairs."""
    return median(pair.turns.per_second / pair.loop for pair in pairs)


def wait_ratio(pairs: list[Pair]) -> float:
    """How many updates of the plain loop the median answer takes, the median of all pairs."""
    return median(pair.turns.p50 / 1000 * pair.loop for pair in pairs)


def details(pairs: list[Pair]) -> dict[str, float]:
    """The medians of what the ratios come from."""
    return {
        "loop/s": median(pair.loop for pair in pairs),
        "turns/s": median(pair.turns.per_second for pair in pairs),
        "p50 ms": median(pair.turns.p50 for pair in pairs),
        "p99 ms": median(pair.turns.p99 for pair in pairs),
    }
