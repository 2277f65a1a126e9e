"""The people of the benchmark, and the channel through which they write."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import count, cycle
from time import perf_counter, time_ns

from flows import Address, Person, TextMessage, Update
from flows.ports import Delivery, Intake, Pause
from tests.bench.bot import EXCHANGES

SOURCE = "bench:local"

PAGE = 100
"""Updates that are handed in at most at once, as Telegram does."""


_crowds = count()


@dataclass(slots=True)
class Writer:
    """A person. ``expects`` holds, for each message that is not answered yet, the answer that it
    should get, and when it was written.
    """

    address: Address
    person: Person
    exchanges: cycle[tuple[str, str]]
    expects: deque[tuple[str, float]] = field(default_factory=deque)

    @classmethod
    def named(cls, name: str) -> Writer:
        """Somebody new."""
        return cls(Address(SOURCE, name), Person(id=name), cycle(EXCHANGES))


class People:
    """A Channel that stops short of the network: sending costs nothing.

    What was written while a page was being accepted makes the next page. No two of these have
    people or updates in common, so that they may talk with one database.

    Attributes:
        waits: seconds from writing a message to the arrival of its answer, since ``measure``.
        wrong: answers that were not the expected ones; with any, the numbers mean nothing.
        arrived: an answer has arrived since ``measure``.
    """

    def __init__(self) -> None:
        self._name = f"{next(_crowds)}."
        self.waits: list[float] = []
        self.wrong: list[str] = []
        self.arrived = asyncio.Event()
        self._count = 0
        self._queue: deque[Update] = deque()
        self._written = asyncio.Event()

    def measure(self) -> None:
        """Forgets what was measured so far: the warm-up."""
        self.waits = []
        self.arrived.clear()

    def answered(self, writer: Writer) -> None:
        """Somebody has got an answer."""

    async def begin(self) -> None:
        """The first of them write."""

    def writer(self, chat: str) -> Writer:
        """Whose chat it is."""
        raise NotImplementedError

    def write(self, writer: Writer) -> None:
        """Somebody writes the next message."""
        self._count += 1
        text, answer = next(writer.exchanges)
        update = Update(
            source=SOURCE,
            ext=f"{self._name}{self._count}",
            content=TextMessage(text),
            at=time_ns() // 1_000_000,
            address=writer.address,
            user=writer.person,
        )
        self._queue.append(update)
        writer.expects.append((answer, perf_counter()))
        self._written.set()

    @property
    def source(self) -> str:
        """Always ``bench:local``."""
        return SOURCE

    @property
    def shared(self) -> bool:
        """There is one process."""
        return True

    @property
    def everywhere(self) -> bool:
        """One process is measured."""
        return False

    @property
    def catch_up(self) -> float:
        """Nothing waits."""
        return 0.0

    async def open(self, commands: Sequence[tuple[str, str]], kinds: Collection[str] = ()) -> None:
        """Nothing is needed."""

    async def receive(self, intake: Intake) -> None:
        """Hands in what they write, until the App stops."""
        await self.begin()
        while True:
            await self._written.wait()
            page = [self._queue.popleft() for _ in range(min(PAGE, len(self._queue)))]
            if not self._queue:
                self._written.clear()
            await intake.accept(page)
            # an accept may be done without a pause; a network never is
            await asyncio.sleep(0)

    def admit(self, chat: str) -> Pause | None:
        """Everything may be sent."""
        return None

    def allot(self, share: float) -> None:
        """Nothing limits what is sent."""

    async def send(self, delivery: Delivery) -> str | None:
        """A message arrives at once. What an earlier crowd has not got any more is let go."""
        if not delivery.chat.startswith(self._name):
            return None
        writer = self.writer(delivery.chat)
        expected, written = writer.expects.popleft()
        self.waits.append(perf_counter() - written)
        self.arrived.set()
        if delivery.text != expected:
            self.wrong.append(delivery.text)
        self.answered(writer)
        return str(self._count)

    async def answer(self, press: str, notice: str | None) -> None:
        """Nobody presses a button."""

    async def close(self) -> None:
        """Nothing is held."""


class Crowd(People):
    """People each of whom writes the next message as soon as the last one was answered."""

    def __init__(self, people: int) -> None:
        super().__init__()
        writers = (Writer.named(f"{self._name}{number}") for number in range(people))
        self._people = {writer.address.chat: writer for writer in writers}

    async def begin(self) -> None:
        """Everybody writes."""
        for writer in self._people.values():
            self.write(writer)

    def writer(self, chat: str) -> Writer:
        """One of the crowd."""
        return self._people[chat]

    def answered(self, writer: Writer) -> None:
        """Who has got an answer writes on."""
        self.write(writer)


class Passers(People):
    """People who write once and never again."""

    AT_ONCE = 200

    def __init__(self) -> None:
        super().__init__()
        self._here: dict[str, Writer] = {}
        self._passed = 0
        self._over = asyncio.Event()
        self._left = 0

    async def begin(self) -> None:
        """The first one comes, so that the bot is seen to work."""
        self._come()

    async def pass_by(self, count: int) -> None:
        """So many more people come, write, are answered, and go away."""
        self._left = count
        self._over.clear()
        for _ in range(min(count, self.AT_ONCE)):
            self._come()
        await self._over.wait()

    def writer(self, chat: str) -> Writer:
        """Who is here now."""
        return self._here[chat]

    def answered(self, writer: Writer) -> None:
        """They go away, and others come. Of them nothing is kept here either."""
        self.waits.clear()
        del self._here[writer.address.chat]
        if self._left:
            self._come()
        if not self._here:
            self._over.set()

    def _come(self) -> None:
        self._left = max(self._left - 1, 0)
        self._passed += 1
        writer = Writer.named(f"{self._name}{self._passed}")
        self._here[writer.address.chat] = writer
        self.write(writer)


class Paced(People):
    """People who write at their own pace, whether they have been answered or not, and it may be
    somebody who writes ten times as much as each of them.

    ``waits`` are those of the others.

    Args:
        pace: messages a second of each.
    """

    TIMES = 10

    def __init__(self, people: int, *, pace: float, flooded: bool) -> None:
        super().__init__()
        writers = (Writer.named(f"{self._name}{number}") for number in range(people))
        self._people = {writer.address.chat: writer for writer in writers}
        self._pace = pace
        self._flooder = Writer.named(f"{self._name}flooder") if flooded else None
        self._gone = False

    async def begin(self) -> None:
        """They begin one after the other, so that their messages are spread out."""
        loop = asyncio.get_running_loop()
        apart = 1 / self._pace / len(self._people)
        for place, writer in enumerate(self._people.values()):
            loop.call_later(place * apart, self._keep_writing, writer, 1 / self._pace, 1)
        if self._flooder is not None:
            self._keep_writing(self._flooder, 1 / self._pace, self.TIMES)

    def writer(self, chat: str) -> Writer:
        """One of them."""
        if self._flooder is not None and chat == self._flooder.address.chat:
            return self._flooder
        return self._people[chat]

    def answered(self, writer: Writer) -> None:
        """The waits of the one who floods do not count."""
        if writer is self._flooder:
            self.waits.pop()

    async def close(self) -> None:
        """They go, and write no more: what is measured next is not to suffer from them."""
        self._gone = True

    def _keep_writing(self, writer: Writer, seconds: float, times: int) -> None:
        if self._gone:
            return
        for _ in range(times):
            self.write(writer)
        asyncio.get_running_loop().call_later(seconds, self._keep_writing, writer, seconds, times)
