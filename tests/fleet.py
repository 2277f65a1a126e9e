"""Several workers of one bot in one event loop: on one database, before one messaging service.

A worker can be frozen, as by SIGSTOP: whatever it awaits (its storage, the service, the clock)
does not come back until it is thawed, while time goes on for the others. One that is killed
stays so.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from engine.app import App
from engine.testing.clock import VirtualClock
from flows.conversation import Address
from flows.errors import StorageDown
from flows.ports import Clock, Delivery, FlowStorage, Intake
from flows.updates import Content, Person, Press, TextMessage, Update
from storage import MemoryStorage
from storage.memory import MemoryDatabase

SOURCE = "fleet:1"
PAGE = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that has arrived, from which worker and when (seconds)."""

    worker: str
    chat: str
    text: str
    at: float


class Service:
    """Where people write: keeps updates until they are acknowledged, as Telegram does."""

    def __init__(self, clock: VirtualClock) -> None:
        self.sent: list[Sent] = []
        self.deliveries: list[Delivery] = []
        self.answers: list[tuple[str, str, str | None]] = []
        self.polls: list[str] = []
        self.latency = 0.0
        self.began: Callable[[str, Delivery], None] = lambda worker, delivery: None
        self.refuse: Callable[[Delivery], None] = lambda delivery: None
        self._clock = clock
        self._updates: list[tuple[int, Update]] = []
        self._numbers = count(1)
        self._came = asyncio.Event()

    def write(
        self,
        content: Content | str,
        *,
        by: str = "1",
        chat: str | None = None,
        album: str | None = None,
    ) -> None:
        """A person writes, presses, or sends a part of an album."""
        number = next(self._numbers)
        update = Update(
            source=SOURCE,
            ext=str(number),
            content=TextMessage(content) if isinstance(content, str) else content,
            at=self._clock.now(),
            address=Address(SOURCE, chat or by),
            user=Person(id=by),
            private=chat in (None, by),
            album=album,
        )
        self._updates.append((number, update))
        self._came.set()

    @property
    def waiting(self) -> int:
        """How many updates are not acknowledged."""
        return len(self._updates)

    def texts(self, chat: str) -> list[str]:
        """What has arrived in a chat, in order."""
        return [sent.text for sent in self.sent if sent.chat == chat]

    async def poll(self, worker: str, offset: int) -> tuple[list[Update], int]:
        """What is not acknowledged; lower numbers than ``offset`` are from now on."""
        self.polls.append(worker)
        self._updates = [one for one in self._updates if one[0] >= offset]
        while not self._updates:
            self._came.clear()
            await self._came.wait()
        page = self._updates[:PAGE]
        return [update for _, update in page], page[-1][0] + 1


@dataclass(slots=True)
class _Life:
    """What stops when a worker is frozen."""

    going: asyncio.Event = field(default_factory=asyncio.Event)
    dead: bool = False

    async def through(self, work: Callable[[], Awaitable[T]]) -> T:
        await self.going.wait()
        self._check()
        answer = await work()
        await self.going.wait()
        self._check()
        return answer

    def _check(self) -> None:
        if self.dead:
            raise StorageDown("the process is dead")


class _Storage:
    """Counts calls, by name; the next ``down[name]`` calls of a name fail."""

    def __init__(self, inner: FlowStorage, life: _Life) -> None:
        self.calls: defaultdict[str, int] = defaultdict(int)
        self.down: defaultdict[str, int] = defaultdict(int)
        self._inner = inner
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name in ("wakes", "close"):
            return method

        async def call(*args: Any, **named: Any) -> Any:
            self.calls[name] += 1
            if self.down[name]:
                self.down[name] -= 1
                raise StorageDown("as the test wants it")
            return await self._life.through(lambda: method(*args, **named))

        return call


class _Clock:
    def __init__(self, inner: VirtualClock, life: _Life) -> None:
        self._inner = inner
        self._life = life

    def now(self) -> int:
        return self._inner.now()

    def monotonic(self) -> float:
        return self._inner.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._life.through(lambda: self._inner.sleep(seconds))


class _Channel:
    def __init__(
        self, name: str, service: Service, clock: Clock, life: _Life, *, everywhere: bool
    ) -> None:
        self.everywhere = everywhere
        self.intake: Intake | None = None
        self.shares: list[float] = []
        self.receiving = False
        self._name = name
        self._service = service
        self._clock = clock
        self._life = life

    source = SOURCE
    shared = True
    catch_up = 0.0

    async def open(self, commands: Sequence[tuple[str, str]], kinds: Collection[str] = ()) -> None:
        """Nothing is needed."""

    async def receive(self, intake: Intake) -> None:
        offset = 0
        self.receiving = True
        self.intake = intake
        try:
            while not self.everywhere:
                page, offset_after = await self._life.through(
                    partial(self._service.poll, self._name, offset)
                )
                with suppress(StorageDown):
                    await intake.accept(page)
                    offset = offset_after
            await asyncio.Event().wait()
        finally:
            self.receiving = False

    def allot(self, share: float) -> None:
        self.shares.append(share)

    def admit(self, chat: str) -> None:
        """Nothing limits what is sent."""

    async def send(self, delivery: Delivery) -> str | None:
        self._service.refuse(delivery)
        self._service.began(self._name, delivery)
        if self._service.latency:
            await self._clock.sleep(self._service.latency)
        at = self._clock.monotonic()
        self._service.deliveries.append(delivery)
        self._service.sent.append(Sent(self._name, delivery.chat, delivery.text, at))
        await self._life.through(partial(asyncio.sleep, 0))
        return str(len(self._service.sent))

    async def answer(self, press: str, notice: str | None) -> None:
        self._service.answers.append((self._name, press, notice))

    async def close(self) -> None:
        """Nothing is held."""


class Member:
    """A worker."""

    def __init__(self, name: str, fleet: Fleet, app: App) -> None:
        self.name = name
        self.life = _Life()
        self.life.going.set()
        clock = _Clock(fleet.clock, self.life)
        self.storage = _Storage(MemoryStorage(database=fleet.database), self.life)
        self.channel = _Channel(name, fleet.service, clock, self.life, everywhere=fleet.everywhere)
        self.app = app
        self._stop = asyncio.Event()
        self._fleet = fleet
        self.task = asyncio.ensure_future(
            app.run(
                channel=cast(Any, self.channel),
                storage=cast(Any, self.storage),
                stop=self._stop,
                clock=clock,
            )
        )

    @property
    def parts(self) -> set[int]:
        """What the database says that it holds."""
        at_work = self.app._at_work
        name = at_work.worker._partitions.worker if at_work is not None else None
        return {row.part for row in self._fleet.database.partitions if row.owner == name}

    def freeze(self) -> None:
        """It does nothing more, until it is thawed."""
        self.life.going.clear()

    def thaw(self) -> None:
        """It goes on where it was."""
        self.life.going.set()

    async def stop(self) -> None:
        """As a signal does."""
        self._stop.set()
        await self._fleet.until(self.task.done)
        self.task.result()

    async def bury(self) -> None:
        """Its tasks are over, whatever it did."""
        self.life.dead = True
        self.life.going.set()
        self.task.cancel()
        await asyncio.wait((self.task,))


class Fleet:
    """Workers that come and go. ``app`` makes each one its own App.

    Where they receive ``everywhere``, a test hands in by ``channel.intake`` of whom it likes.
    """

    def __init__(self, app: Callable[[], App], *, everywhere: bool = False) -> None:
        self.everywhere = everywhere
        self.clock = VirtualClock()
        self.database = MemoryDatabase(self.clock.now)
        self.members: list[Member] = []
        self._app = app

    async def __aenter__(self) -> Self:
        self.service = Service(self.clock)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for member in self.members:
            if not member.task.done():
                await member.bury()

    async def start(self, workers: int = 1, *, balanced: bool = True) -> Member:
        """Starts workers, the last of which is answered, once everybody has a share."""
        for _ in range(workers):
            member = Member(f"w{len(self.members) + 1}", self, self._app())
            self.members.append(member)
        if balanced:
            await self.until(self.balanced)
        return self.members[-1]

    @property
    def alive(self) -> list[Member]:
        """Those that neither stand still nor have ended."""
        return [one for one in self.members if one.life.going.is_set() and not one.task.done()]

    def balanced(self) -> bool:
        """Everybody has a share, no two shares differ by much, and nothing is free."""
        sizes = [len(member.parts) for member in self.alive]
        fair = 64 / len(sizes)
        return sum(sizes) == 64 and all(fair - 2 <= size <= fair + 2 for size in sizes)

    def receivers(self) -> list[str]:
        """The workers whose channel receives."""
        return [member.name for member in self.alive if member.channel.receiving]

    async def until(self, true: Callable[[], bool], seconds: float = 120.0) -> float:
        """Lets time pass until it is true; answers how much has passed."""
        begun = self.clock.monotonic()
        while not true():
            for member in self.members:
                if member.task.done() and not member._stop.is_set() and not member.life.dead:
                    member.task.result()
            passed = self.clock.monotonic() - begun
            assert passed < seconds, f"it has not become true within {seconds:g} seconds"
            await self.clock.advance(0.05)
        return self.clock.monotonic() - begun

    async def over(self) -> None:
        """Lets time pass until everything is handled and delivered."""
        database = self.database
        await self.until(lambda: not (self.service.waiting or database.undone or database.unsent))

    def press(self, press: str, data: str | None, *, by: str = "1") -> None:
        """A person presses a button."""
        self.service.write(Press(id=press, data=data or ""), by=by)
