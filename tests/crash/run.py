"""One run: a world, and processes that are replaced when they die."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from engine.testing.faults import CrashPoint
from tests.crash.journal import Message, holds_partitions, read, unmarked
from tests.crash.processes import KILLED, BotProcess, Order
from tests.crash.world import World

PATIENCE = 90.0
"""Seconds without a single new arrival after which a run counts as hung."""

ENDING = 30.0
"""Seconds that a process may take to stop when it is asked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A process was killed, or frozen for longer than it may hold anything.

    Attributes:
        at: by the monotonic clock.
        how: for people to read.
        unmarked: the messages that were in flight or not marked.
    """

    process: str
    at: float
    how: str
    unmarked: frozenset[Message]


@dataclass(frozen=True, slots=True)
class Fate:
    """What a process is told of where it dies: counted from its start, or from a signal."""

    at: CrashPoint | None = None
    on_signal: CrashPoint | None = None


@dataclass(frozen=True, slots=True)
class Freeze:
    """A process did nothing from ``begin`` to ``end``; its journal tells what it did then."""

    journal: Path
    begin: float
    end: float


@dataclass(slots=True, kw_only=True)
class Happened:
    """What happened in a run, but for what the world knows.

    Attributes:
        deaths: in their order.
        outages: for each time in which the database was gone, the messages that could not be
            marked: a process that meanwhile loses its lease has sent them for the next one to
            send again.
        exits: processes that ended by themselves, and what they said last.
        faults: how often the harness did something else than killing.
        complaints: what must not be, a line each.
    """

    deaths: list[Death] = field(default_factory=list)
    freezes: list[Freeze] = field(default_factory=list)
    outages: list[frozenset[Message]] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    faults: int = 0
    complaints: list[str] = field(default_factory=list)


class Run:
    """Keeps so many processes running, and lets them be killed.

    Attributes:
        fates: what the next processes that are started are told of where they die.
        troubled: the database is in trouble: processes may end before they have begun to work.
    """

    def __init__(
        self,
        world: World,
        *,
        database: str,
        service: str,
        folder: Path,
        workers: int,
        chance: random.Random,
        lease: str = "",
    ) -> None:
        self.world = world
        self.chance = chance
        self.happened = Happened()
        self.fates: list[Fate] = []
        self.troubled = False
        self.slots: list[BotProcess | None] = [None] * workers
        self._order = Order(name="", folder=folder, service=service, database=database, lease=lease)
        self._numbers = count(1)
        self._started: list[BotProcess] = []
        self._recorded: set[str] = set()

    @asynccontextmanager
    async def processes(self) -> AsyncIterator[None]:
        """Keeps the processes running; at the end they are asked to stop."""
        keeping = [asyncio.ensure_future(self._keep(slot)) for slot in range(len(self.slots))]
        try:
            yield
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            await asyncio.gather(*(self._stop(one) for one in self.slots if one is not None))

    async def kill(self, process: BotProcess) -> None:
        """Kills it wherever it is."""
        process.signal(signal.SIGKILL)
        await process.over()
        self._record(process, "anywhere")

    async def die(self, process: BotProcess, *, patience: float = 15.0) -> None:
        """Lets it die at its point; kills it where it has none, or does not come by there."""
        if process.order.on_signal is None or not await self.ready(process):
            await self.kill(process)
            return
        process.signal(signal.SIGUSR1)
        try:
            async with asyncio.timeout(patience):
                await process.over()
        except TimeoutError:
            await self.kill(process)

    async def freeze(self, process: BotProcess, seconds: float) -> None:
        """Stops it for a while, as a suspended machine does, and lets it go on."""
        process.signal(signal.SIGSTOP)
        begin = time.monotonic()
        self._write_down(process, "frozen", begin)
        await asyncio.sleep(seconds)
        end = time.monotonic()
        self.happened.freezes.append(Freeze(process.journal, begin, end))
        process.signal(signal.SIGCONT)
        for _ in range(1000):  # it is not frozen again before it has anything to lose
            if holds_partitions(process.journal, end):
                return
            await asyncio.sleep(0.02)

    def outage(self, begin: float, end: float) -> None:
        """The database was gone for a while."""
        lost = [unmarked(process.journal, begin, end) for process in self._started]
        self.happened.outages.append(frozenset().union(*lost))

    async def ready(self, process: BotProcess) -> bool:
        """Waits until it has called the world; False when it has ended before, or never does."""
        deadline = time.monotonic() + PATIENCE
        while process.alive and process.name not in self.world.seen:
            if time.monotonic() > deadline:
                return False
            await self.world.change(0.2)
        return process.alive

    async def someone(self) -> BotProcess:
        """A living process, chosen by chance; waits until there is one."""
        while True:
            alive = [one for one in self.slots if one is not None and one.alive]
            if alive:
                return self.chance.choice(alive)
            await asyncio.sleep(0.05)

    async def busy(self, *, patience: float = 5.0) -> BotProcess:
        """A living process that holds partitions, chosen by chance; anyone where there is none
        for so many seconds.
        """
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            process = await self.someone()
            if holds_partitions(process.journal):
                return process
            await asyncio.sleep(0.02)
        return await self.someone()

    async def _keep(self, slot: int) -> None:
        while True:
            order = self._next_order()
            process = self.slots[slot] = await BotProcess.start(order)
            self._started.append(process)
            code = await process.over()
            if code == KILLED:
                self._record(process, _where(order))
            else:
                self._exited(process, code)
                await asyncio.sleep(0.5)

    def _next_order(self) -> Order:
        fate = self.fates.pop(0) if self.fates else Fate()
        name = f"p{next(self._numbers)}"
        return replace(self._order, name=name, at=fate.at, on_signal=fate.on_signal)

    def _record(self, process: BotProcess, how: str) -> None:
        if process.name not in self._recorded:
            self._recorded.add(process.name)
            self._write_down(process, how, process.ended)

    def _write_down(self, process: BotProcess, how: str, at: float) -> None:
        death = Death(process=process.name, at=at, how=how, unmarked=process.unmarked())
        self.happened.deaths.append(death)

    def _exited(self, process: BotProcess, code: int) -> None:
        last = (process.log.strip().splitlines() or ["(it said nothing)"])[-1]
        line = f"{process.name} ended with {code}: {last}"
        self.happened.exits.append(line)
        worked = any(entry.what == "commit" for entry in read(process.journal))
        if worked or not self.troubled:
            self.happened.complaints.append(line)

    async def _stop(self, process: BotProcess) -> None:
        if not await self.ready(process):
            return
        code = await process.stop(ENDING)
        if code != 0:
            self.happened.complaints.append(
                f"{process.name} was asked to stop and ended with {code}: {process.log[-300:]}"
            )


def _where(order: Order) -> str:
    point = order.at or order.on_signal
    return f"{'after' if point.after else 'before'} {point.at}" if point else "anywhere"
