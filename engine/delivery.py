"""Delivery of the outbox: in order per chat, chats independent of each other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.aliases import Aliases
from engine.partitions import Partitions
from flows.conversation import Address
from flows.errors import (
    BadRow,
    ChannelStopped,
    ChatMoved,
    OutcomeUnknown,
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
    Query,
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
"""Messages that are read from the database at once."""

_log = logging.getLogger("handrail.delivery")


@dataclass(slots=True)
class _Chat:
    """The queue of one chat.

    Attributes:
        behind: how often something was left to the database; 0: the queue holds everything.
        due: when the first of what lies in the database may go; 0: not known to be later.
        cuts: how often the first message was sent without an answer.
    """

    address: Address
    queue: deque[OutgoingRow] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    behind: int = 0
    due: int = 0
    cuts: int = 0
    sleeping: bool = False


class Sender:
    """Sends what turns have committed, and records what became of it.

    Args:
        stopped: is told why no more can be sent.
        informed: is told when the recording has put something into the inbox.
    """

    def __init__(
        self,
        storage: FlowStorage,
        partitions: Partitions,
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        aliases: Aliases,
        stopped: Callable[[Exception], None],
        informed: Callable[[], None],
    ) -> None:
        self.idle = asyncio.Event()
        self.idle.set()
        self._storage = storage
        self._partitions = partitions
        self._channels = channels
        self._clock = clock
        self._aliases = aliases
        self._stopped = stopped
        self._informed = informed
        self._chats: dict[str, _Chat] = {}
        self._foreign: set[str] = set()
        self._waiting = 0
        self._busy = 0
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._marks: list[SendResult] = []
        self._fresh: dict[tuple[str, str], str] = {}
        self._marked = asyncio.Event()
        self._recorded = asyncio.Event()
        self._recorded.set()
        self._flushing = asyncio.Lock()
        self._draining = False

    # --- taking in ----------------------------------------------------------------------

    def add(self, rows: Sequence[OutboxRow]) -> None:
        """Takes rows that were just committed, in their order."""
        for row in rows:
            chat = self._chat(row.chat)
            if chat is None:
                continue
            if chat.behind or self._waiting >= CAPACITY:
                chat.behind += 1
            else:
                self._enqueue(chat, _outgoing(row))
            self._start(row.chat, chat)

    def stored(self, chats: Collection[str]) -> None:
        """The database may hold messages to these chats that ``add`` has never seen: they go
        before what comes after them.
        """
        for name in chats:
            self._leave(name, due=0)

    async def recover(self) -> None:
        """Finds what an earlier process has left undelivered, that which is not due yet too:
        nothing newer to the same chat may overtake it.
        """
        after: str | None = None
        while True:
            page = await self._storage.inspect(Query(what="outbox", after=after, limit=PAGE))
            for row in page.rows:
                if row["part"] in self._partitions.fence.epochs and row["chat"] not in self._chats:
                    self._leave(row["chat"], due=row["due"])
            after = page.next
            if after is None:
                return

    async def look_again(self) -> None:
        """Looks for messages that became due, or that another process added."""
        if self._draining:
            return
        skip = [name for name, chat in self._chats.items() if chat.task is not None]
        skip.extend(self._foreign)
        for row in await self._storage.outgoing(self._partitions.fence, skip, PAGE):
            known = self._chats.get(row.chat)
            if known is None or known.task is None:
                self._leave(row.chat, due=0)

    def _chat(self, name: str) -> _Chat | None:
        """The queue of a chat; None where its channel does not run here. What is for that one
        stays in the database until a process runs it.
        """
        chat = self._chats.get(name)
        if chat is not None:
            return chat
        address = Address.parse(name)
        if address.source not in self._channels:
            if name not in self._foreign:
                _log.warning("messages to %s wait: no channel %s runs here", name, address.source)
                self._foreign.add(name)
            return None
        chat = self._chats[name] = _Chat(address)
        return chat

    def _leave(self, name: str, *, due: int) -> None:
        """Something for the chat lies in the database."""
        chat = self._chat(name)
        if chat is not None:
            chat.behind += 1
            chat.due = due
            self._start(name, chat)

    def _enqueue(self, chat: _Chat, row: OutgoingRow) -> None:
        chat.queue.append(row)
        self._waiting += 1

    def _start(self, name: str, chat: _Chat) -> None:
        if chat.task is None and not self._draining:
            self.idle.clear()
            self._busy += 1
            chat.task = asyncio.ensure_future(self._work(name, chat))

    # --- sending ------------------------------------------------------------------------

    async def _work(self, name: str, chat: _Chat) -> None:
        """Sends the messages of one chat until none is left."""
        try:
            while not self._draining:
                if not chat.queue:
                    await self._read_on(name, chat)
                if chat.queue:
                    await self._send_first(chat)
                elif not chat.behind:
                    break
        except Exception as error:  # a channel that stopped, or a bug: either ends the worker
            self._stopped(error)
        finally:
            chat.task = None
            if not chat.sleeping:
                self._busy -= 1
            if not chat.queue and not chat.behind:
                self._chats.pop(name, None)
            self._check_idle()

    async def _send_first(self, chat: _Chat) -> None:
        await self._slots.acquire()
        try:
            result = await self._attempt(chat, chat.queue[0])
        except BaseException:
            self._slots.release()
            raise
        self._mark(result)
        if result.state == "later":
            chat.queue[0] = replace(chat.queue[0], tries=chat.queue[0].tries + 1, due=result.due)
            await self._sleep(chat, result.due)
        else:
            chat.queue.popleft()
            chat.cuts = 0
            self._waiting -= 1

    async def _read_on(self, name: str, chat: _Chat) -> None:
        """The next message of a chat whose messages wait in the database."""
        if not chat.behind:
            return
        # what was sent and is not recorded yet would be found again
        await self._recorded.wait()
        if chat.due:
            await self._sleep(chat, chat.due)
        seen, chat.due = chat.behind, 0
        others = [other for other in self._chats if other != name]
        rows = await self._patient_outgoing(others)
        mine = [row for row in rows if row.chat == name]
        if not mine and chat.behind == seen:
            chat.behind = 0
        for row in mine:
            self._enqueue(chat, row)

    async def _patient_outgoing(self, skip: Sequence[str]) -> Sequence[OutgoingRow]:
        while True:
            try:
                return await self._storage.outgoing(self._partitions.fence, skip, PAGE)
            except (StorageDown, OutcomeUnknown) as error:
                _log.warning("delivery waits for the storage: %s", error)
                await self._clock.sleep(1.0)

    async def _attempt(self, chat: _Chat, row: OutgoingRow) -> SendResult:
        """One try to send; answers what became of it."""
        try:
            ref = await self._send(chat.address, row)
        except ChannelStopped:
            raise
        except ChatMoved as error:
            return await self._moved(chat, row, error)
        except SendLater as error:
            return _later(row, self._clock.now() + int(error.seconds * 1000), str(error))
        except SendRefused as error:
            _log.warning("a message to %s will never arrive: %s", row.chat, error)
            return _dead(row, str(error), self._inform(chat.address, row, error))
        except (StorageDown, OutcomeUnknown) as error:
            return _later(row, self._clock.now() + 1000, str(error))
        except SendUncertain as error:
            _log.warning("the answer to a message to %s was cut: %s", row.chat, error)
            return self._uncertain(chat, row, str(error))
        except Exception as error:  # a bug in a channel must not stop the other chats
            _log.exception("a message to %s could not be sent", row.chat)
            return self._uncertain(chat, row, repr(error))
        if row.slot is not None and ref is not None:
            self._fresh[row.conv, row.slot] = ref
        return SendResult(
            conv=row.conv, turn=row.turn, n=row.n, state="sent", slot=row.slot, ref=ref
        )

    def _uncertain(self, chat: _Chat, row: OutgoingRow, reason: str) -> SendResult:
        """The message may have arrived: once more for each cut answer, up to a limit."""
        chat.cuts += 1
        if chat.cuts == UNCERTAIN_LIMIT:
            return _dead(row, reason, None)
        return _later(row, self._clock.now() + 2**chat.cuts * 1000, reason)

    async def _moved(self, chat: _Chat, row: OutgoingRow, error: ChatMoved) -> SendResult:
        """The chat has another id now: once more, to that one."""
        address = chat.address
        if error.to == self._aliases.reached_at(address):
            return _dead(row, str(error), None)
        try:
            await self._aliases.moved(address.source, address.chat, error.to)
        except (StorageDown, OutcomeUnknown) as down:
            return _later(row, self._clock.now() + 1000, str(down))
        return await self._attempt(chat, row)

    async def _send(self, address: Address, row: OutgoingRow) -> str | None:
        channel = self._channels[address.source]
        send = send_from_json(row.body)
        edit = await self._ref(row.conv, send.slot) if isinstance(send, Edit) else None
        return await channel.send(
            Delivery(
                chat=self._aliases.reached_at(address),
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

    def _inform(self, address: Address, row: OutgoingRow, error: SendRefused) -> InboxRow:
        """The inbox row that tells the conversation."""
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

    async def _sleep(self, chat: _Chat, due: int) -> None:
        """Only this chat waits."""
        chat.sleeping = True
        self._busy -= 1
        self._check_idle()
        await self._clock.sleep(max(due - self._clock.now(), 0) / 1000)
        chat.sleeping = False
        self._busy += 1
        self.idle.clear()

    # --- recording ----------------------------------------------------------------------

    def _mark(self, result: SendResult) -> None:
        self._marks.append(result)
        self._recorded.clear()
        self._marked.set()

    async def record(self) -> None:
        """Records results for ever, all that have come together in one commit."""
        while True:
            await self._marked.wait()
            await self._flush()

    async def _flush(self) -> None:
        async with self._flushing:
            while self._marks:
                marks, self._marks = self._marks, []
                try:
                    await self._storage.sent(self._partitions.fence, marks)
                except BadRow as error:
                    marks[error.index] = _bare(marks[error.index], error)
                    self._marks = marks + self._marks
                except (StorageDown, OutcomeUnknown) as error:
                    _log.warning("sent messages cannot be recorded yet: %s", error)
                    self._marks = marks + self._marks
                    await self._clock.sleep(0.5)
                else:
                    self._settle(marks)
            self._marked.clear()
            self._recorded.set()
            self._check_idle()

    def _settle(self, marks: Sequence[SendResult]) -> None:
        for mark in marks:
            self._slots.release()
            if mark.slot is not None:
                self._fresh.pop((mark.conv, mark.slot), None)
        if any(mark.inform is not None for mark in marks):
            self._informed()

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
        try:
            async with asyncio.timeout(seconds):
                await self._flush()
        except TimeoutError:
            _log.warning("sent messages could not be recorded; they are sent again later")

    def _check_idle(self) -> None:
        if not self._busy and self._recorded.is_set():
            self.idle.set()


def _outgoing(row: OutboxRow) -> OutgoingRow:
    return OutgoingRow(
        seq=0, part=row.part, chat=row.chat, conv=row.conv, turn=row.turn, n=row.n,
        slot=row.slot, body=row.body, tries=0, due=0,
    )  # fmt: skip


def _bare(mark: SendResult, error: BadRow) -> SendResult:
    """The result without what the storage does not take of it."""
    _log.error("what became of message %d.%d cannot be kept: %s", mark.turn, mark.n, error.reason)
    return replace(mark, ref=None, error="(its reason could not be stored)", inform=None)


def _later(row: OutgoingRow, due: int, reason: str) -> SendResult:
    return SendResult(conv=row.conv, turn=row.turn, n=row.n, state="later", due=due, error=reason)


def _dead(row: OutgoingRow, reason: str, inform: InboxRow | None) -> SendResult:
    return SendResult(
        conv=row.conv, turn=row.turn, n=row.n, state="dead", error=reason, inform=inform
    )
