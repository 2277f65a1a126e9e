"""The wizard that everybody builds, the people who go through it, and what a peer is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Protocol

from tests.bench.measure import Measured, percentile

EXCHANGES = (
    ("/start", "What's your name?"),
    ("Ada Lovelace", "What's your e-mail, Ada Lovelace?"),
    ("ada@example.com", "How old are you?"),
    ("36", "Where do you live?"),
    ("London", "Ada Lovelace, 36, of London: is that right?"),
    ("yes", "Thank you, Ada Lovelace."),
)
"""What a person writes in six turns, over and over, and what has to be answered."""

WARM_UP = 1.0
"""Seconds before anything counts."""


class Peer(Protocol):
    """A library with the wizard in it."""

    async def open(self, folder: Path) -> None:
        """Makes ready; what is kept goes into the folder."""
        ...

    async def say(self, person: int, text: str) -> str:
        """A person writes; answers the text of the one message that comes back."""
        ...

    async def close(self) -> None:
        """Lets everything go."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
    """What came out for many people at once, and for one alone."""

    many: Measured
    alone: Measured


async def measure(peer: Peer, folder: Path, *, people: int, seconds: float) -> Result:
    """Lets people go through the wizard again and again.

    Raises:
        RuntimeError: an answer was not the expected one.
    """
    await peer.open(folder)
    try:
        await _talk(peer, people, WARM_UP, first=0)
        many = await _talk(peer, people, seconds, first=people)
        alone = await _talk(peer, 1, seconds, first=2 * people)
    finally:
        await peer.close()
    return Result(many, alone)


async def _talk(peer: Peer, people: int, seconds: float, *, first: int) -> Measured:
    waits: list[float] = []
    begin = perf_counter()

    async def person(number: int) -> None:
        for text, expected in cycle(EXCHANGES):
            if perf_counter() - begin > seconds:
                return
            written = perf_counter()
            answer = await peer.say(number, text)
            waits.append(perf_counter() - written)
            if answer != expected:
                raise RuntimeError(f"{text!r} was answered with {answer!r}, not {expected!r}")

    await asyncio.gather(*(person(first + number) for number in range(people)))
    lasted = perf_counter() - begin
    ordered = sorted(waits)
    return Measured(
        turns=len(waits),
        per_second=len(waits) / lasted,
        p50=percentile(ordered, 50),
        p99=percentile(ordered, 99),
    )
