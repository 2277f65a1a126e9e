"""Measuring one storage at one concurrency."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from flows.ports import FlowStorage
from storage import open_storage
from tests.bench.bot import app
from tests.bench.people import Crowd

WARM_UP = 0.5
"""Seconds before anything counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came out.

    Attributes:
        conversations: how many people wrote at the same time.
        p50, p99: milliseconds from writing a message to the arrival of its answer.
    """

    storage: str
    conversations: int
    turns: int
    per_second: float
    p50: float
    p99: float


async def measure(storage: str, conversations: int, *, seconds: float, folder: Path) -> Measured:
    """Runs the bot with so many people.

    Args:
        storage: ``memory`` or ``sqlite``.
        folder: where the SQLite file is put.

    Raises:
        RuntimeError: the bot ended by itself, or people were not answered as they should be.
    """
    crowd = Crowd(conversations)
    stop = asyncio.Event()
    opened = _storage(storage, folder / f"bench-{conversations}.db")
    running = asyncio.ensure_future(app().run(channel=crowd, storage=opened, stop=stop))
    try:
        await _answered(crowd, running)
        await asyncio.wait((running,), timeout=WARM_UP)
        crowd.measure()
        begin = perf_counter()
        await asyncio.wait((running,), timeout=seconds)
        await _answered(crowd, running)
        waits, lasted = crowd.waits, perf_counter() - begin
        if running.done():
            raise RuntimeError("the bot ended by itself") from running.exception()
    finally:
        stop.set()
        await asyncio.wait((running,))
    running.result()
    if not waits or crowd.wrong:
        raise RuntimeError(
            f"{len(waits)} answers in {seconds:g} seconds, {len(crowd.wrong)} of them wrong: "
            f"{crowd.wrong[:3]}"
        )
    ordered = sorted(waits)
    return Measured(
        storage=storage,
        conversations=conversations,
        turns=len(waits),
        per_second=len(waits) / lasted,
        p50=_percentile(ordered, 50),
        p99=_percentile(ordered, 99),
    )


async def _answered(crowd: Crowd, running: asyncio.Future[None]) -> None:
    """Returns when somebody was answered: however slow the machine, something is measured."""
    arriving = asyncio.ensure_future(crowd.arrived.wait())
    await asyncio.wait((arriving, running), return_when=asyncio.FIRST_COMPLETED)
    arriving.cancel()


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """In milliseconds; the smallest value that ``percent`` of all do not exceed."""
    place = max(-(-len(ordered) * percent // 100), 1)
    return ordered[place - 1] * 1000


def _storage(name: str, path: Path) -> FlowStorage:
    return open_storage("memory://" if name == "memory" else f"sqlite+aiosqlite:///{path}")
