"""What is done to the processes and to the machine while they work."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.testing.faults import Boundary, CrashPoint
from tests.crash.proxy import Cut, Proxy
from tests.crash.run import PATIENCE, Fate, Run
from tests.crash.servers import Server

UNTIL = 0.95
"""The part of the updates after which nothing is done any more: the rest shows that it goes on."""

BOUNDARIES: Sequence[Boundary] = ("accept", "commit", "send", "sent", "note", "fire", "lease")
"""What a process dies at, before and after: whatever makes something durable, and the send."""

AT_START: Sequence[Boundary] = ("lease", "pending")
"""What a process dies at while it starts."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is, and the seed of its chance."""

    updates: int
    kills: int
    seed: int


def marks(run: Run, count: int) -> list[int]:
    """So many numbers of answered messages, by chance, at which something is done."""
    last = int(run.world.total * UNTIL)
    return sorted(run.chance.sample(range(1, last), min(count, last - 1)))


async def reached(run: Run, mark: int) -> bool:
    """Waits until so many messages are answered; False where nothing goes on."""
    return await run.world.until(lambda: run.world.answered >= mark, patience=PATIENCE)


def fates(run: Run, kills: int) -> list[Fate]:
    """Every other process dies anywhere, the others each at the next one of all points."""
    points = [CrashPoint(at, after=after) for at in BOUNDARIES for after in (False, True)]
    run.chance.shuffle(points)
    chosen: list[Fate] = []
    for number in range(kills):
        point = points[number // 2 % len(points)]
        skip = run.chance.randrange(3) if point.at in ("accept", "commit", "send", "sent") else 0
        point = CrashPoint(point.at, after=point.after, skip=skip)
        chosen.append(Fate() if number % 2 else Fate(on_signal=point))
    return chosen


def dead_at_start(count: int) -> list[Fate]:
    """Processes that die while they start."""
    points = [CrashPoint(at, after=after) for at in AT_START for after in (False, True)]
    return [Fate(at=point) for point in points[:count]]


async def kill(run: Run, kills: int) -> None:
    """Kills so many processes: anywhere, at every boundary in turn, and some at their start."""
    early = dead_at_start(kills // 5)
    times = marks(run, kills - len(early))
    run.fates = fates(run, len(times))
    for number, fate in enumerate(early):
        run.fates.insert(1 + number * (len(run.fates) // len(early)), fate)
    for mark in times:
        if not await reached(run, mark):
            return
        process = await run.busy()
        while process.order.at is not None:  # it dies by itself, soon
            await process.over()
            process = await run.busy()
        if process.order.on_signal is None:
            await asyncio.sleep(run.chance.random() * 0.02)
        await run.die(process)


async def hold_lock(run: Run, path: Path, holds: Sequence[float]) -> None:
    """Another program holds the writer's lock of an SQLite file, so many seconds each time."""
    for mark, seconds in zip(marks(run, len(holds)), holds, strict=False):
        if not await reached(run, mark):
            return
        await asyncio.to_thread(_begin_immediate, path, seconds)
        run.happened.faults += 1


def _begin_immediate(path: Path, seconds: float) -> None:
    other = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.execute("ROLLBACK")
    finally:
        other.close()


async def fill_disk(run: Run, folder: Path, times: int) -> None:
    """The disk of the database is full, until a process has noticed it, and a while longer."""
    run.troubled = True  # a process that starts on a full disk ends, and is started again
    filler = folder / "filler"
    for mark in marks(run, times):
        if not await reached(run, mark):
            return
        process = await run.someone()
        _fill(filler)
        try:
            for _ in range(200):
                if "disk is full" in process.log or not process.alive:
                    run.happened.faults += 1
                    break
                await asyncio.sleep(0.05)
            await asyncio.sleep(run.chance.random())
        finally:
            filler.unlink()


async def crash_server(run: Run, server: Server, times: int) -> None:
    """The server stops in the middle of everything, and is there again a moment later."""
    run.troubled = True
    for mark in marks(run, times):
        if not await reached(run, mark):
            return
        begin = time.monotonic()
        await server.crash()
        await asyncio.sleep(run.chance.random())
        await server.start()
        run.outage(begin, time.monotonic())
        run.happened.faults += 1


async def terminate(run: Run, url: str, times: int) -> None:
    """Half of the connections to PostgreSQL are ended by the server, whatever they do."""
    import asyncpg  # it is installed where PostgreSQL can be used

    run.troubled = True
    administrator = await asyncpg.connect(url)
    try:
        for mark in marks(run, times):
            if not await reached(run, mark):
                return
            ended = await administrator.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND random() < 0.5"
            )
            run.happened.faults += ended
    finally:
        await administrator.close()


CUTS: Sequence[Cut] = ("before", "after", "late")


async def cut_commits(run: Run, proxy: Proxy, times: int) -> None:
    """Connections are cut between COMMIT and its answer, before or after it was carried out, or
    hang there.
    """
    run.troubled = True
    for number, mark in enumerate(marks(run, times)):
        if not await reached(run, mark):
            return
        proxy.cut_next(CUTS[number % len(CUTS)])
    run.happened.faults += proxy.cuts


async def freeze(run: Run, times: int, *, seconds: float) -> None:
    """Workers that hold partitions are stopped for so long, one after the other, and go on then;
    if possible while they send something.
    """
    for mark in marks(run, times):
        if not await reached(run, mark):
            return
        process = await run.busy()
        for _ in range(500):
            if process.unmarked():
                break
            await asyncio.sleep(0.01)
            process = await run.busy()
        await run.freeze(process, seconds)


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:  # ends with the room
            file.write(bytes(1 << 16))
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
