"""The sender: which message goes out next, and who has to wait."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

from engine.delivery.attempts import SEND_SECONDS, Attempts
from engine.delivery.backlog import Backlog
from engine.delivery.chats import Chats, Queue, Stand
from engine.delivery.letters import Letter
from engine.delivery.recording import Recorder
from engine.delivery.veiling import said_in
from engine.intake.aliases import Aliases
from engine.privacy.redaction import confide
from engine.telemetry.ids import HERE
from engine.telemetry.observing import Observing
from engine.telemetry.watched_sends import ids_of_row, watched_send
from engine.turns.eager import eager
from engine.workers.partitions import Partitions
from flows.conversation import person_id
from flows.errors import ChannelStopped
from flows.ports import Channel, Clock, FlowStorage, Pause, SendResult

AGAIN = 1.0
"""Seconds after which something is tried again that is nobody's fault."""

_log = logging.getLogger("handrail.delivery")


class Sender:
    """Sends what turns have committed, and records what became of it.

    One message of a chat is under way at a time, and 32 of all chats. Chats take turns.

    Args:
        stopped: is told why no more can be sent.
        informed: is told when the recording has put something into the inbox.
        confided: what messages say is kept out of the log.
        observing: who is told of every try to send; None: nobody.
    """

    def __init__(
        self,
        storage: FlowStorage,
        partitions: Partitions,
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        aliases: Aliases,
        stopped: Callable[[BaseException], None],
        informed: Callable[[], None],
        confided: bool = False,
        observing: Observing | None = None,
    ) -> None:
        self.idle = asyncio.Event()
        self.idle.set()
        self._partitions = partitions
        self._channels = channels
        self._clock = clock
        self._aliases = aliases
        self._stopped = stopped
        self._confided = confided
        self._observing = observing
        self._chats = Chats(channels.keys())
        self._ready: deque[Queue] = deque()
        self._asleep = 0
        self._orphans: set[asyncio.Task[None]] = set()
        self._pause: asyncio.Task[None] | None = None
        self._pumping = False
        self._draining = False
        self._recorder = Recorder(
            storage, partitions, clock,
            settled=self._pump, informed=informed, stale=self.forget,
        )  # fmt: skip
        self._attempts = Attempts(
            storage, partitions, channels, clock,
            aliases=aliases, fresh=self._recorder.fresh, confided=confided,
        )  # fmt: skip
        self._backlog = Backlog(
            storage, partitions, clock,
            chats=self._chats,
            recorder=self._recorder,
            leave=self._leave,
            go_on=self._go_on,
            nap=self._doze,
            stopped=stopped,
        )  # fmt: skip

    @property
    def waiting(self) -> int:
        """How many messages wait in memory."""
        return self._chats.waiting

    # --- taking in ----------------------------------------------------------------------

    def add(self, letters: Iterable[Letter]) -> None:
        """Takes messages that were just committed, in their order."""
        chats = self._chats
        for letter in letters:
            row = letter[0]
            queue = chats.open(row.chat)
            if queue is None:
                continue
            if queue.behind or row.part not in chats.known or chats.laden:
                queue.behind += 1
            else:
                chats.put(queue, letter)
            if queue.stand is Stand.NEW:
                self._next(queue)
        self._pump()

    def stored(self, chats: Collection[str]) -> None:
        """The database may hold messages to these chats that ``add`` has never seen: they go
        before what comes after them.
        """
        for name in chats:
            self._leave(name, 0)

    async def recover(self, parts: Collection[int]) -> None:
        """Finds what lies undelivered in partitions that were just won. Until it has returned,
        and of partitions that it was never called for, every message goes by the database.

        Raises:
            StorageDown: it did not finish; call it again.
        """
        # what was begun under an earlier lease ends first, lest it is sent beside itself
        if self._orphans:
            await asyncio.wait(self._orphans)
        await self._recorder.flush()
        await self._backlog.recover(parts)

    async def settle(self, parts: Collection[int]) -> None:
        """Partitions are being left, and no send is begun in them any more: returns when those in
        flight have ended and are recorded.
        """
        flying = {queue.task for queue in self._chats if queue.task and queue.part in parts}
        if flying:
            await asyncio.wait(flying)
        await self._recorder.flush()

    def forget(self, parts: Collection[int]) -> None:
        """Partitions went to somebody else: no message of theirs is begun any more. What is in
        flight ends, and what becomes of it is not ours to record.
        """
        self._chats.forget(parts)
        for queue in self._chats:
            if queue.part in parts:
                self._drop(queue)
        self._ready = deque(queue for queue in self._ready if queue.stand is Stand.READY)
        self._pump()

    def forget_person(self, person: str) -> None:
        """Somebody was erased: none of their messages is begun any more. What is kept of the
        partitions that hold one is dropped, and read from the database again.
        """
        self.forget({queue.part for queue in self._chats if _concerns(queue, person)})

    async def look_again(self) -> None:
        """Looks for messages that became due, or that another process added; and through
        partitions that came to us and that nobody has told of.
        """
        if self._draining:
            return
        held = self._partitions.fence.epochs.keys()
        if unknown := held - self._chats.known - self._chats.crowded:
            await self.recover(unknown)
        await self._backlog.look_again()

    async def record(self) -> None:
        """Records what became of messages, for ever."""
        await self._recorder.record()

    async def drain(self, seconds: float) -> bool:
        """Sends nothing more; lets the sends in flight end and records them. Answers whether
        all of that was done in time.
        """
        self._draining = True
        self._backlog.stop()
        if self._pause is not None:
            self._pause.cancel()
        for queue in self._chats:
            if queue.nap is not None:
                queue.nap.cancel()
        flying = {queue.task for queue in self._chats if queue.task is not None} | self._orphans
        late: set[asyncio.Task[None]] = set()
        if flying:
            _, late = await asyncio.wait(flying, timeout=seconds)
            for task in late:
                task.cancel()
        try:
            async with asyncio.timeout(seconds):
                await self._recorder.flush()
        except TimeoutError:
            _log.warning("sent messages could not be recorded; they are sent again later")
            return False
        return not late

    # --- whose turn it is ---------------------------------------------------------------

    def _leave(self, name: str, due: int) -> None:
        """Something for the chat lies in the database."""
        queue = self._chats.open(name)
        if queue is None:
            return
        queue.behind += 1
        if not queue.letters:
            queue.due = due
        if queue.stand is Stand.NEW:
            self._next(queue)
            self._pump()

    def _go_on(self, queue: Queue) -> None:
        self._next(queue)
        self._pump()

    def _next(self, queue: Queue) -> None:
        """Where a queue goes on that has nothing under way."""
        if queue.letters:
            queue.stand = Stand.READY
            self._ready.append(queue)
        elif not queue.behind:
            self._chats.close(queue)
        elif queue.due > (now := self._clock.now()):
            self._sleep(queue, (queue.due - now) / 1000)
        elif not self._draining:
            queue.stand = Stand.READING
            self._backlog.want(queue)

    def _pump(self) -> None:
        """Begins as many sends as may be; each chat that has to wait is passed over."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._ready and self._recorder.free and not (self._pause or self._draining):
                queue = self._ready.popleft()
                if queue.stand is Stand.READY:
                    self._begin(queue)
        finally:
            self._pumping = False
        self._tell_idle()

    def _begin(self, queue: Queue) -> None:
        if not self._partitions.may_act(queue.part):
            self._sleep(queue, AGAIN)
            return
        if queue.closed is None:
            address = queue.address
            try:
                pause = self._channels[address.source].admit(self._aliases.reached_at(address))
            except Exception:  # a bug in a channel must not stop the other chats
                _log.exception("whether a message may go to %s cannot be said", address.chat)
                pause = Pause(AGAIN)
            if pause is not None:
                self._hold(queue, pause)
                return
        self._recorder.free -= 1
        queue.stand = Stand.SENDING
        queue.begun = queue.late = False
        task = eager(self._send(queue, queue.letters[0]))
        if task.done():
            return
        queue.task = task
        queue.allow(SEND_SECONDS)
        task.add_done_callback(self._over)

    def _hold(self, queue: Queue, pause: Pause) -> None:
        if not pause.everybody:
            self._sleep(queue, pause.seconds)
            return
        self._ready.appendleft(queue)
        self._pause = asyncio.ensure_future(self._wait(pause.seconds))

    async def _wait(self, seconds: float) -> None:
        """Nobody may send for so long."""
        await self._clock.sleep(seconds)
        self._pause = None
        self._pump()

    def _sleep(self, queue: Queue, seconds: float) -> None:
        """Only this chat waits."""
        queue.stand = Stand.ASLEEP
        self._asleep += 1
        queue.nap = asyncio.ensure_future(self._nap(queue, seconds))

    def _doze(self, queue: Queue) -> None:
        self._sleep(queue, AGAIN)
        self._pump()

    async def _nap(self, queue: Queue, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._wake(queue)
        self._go_on(queue)

    def _wake(self, queue: Queue) -> None:
        self._asleep -= 1
        queue.nap = None

    def _drop(self, queue: Queue) -> None:
        """Lets go of a queue."""
        if queue.nap is not None:
            queue.nap.cancel()
            self._wake(queue)
        if queue.task is not None:
            self._orphans.add(queue.task)
        self._chats.close(queue)

    # --- one send -----------------------------------------------------------------------

    async def _send(self, queue: Queue, letter: Letter) -> None:
        HERE.set(partial(ids_of_row, letter[0]))
        if self._confided:
            confide(partial(said_in, letter))
        try:
            # where tasks are not eager, it may have been lost before this one has begun
            if queue.stand is Stand.GONE:
                outcome = None
            elif self._observing is None:
                outcome = await self._attempts.once(queue, letter)
            else:
                running = self._attempts.once(queue, letter)
                outcome = await watched_send(self._observing, queue, letter[0], running)
        except asyncio.CancelledError:
            if not queue.late:
                raise
            outcome = self._timed_out(queue, letter)
        except ChannelStopped as error:
            queue.stand = Stand.STUCK
            self._stopped(error)
            return
        except Exception as error:  # a bug must not stop the other chats
            _log.exception("a message to %s could not be dealt with", letter[0].chat)
            outcome = self._attempts.cut(queue, letter[0], repr(error))
        self._landed(queue, outcome)

    def _timed_out(self, queue: Queue, letter: Letter) -> SendResult | None:
        if not queue.begun:
            return None
        row = letter[0]
        reason = f"there was no answer within {SEND_SECONDS:g} seconds"
        _log.warning("a message to %s was cut off: %s", row.chat, reason)
        return self._attempts.cut(queue, row, reason)

    def _over(self, task: asyncio.Task[None]) -> None:
        if task in self._orphans:
            self._orphans.discard(task)
            self._tell_idle()

    def _landed(self, queue: Queue, outcome: SendResult | None) -> None:
        if queue.watch is not None:
            queue.watch.cancel()
            queue.watch = queue.task = None
        if outcome is None:
            self._recorder.free += 1
        else:
            self._recorder.mark(queue.part, outcome)
        if queue.stand is Stand.GONE:
            pass  # it went to somebody else meanwhile
        elif outcome is None:
            self._sleep(queue, AGAIN)
        elif outcome.state == "later":
            self._sleep(queue, max(outcome.due - self._clock.now(), 0) / 1000)
        else:
            self._chats.take(queue)
            self._next(queue)
        if not self._pumping:
            self._pump()

    def _tell_idle(self) -> None:
        """Idle is who has nothing to do but to wait for a time in the future."""
        waiting = self._asleep + (len(self._ready) if self._pause is not None else 0)
        busy = len(self._chats) > waiting or self._orphans or not self._recorder.quiet
        if not busy:
            self.idle.set()
        elif self.idle.is_set():
            self.idle.clear()


def _concerns(queue: Queue, person: str) -> bool:
    """Whether it is a person's private chat, or holds a message of one of their conversations."""
    address = queue.address
    if person_id(address.source, address.chat) == person:
        return True
    channel, _, user = person.partition("/")
    names = {row.conv for row, *_ in queue.letters}
    return any(name.startswith(f"{channel}/") and name.endswith(f"/{user}") for name in names)
