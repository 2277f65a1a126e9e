"""Delivery of the outbox: in order per chat, chats independent of each other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.partitions import Partitions
from flows.conversation import Address
from flows.errors import (
    ChannelStopped,
    SendLater,
    SendRefused,
    SendUncertain,
    StorageDown,
)
from flows.ports import (
    Channel,
    Clock,
    Delivery,
    FlowStorage,
    InboxRow,
    OutboxRow,
    OutgoingRow,
    SendResult,
)
from flows.replies import Edit, send_from_json
from flows.updates import SendFailed, Update

AT_ONCE = 32
"""Sends in flight or not yet recorded: what a crash may send twice."""

CAPACITY = 10_000
"""Messages that are kept in memory; the rest waits in the database."""

UNCERTAIN_LIMIT = 5
"""After so many cut answers a message is given up."""

PAGE = 500

_log = logging.getLogger("handrail.delivery")


@dataclass(slots=True)
class _Chat:
    """The queue of one chat. ``behind``: the database holds more than the queue."""

    queue: deque[OutgoingRow] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    behind: bool = False
    sleeping: bool = False


class Sender:
    """Sends what turns have committed, and records what became of it."""

    def __init__(
        self,
        storage: FlowStorage,
        partitions: Partitions,
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        stopped: Callable[[ChannelStopped], None],
    ) -> None:
        self.idle = asyncio.Event()
        self.idle.set()
        self._storage = storage
        self._partitions = partitions
        self._channels = channels
        self._clock = clock
        self._stopped = stopped
        self._chats: dict[str, _Chat] = {}
        self._waiting = 0
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._marks: list[SendResult] = []
        self._fresh: dict[tuple[str, str], str] = {}
        self._marked = asyncio.Event()
        self._draining = False

    # --- taking in ----------------------------------------------------------------------

    def add(self, rows: Sequence[OutboxRow]) -> None:
        """Takes rows that were just committed, in their order."""
        for row in rows:
            chat = self._chats.setdefault(row.chat, _Chat())
            if chat.behind or self._waiting >= CAPACITY:
                chat.behind = True
            else:
                self._enqueue(chat, _outgoing(row))
            self._start(row.chat, chat)

    async def recover(self) -> None:
        """Finds what an earlier process has left undelivered."""
        for row in await self._storage.outgoing(self._partitions.fence, (), PAGE):
            chat = self._chats.setdefault(row.chat, _Chat())
            chat.behind = True
            self._start(row.chat, chat)

    async def look_again(self) -> None:
        """Looks for messages that became due, or that another process added."""
        if self._draining:
            return
        busy = [name for name, chat in self._chats.items() if chat.task is not None]
        for row in await self._storage.outgoing(self._partitions.fence, busy, PAGE):
            chat = self._chats.setdefault(row.chat, _Chat())
            if chat.task is None:
                chat.behind = True
                self._start(row.chat, chat)

    def _enqueue(self, chat: _Chat, row: OutgoingRow) -> None:
        chat.queue.append(row)
        self._waiting += 1

    def _start(self, name: str, chat: _Chat) -> None:
        if chat.task is None and not self._draining:
            self.idle.clear()
            chat.task = asyncio.ensure_future(self._work(name, chat))

    # --- sending ------------------------------------------------------------------------

    async def _work(self, name: str, chat: _Chat) -> None:
        """Sends the messages of one chat until none is left."""
        try:
            while not self._draining:
                if not chat.queue:
                    await self._read_on(name, chat)
                if not chat.queue:
                    break
                await self._slots.acquire()
                result = await self._attempt(chat.queue[0])
                self._mark(result)
                if result.state == "later":
                    await self._pause(chat, result.due)
                else:
                    chat.queue.popleft()
                    self._waiting -= 1
        except ChannelStopped as error:
            self._slots.release()
            self._stopped(error)
        finally:
            chat.task = None
            if not chat.queue and not chat.behind:
                self._chats.pop(name, None)
            self._check_idle()

    async def _read_on(self, name: str, chat: _Chat) -> None:
        """The next message of a chat whose messages wait in the database."""
        if not chat.behind:
            return
        await self._flushed()
        others = [other for other in self._chats if other != name]
        rows = await self._patient_outgoing(others)
        mine = [row for row in rows if row.chat == name]
        if not mine:
            chat.behind = False
        for row in mine:
            self._enqueue(chat, row)

    async def _patient_outgoing(self, skip: Sequence[str]) -> Sequence[OutgoingRow]:
        while True:
            try:
                return await self._storage.outgoing(self._partitions.fence, skip, PAGE)
            except StorageDown as error:
                _log.warning("delivery waits for the storage: %s", error)
                await self._clock.sleep(1.0)

    async def _attempt(self, row: OutgoingRow) -> SendResult:
        """One try to send; answers what became of it."""
        tries = row.tries + 1
        wait = self._clock.now() + min(2 ** min(tries, 6), 60) * 1000
        try:
            ref = await self._send(row)
        except ChannelStopped:
            raise
        except SendLater as error:
            return _later(row, self._clock.now() + int(error.seconds * 1000), str(error))
        except SendRefused as error:
            _log.warning("a message to %s will never arrive: %s", row.chat, error)
            return _dead(row, str(error), self._inform(row, error))
        except (SendUncertain, StorageDown) as error:
            if tries < UNCERTAIN_LIMIT:
                _log.warning(
                    "the answer to a message to %s was cut, once more: %s", row.chat, error
                )
                return _later(row, wait, str(error))
            return _dead(row, str(error), None)
        except Exception as error:  # a bug in a channel must not stop the other chats
            _log.exception("a message to %s could not be sent", row.chat)
            if tries < UNCERTAIN_LIMIT:
                return _later(row, wait, repr(error))
            return _dead(row, repr(error), None)
        if row.slot is not None and ref is not None:
            self._fresh[row.conv, row.slot] = ref
        return SendResult(
            conv=row.conv, turn=row.turn, n=row.n, state="sent", slot=row.slot, ref=ref
        )

    async def _send(self, row: OutgoingRow) -> str | None:
        address = Address.parse(row.chat)
        channel = self._channels.get(address.source)
        if channel is None:
            raise SendRefused(f"no channel {address.source!r} runs in this process")
        send = send_from_json(row.body)
        edit = await self._ref(row.conv, send.slot) if isinstance(send, Edit) else None
        return await channel.send(
            Delivery(
                chat=address.chat,
                topic=address.topic,
                text=send.text,
                format=send.format,
                keyboard=send.keyboard,
                edit=edit,
            )
        )

    async def _ref(self, conv: str, slot: str) -> str | None:
        fresh = self._fresh.get((conv, slot))
        if fresh is not None:
            return fresh
        return (await self._storage.refs(conv, [slot])).get(slot)

    def _inform(self, row: OutgoingRow, error: SendRefused) -> InboxRow | None:
        """The inbox row that tells the conversation."""
        address = Address.parse(row.chat)
        update = Update(
            source=address.source,
            ext=f"{row.turn}.{row.n}",
            content=SendFailed(slot=row.slot, reason=error.reason, blocked=error.blocked),
            at=self._clock.now(),
            address=address,
        )
        return InboxRow(
            source="outbox",
            ext=f"{row.conv}:{row.turn}.{row.n}",
            part=row.part,
            conv=row.conv,
            kind=update.content.kind,
            body=update.to_json(),
            at=update.at,
        )

    async def _pause(self, chat: _Chat, due: int) -> None:
        """Only this chat waits."""
        row = chat.queue[0]
        chat.queue[0] = OutgoingRow(
            seq=row.seq, part=row.part, chat=row.chat, conv=row.conv, turn=row.turn, n=row.n,
            slot=row.slot, body=row.body, tries=row.tries + 1, due=due,
        )  # fmt: skip
        chat.sleeping = True
        self._check_idle()
        await self._clock.sleep(max(due - self._clock.now(), 0) / 1000)
        chat.sleeping = False
        self.idle.clear()

    # --- recording ----------------------------------------------------------------------

    def _mark(self, result: SendResult) -> None:
        self._marks.append(result)
        self._marked.set()

    async def record(self) -> None:
        """Records results for ever, all that have come together in one commit."""
        while True:
            await self._marked.wait()
            await self._flush()

    async def _flush(self) -> None:
        while self._marks:
            marks, self._marks = self._marks, []
            try:
                await self._storage.sent(self._partitions.fence, marks)
            except StorageDown as error:
                _log.warning("sent messages cannot be recorded yet: %s", error)
                self._marks = marks + self._marks
                await self._clock.sleep(0.5)
                continue
            for mark in marks:
                self._slots.release()
                if mark.slot is not None:
                    self._fresh.pop((mark.conv, mark.slot), None)
        self._marked.clear()
        self._check_idle()

    async def _flushed(self) -> None:
        while self._marks:
            await asyncio.sleep(0)

    async def drain(self, seconds: float) -> None:
        """Sends nothing more; lets the sends in flight end and records them."""
        self._draining = True
        tasks = [chat.task for chat in self._chats.values() if chat.task and not chat.sleeping]
        asleep = [chat.task for chat in self._chats.values() if chat.task and chat.sleeping]
        for task in asleep:
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
        await self._flush()

    def _check_idle(self) -> None:
        busy = any(chat.task is not None and not chat.sleeping for chat in self._chats.values())
        if not busy and not self._marks:
            self.idle.set()


def _outgoing(row: OutboxRow) -> OutgoingRow:
    return OutgoingRow(
        seq=0, part=row.part, chat=row.chat, conv=row.conv, turn=row.turn, n=row.n,
        slot=row.slot, body=row.body, tries=0, due=0,
    )  # fmt: skip


def _later(row: OutgoingRow, due: int, reason: str) -> SendResult:
    return SendResult(conv=row.conv, turn=row.turn, n=row.n, state="later", due=due, error=reason)


def _dead(row: OutgoingRow, reason: str, inform: InboxRow | None) -> SendResult:
    return SendResult(
        conv=row.conv, turn=row.turn, n=row.n, state="dead", error=reason, inform=inform
    )
