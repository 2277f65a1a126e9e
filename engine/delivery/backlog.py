"""What lies in the database: undelivered messages that no queue holds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count
from typing import Any

from engine.delivery.chats import CHATS, Chats, Queue, Stand
from engine.delivery.recording import Recorder
from engine.turns.cancelling import being_cancelled
from engine.workers.partitions import Partitions
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Clock, FlowStorage, OutgoingRow, Query

PAGE = 500
"""Messages that are read from the database at once."""

AT_A_TIME = 8
"""Partitions that are looked through at once: their conversations wait for it."""

MISSES = 60
"""How often the database may say that a message is not due which should be, by our clock."""

_log = logging.getLogger("handrail.delivery")


class Backlog:
    """Fills the queues from the database.

    Args:
        leave: is told that something for a chat lies there, and when it is due.
        go_on: is called with a queue whose messages were read, or for which there is nothing.
        nap: lets a queue ask again in a moment.
        stopped: is told of a bug.
    """

    def __init__(
        self,
        storage: FlowStorage,
        partitions: Partitions,
        clock: Clock,
        *,
        chats: Chats,
        recorder: Recorder,
        leave: Callable[[str, int], None],
        go_on: Callable[[Queue], None],
        nap: Callable[[Queue], None],
        stopped: Callable[[BaseException], None],
    ) -> None:
        self._storage = storage
        self._partitions = partitions
        self._clock = clock
        self._chats = chats
        self._recorder = recorder
        self._leave = leave
        self._go_on = go_on
        self._nap = nap
        self._stopped = stopped
        self._wanted: dict[str, Queue] = {}
        self._task: asyncio.Task[None] | None = None

    async def recover(self, parts: Collection[int]) -> None:
        """Finds what lies undelivered in partitions, that which is not due yet too: nothing newer
        to the same chat may overtake it. A partition with more than there is room for is looked
        through again later, and its messages go by the database until then.
        """
        waiting = list(parts)
        if len(waiting) > AT_A_TIME and await self._recover_at_once(waiting):
            return
        for start in range(0, len(waiting), AT_A_TIME):
            some = waiting[start : start + AT_A_TIME]
            await asyncio.gather(*(self._recover(part) for part in some))

    async def _recover_at_once(self, parts: Collection[int]) -> bool:
        """Where little lies undelivered in the whole database, one look finds it; False: it is
        much.
        """
        self._chats.crowded.difference_update(parts)
        page = await self._storage.inspect(Query(what="outbox", limit=PAGE))
        if page.next is not None:
            return False
        self._leave_each([row for row in page.rows if row["part"] in parts], set())
        self._chats.known.update(part for part in parts if part not in self._chats.crowded)
        return True

    async def _recover(self, part: int) -> None:
        self._chats.crowded.discard(part)
        if await self._look_through(part):
            self._chats.known.add(part)
        else:
            self._chats.crowded.add(part)

    async def look_again(self) -> None:
        """Looks for messages that became due, or that another process added."""
        crowded = self._chats.crowded & self._partitions.fence.epochs.keys()
        if crowded and len(self._chats) < CHATS // 2:
            await self.recover(crowded)
        rows = await self._storage.outgoing(self._partitions.fence, self._chats.names, PAGE)
        for row in rows:
            self._leave(row.chat, 0)

    def want(self, queue: Queue) -> None:
        """Reads the next message of a chat soon, together with those of others."""
        self._wanted[queue.name] = queue
        if self._task is None:
            self._task = asyncio.ensure_future(self._read())

    def stop(self) -> None:
        """Reads nothing more."""
        self._wanted.clear()
        if self._task is not None:
            self._task.cancel()

    async def _look_through(self, part: int) -> bool:
        """Leaves what is undelivered of a partition to its chats; False: there is too much."""
        seen: set[str] = set()
        after: str | None = None
        while True:
            page = await self._storage.inspect(
                Query(what="outbox", part=part, after=after, limit=PAGE)
            )
            self._leave_each(page.rows, seen)
            after = page.next
            if after is None:
                return part not in self._chats.crowded
            if self._chats.full:
                return False

    def _leave_each(self, rows: Sequence[Mapping[str, Any]], seen: set[str]) -> None:
        """Leaves the first message of each chat to it; those after it are read with it."""
        for row in rows:
            if row["chat"] not in seen:
                seen.add(row["chat"])
                self._leave(row["chat"], row["due"])

    async def _read(self) -> None:
        try:
            while self._wanted:
                # what was sent and is not recorded yet would be found again
                await self._recorder.flush()
                await self._page()
        except (Exception, asyncio.CancelledError) as error:
            if being_cancelled():
                raise
            self._stopped(error)
        finally:
            self._task = None

    async def _page(self) -> None:
        wanted, self._wanted = self._wanted, {}
        seen = {name: queue.behind for name, queue in wanted.items()}
        rows = await self._outgoing([name for name in self._chats.names if name not in wanted])
        for row in rows:
            queue = wanted.pop(row.chat, None)
            if queue is None:
                self._leave(row.chat, 0)
            elif queue.stand is Stand.READING:
                self._found(queue, row)
        for queue in wanted.values():
            if queue.stand is Stand.READING:
                self._missed(queue, certain=len(rows) < PAGE and queue.behind == seen[queue.name])

    def _found(self, queue: Queue, row: OutgoingRow) -> None:
        queue.due = queue.missed = 0
        self._chats.put(queue, (row, None))
        self._go_on(queue)

    def _missed(self, queue: Queue, *, certain: bool) -> None:
        """Nothing was found. What was not due when it was found before is asked for a while: the
        database's clock may be behind ours.
        """
        if not certain:
            self._wanted[queue.name] = queue
        elif queue.due and queue.missed < MISSES:
            queue.missed += 1
            self._nap(queue)
        else:
            queue.behind = queue.due = 0
            self._go_on(queue)

    async def _outgoing(self, skip: Sequence[str]) -> Sequence[OutgoingRow]:
        for tries in count():
            try:
                return await self._storage.outgoing(self._partitions.fence, skip, PAGE)
            except (StorageDown, OutcomeUnknown) as error:
                if not tries:
                    _log.warning("delivery waits for the storage: %s", error)
                await self._clock.sleep(1.0)
        raise AssertionError("it is tried for ever")
