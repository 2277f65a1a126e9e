"""The queues of the chats: what is to be sent to each, and how far each of them is."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from engine.delivery.letters import Letter
from flows.conversation import CACHED, Address

CAPACITY = 10_000
"""Messages that are kept in memory; the rest waits in the database."""

CHATS = 20_000
"""Chats that have a queue. What is for others waits in the database until there is room."""

_log = logging.getLogger("handrail.delivery")


class Stand(Enum):
    """How far a queue is."""

    NEW = "new"
    READY = "ready"
    SENDING = "sending"
    READING = "reading"
    ASLEEP = "asleep"
    STUCK = "stuck"
    GONE = "gone"


@dataclass(slots=True, eq=False)
class Queue:
    """The messages of one chat, which go out one by one.

    Attributes:
        behind: how often something was left to the database; 0: the queue holds everything.
        due: when the first of what lies in the database may go, by what was known when it was
            found (milliseconds since the epoch); 0: at once, as far as is known.
        missed: how often it was looked for since, and the database said that it is not time yet.
        cuts: how often the first message was sent without an answer.
        closed: why nothing can be sent to this chat any more; None: as far as is known, it can.
        told: the conversations that were told so.
        task: the send that is under way.
        watch: cuts it off when it takes too long.
        begun: it has reached the channel.
        late: it was cut off.
        nap: wakes the queue.
    """

    name: str
    address: Address
    part: int
    letters: deque[Letter] = field(default_factory=deque)
    stand: Stand = Stand.NEW
    behind: int = 0
    due: int = 0
    missed: int = 0
    cuts: int = 0
    closed: str | None = None
    told: set[str] | None = None
    task: asyncio.Task[None] | None = None
    watch: asyncio.TimerHandle | None = None
    begun: bool = False
    late: bool = False
    nap: asyncio.Task[None] | None = None

    def allow(self, seconds: float) -> None:
        """Cuts the send that is under way off after so many seconds from now."""
        if self.watch is not None:
            self.watch.cancel()
        self.watch = asyncio.get_running_loop().call_later(seconds, self._cut_off)

    def _cut_off(self) -> None:
        if self.task is not None:
            self.late = True
            self.task.cancel()


class Chats:
    """The chats that something is to be sent to.

    Of a partition that is ``known``, everything undelivered is in the queues, or they know that
    there is more. Of any other, the database alone says what is next.

    Args:
        sources: the channels that run here.
    """

    def __init__(self, sources: Collection[str]) -> None:
        self.known: set[int] = set()
        self.crowded: set[int] = set()
        self.foreign: set[str] = set()
        self.waiting = 0
        self._sources = sources
        self._queues: dict[str, Queue] = {}

    def __len__(self) -> int:
        return len(self._queues)

    def __iter__(self) -> Iterator[Queue]:
        return iter(list(self._queues.values()))

    @property
    def names(self) -> list[str]:
        """The chats that the database is not to be asked about."""
        return [*self._queues, *self.foreign]

    @property
    def laden(self) -> bool:
        """No further message is kept in memory."""
        return self.waiting >= CAPACITY

    @property
    def full(self) -> bool:
        """No further chat gets a queue."""
        return len(self._queues) >= CHATS

    def open(self, name: str) -> Queue | None:
        """The queue of a chat. None where its channel does not run here, or there is no room:
        what is for that one stays in the database.
        """
        queue = self._queues.get(name)
        if queue is not None:
            return queue
        address = _address(name)
        if address.source not in self._sources:
            self._pass_over(name, address)
            return None
        if self.full:
            self._crowd(address.partition)
            return None
        queue = self._queues[name] = Queue(name, address, address.partition)
        return queue

    def put(self, queue: Queue, letter: Letter) -> None:
        """Puts a message at the end."""
        queue.letters.append(letter)
        self.waiting += 1

    def take(self, queue: Queue) -> Letter:
        """Takes the first message off: it is over."""
        self.waiting -= 1
        queue.cuts = 0
        return queue.letters.popleft()

    def close(self, queue: Queue) -> None:
        """The queue is over. What it holds still is in the database."""
        self.waiting -= len(queue.letters)
        queue.letters.clear()
        queue.behind = 0
        queue.stand = Stand.GONE
        if self._queues.get(queue.name) is queue:
            del self._queues[queue.name]

    def forget(self, parts: Collection[int]) -> None:
        """Nothing is known of these partitions any more."""
        self.known.difference_update(parts)
        self.crowded.difference_update(parts)

    def _crowd(self, part: int) -> None:
        self.known.discard(part)
        self.crowded.add(part)

    def _pass_over(self, name: str, address: Address) -> None:
        if name not in self.foreign:
            _log.warning("messages to %s wait: no channel %s runs here", name, address.source)
            self.foreign.add(name)


@lru_cache(maxsize=CACHED)
def _address(name: str) -> Address:
    return Address.parse(name)
