"""Measuring whole turns on one storage at one concurrency."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

from engine import App
from flows.ports import FlowStorage
from storage import open_storage
from tests.bench.bot import app
from tests.bench.people import Crowd, People

WARM_UP = 0.5
"""Seconds before anything counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came out.

    Attributes:
        p50, p99: milliseconds from writing a message to the arrival of its answer.
    """

    turns: int
    per_second: float
    p50: float
    p99: float


async def measure(url: str, conversations: int, *, seconds: float, flows: int = 1) -> Measured:
    """Runs the bot on an empty database, with so many people who write at the same time.

    Raises:
        RuntimeError: the bot ended by itself, or people were not answered as they should be.
    """
    async with talking(open_storage(url), Crowd(conversations), app(flows=flows)) as talk:
        return await talk.measure(seconds)


class Talk:
    """A bot with its people, at work."""

    def __init__(self, people: People, running: asyncio.Future[None]) -> None:
        self._people = people
        self._running = running

    async def measure(self, seconds: float) -> Measured:
        """Measures for so long. Raises RuntimeError as ``measure`` does."""
        people = self._people
        people.measure()
        begin = perf_counter()
        await asyncio.wait((self._running,), timeout=seconds)
        await self.answered()
        waits, lasted = people.waits, perf_counter() - begin
        if self._running.done():
            raise RuntimeError("the bot ended by itself") from self._running.exception()
        if not waits or people.wrong:
            raise RuntimeError(
                f"{len(waits)} answers in {seconds:g} seconds, {len(people.wrong)} of them wrong: "
                f"{people.wrong[:3]}"
            )
        ordered = sorted(waits)
        return Measured(
            turns=len(waits),
            per_second=len(waits) / lasted,
            p50=percentile(ordered, 50),
            p99=percentile(ordered, 99),
        )

    async def answered(self) -> None:
        """Returns when somebody was answered: however slow the machine, something is measured."""
        arriving = asyncio.ensure_future(self._people.arrived.wait())
        await asyncio.wait((arriving, self._running), return_when=asyncio.FIRST_COMPLETED)
        arriving.cancel()


@asynccontextmanager
async def talking(storage: FlowStorage, people: People, bot: App) -> AsyncIterator[Talk]:
    """The bot talks with them, warmed up."""
    stop = asyncio.Event()
    running = asyncio.ensure_future(bot.run(channel=people, storage=storage, stop=stop))
    talk = Talk(people, running)
    try:
        await talk.answered()
        await asyncio.wait((running,), timeout=WARM_UP)
        yield talk
    finally:
        stop.set()
        await asyncio.wait((running,))
    running.result()


def percentile(ordered: Sequence[float], percent: int) -> float:
    """In milliseconds; the smallest value that ``percent`` of all do not exceed."""
    place = max(-(-len(ordered) * percent // 100), 1)
    return ordered[place - 1] * 1000
