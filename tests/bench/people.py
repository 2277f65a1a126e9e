"""The people of the benchmark, and the channel through which they write."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter, time_ns

from flows import Address, Person, TextMessage, Update
from flows.ports import Delivery, Intake
from tests.bench.bot import EXCHANGES

SOURCE = "bench:local"

PAGE = 100
"""Updates that are handed in at most at once, as Telegram does."""


@dataclass(slots=True)
class _Writer:
    """A person: writes, waits for the answer, writes the next message."""

    address: Address
    person: Person
    exchanges: cycle[tuple[str, str]]
    expects: str = ""
    written: float = 0.0


class Crowd:
    """A Channel that stops short of the network: sending costs nothing, and each message that
    arrives makes its person write the next one.

    What was written while a page was being accepted makes the next page.

    Attributes:
        waits: seconds from writing a message to the arrival of its answer, since ``measure``.
        wrong: answers that were not the expected ones; with any, the numbers mean nothing.
        arrived: an answer has arrived since ``measure``.
    """

    def __init__(self, people: int) -> None:
        self.waits: list[float] = []
        self.wrong: list[str] = []
        self.arrived = asyncio.Event()
        self._count = 0
        self._queue: deque[Update] = deque()
        self._written = asyncio.Event()
        self._people = {
            name: _Writer(Address(SOURCE, name), Person(id=name), cycle(EXCHANGES))
            for name in map(str, range(people))
        }

    def measure(self) -> None:
        """Forgets what was measured so far: the warm-up."""
        self.waits = []
        self.arrived.clear()

    @property
    def source(self) -> str:
        """Always ``bench:local``."""
        return SOURCE

    @property
    def catch_up(self) -> float:
        """Nothing waits."""
        return 0.0

    async def open(self, commands: Sequence[tuple[str, str]]) -> None:
        """Nothing is needed."""

    async def receive(self, intake: Intake) -> None:
        """Lets everybody write, until the App stops."""
        for writer in self._people.values():
            self._write(writer)
        while True:
            await self._written.wait()
            page = [self._queue.popleft() for _ in range(min(PAGE, len(self._queue)))]
            if not self._queue:
                self._written.clear()
            await intake.accept(page)
            # an accept may be done without a pause; a network never is
            await asyncio.sleep(0)

    async def send(self, delivery: Delivery) -> str | None:
        """A message arrives at once."""
        writer = self._people[delivery.chat]
        self.waits.append(perf_counter() - writer.written)
        self.arrived.set()
        if delivery.text != writer.expects:
            self.wrong.append(delivery.text)
        self._write(writer)
        return str(self._count)

    async def answer(self, press: str, notice: str | None) -> None:
        """Nobody presses a button."""

    async def close(self) -> None:
        """Nothing is held."""

    def _write(self, writer: _Writer) -> None:
        self._count += 1
        text, writer.expects = next(writer.exchanges)
        update = Update(
            source=SOURCE,
            ext=str(self._count),
            content=TextMessage(text),
            at=time_ns() // 1_000_000,
            address=writer.address,
            user=writer.person,
        )
        self._queue.append(update)
        writer.written = perf_counter()
        self._written.set()
