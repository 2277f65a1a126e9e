"""The turns: a tick takes one update of each ready order key, runs them, commits them in one
transaction and hands their messages to the delivery.

No database transaction is open while handlers run. A handler that awaits goes on beside the
ticks and joins the commit of the tick in which it ends.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from engine.bot import Bot
from engine.changes import Origin
from engine.commits import Commits, page
from engine.mailboxes import ALONE_AT, DEAD_AT, Item, Mailboxes, Unreadable
from engine.partitions import Partitions
from engine.patience import patiently
from engine.scopes import Scope, order_key, scopes_of
from engine.snapshots import Snapshots
from engine.stage import OnceNotes
from engine.steps import contained
from engine.turn import Deadline, Finished, TurnRunner, given_up
from flows.errors import BadRow
from flows.ports import Clock, FlowStorage, OutboxRow, PendingRow
from flows.updates import Other, Update
from flows.visit import OnceResult

BATCH = 200
"""Turns that one tick starts."""

ALONE = "alone"
"""Where the notes of an update say how often it was begun alone in the process."""

_log = logging.getLogger("handrail.engine")


@dataclass(slots=True)
class _Running:
    task: asyncio.Task[None]
    deadline: Deadline
    watch: asyncio.TimerHandle | None = None


class Turns:
    """Runs turns, in order within a conversation and independently between them.

    Args:
        handler_timeout: seconds that the handlers of one turn may take.
        delivered: takes the outbox rows of committed turns, in order.
        stored: is told of chats for which the outbox may hold rows that ``delivered`` never saw.
        answered: is told of every committed turn, with the notice for its pressed button.
        timed: is told when a timer was set.
    """

    def __init__(
        self,
        bot: Bot,
        storage: FlowStorage,
        partitions: Partitions,
        clock: Clock,
        *,
        handler_timeout: float,
        delivered: Callable[[Sequence[OutboxRow]], None],
        stored: Callable[[Collection[str]], None],
        answered: Callable[[Update, str | None], None],
        timed: Callable[[], None],
    ) -> None:
        self.idle = asyncio.Event()
        self.idle.set()
        self.mailboxes = Mailboxes()
        self._storage = storage
        self._partitions = partitions
        self._clock = clock
        self._timeout = handler_timeout
        self._snapshots = Snapshots(storage, clock)
        self._runner = TurnRunner(
            bot, clock,
            handler_timeout=handler_timeout, save_notes=self._save_notes, refs=self._refs,
        )  # fmt: skip
        self._commits = Commits(
            storage, partitions, clock,
            runner=self._runner,
            snapshots=self._snapshots,
            mailboxes=self.mailboxes,
            delivered=delivered,
            stored=stored,
            answered=answered,
            timed=timed,
        )  # fmt: skip
        self._answered = answered
        self._registry = bot.registry
        self._finished: list[Finished] = []
        self._running: dict[str, _Running] = {}
        self._alone: deque[Item] = deque()
        self._work = asyncio.Event()
        self._stopping = False
        self._reading = asyncio.Lock()
        self._ticking = asyncio.Lock()
        self._bug: BaseException | None = None

    # --- taking in ----------------------------------------------------------------------

    def offer(self, items: Sequence[Item]) -> None:
        """Takes freshly accepted updates in their order."""
        self.mailboxes.put(items)
        self._wake()

    async def read_back(self) -> bool:
        """Takes undone rows that are not in memory: left behind by a dead process, added by
        another one, or held back because memory was full. Answers whether there were any.
        """
        async with self._reading:
            room = min(self.mailboxes.room, 1000)
            if not room or self._stopping:
                return False
            self.mailboxes.reading()
            rows = await self._storage.pending(self._partitions.fence, self.mailboxes.seqs, room)
            self.mailboxes.catch_up([self._item(row) for row in rows], more=len(rows) == room)
            if rows:
                self._wake()
            return bool(rows)

    def _item(self, row: PendingRow) -> Item:
        try:
            update, notes, unreadable = Update.from_json(row.body), _notes(row.notes), None
        except (ValueError, TypeError, AttributeError) as error:
            update, notes = _stand_in(row), {}
            unreadable = Unreadable(row.body, f"its row cannot be read: {error}")
        # a row says what it is in order with by the flows of its time, or names a scope
        order = order_key(update, self._registry.keys)
        return Item(
            seq=row.seq,
            part=row.part,
            conv=order if order is not None else row.conv,
            update=update,
            tries=row.tries,
            notes=notes,
            unreadable=unreadable,
        )

    def fall_behind(self) -> None:
        """The database may hold updates that are not in memory: they are read before anything
        newer is taken.
        """
        self.mailboxes.behind = True
        self._wake()

    def forget(self, parts: Collection[int]) -> None:
        """Partitions went to somebody else: nothing that is kept of them may be used."""
        for item in self.mailboxes.forget(parts):
            self._answered(item.update, None)
        self._snapshots.clear()

    def forget_states(self) -> None:
        """Somebody was erased: no turn may begin from what is in memory."""
        self._snapshots.clear()

    # --- the loop -----------------------------------------------------------------------

    async def run(self) -> None:
        """Ticks for ever. Raises what a turn raised that was no handler's doing: a bug."""
        while True:
            await self._work.wait()
            self._work.clear()
            await self.tick()
            if self._bug is not None:
                raise self._bug

    async def tick(self) -> None:
        """Starts what is ready, and commits what has finished."""
        async with self._ticking:
            if not self._stopping:
                if self._may_read and not self.mailboxes.ready:
                    await patiently(self._clock, self.read_back)
                await self._start_ready()
            count = page(self._finished)
            finished, self._finished = self._finished[:count], self._finished[count:]
            if finished:
                await self._commits.commit(finished)
            ready = self.mailboxes.ready or self._may_read
            if self._finished or (ready and not self._stopping):
                self._work.set()
            self._settle()

    @property
    def _may_read(self) -> bool:
        return self.mailboxes.behind and self.mailboxes.room > 0

    async def drain(self, seconds: float) -> None:
        """Starts nothing more, and returns when the turns in flight are committed; those that
        take longer than ``seconds`` are given up and run again after the next start.
        """
        self._stopping = True
        try:
            async with asyncio.timeout(seconds):
                await self._finish()
        except TimeoutError:
            tasks = [one.task for one in self._running.values()]
            count = len(tasks) + len(self._finished)
            _log.warning("%d turns took too long to stop; they run again later", count)
            for one in self._running.values():
                one.deadline.given_up = True
                one.task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    async def _finish(self) -> None:
        """Commits what runs. A tick waits for the one that is under way, and its commit."""
        await self.tick()
        while self._running or self._finished:
            if self._running:
                tasks = [one.task for one in self._running.values()]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self.tick()

    def _wake(self) -> None:
        self.idle.clear()
        self._work.set()

    def _settle(self) -> None:
        if self.mailboxes.empty and not self._running and not self._finished:
            self.idle.set()

    # --- running ------------------------------------------------------------------------

    async def _start_ready(self) -> None:
        if self._alone:
            await self._run_alone()
            return
        batch = self.mailboxes.take(BATCH)
        suspicious = [item for item in batch if item.tries >= ALONE_AT]
        if suspicious:
            self._alone.extend(suspicious)
            self._work.set()
        calm = [item for item in batch if item.tries < ALONE_AT]
        await self._begin_all(calm)
        if self._running:
            # where tasks are not eager, this is where the turns that await nothing run
            await asyncio.sleep(0)
            self._watch()

    async def _run_alone(self) -> None:
        """An update at which a process may have died before runs while nothing else does.

        That it was begun alone is noted first: only so is it known to be the one that the
        process dies at, and not one that merely waited beside it.
        """
        if self._running or self._finished:
            return
        item = self._alone.popleft()
        self._work.set()
        begun = _begun_alone(item)
        if begun >= DEAD_AT - ALONE_AT:
            self._give_up(item, f"the process died at it {item.tries} times")
            return
        item.notes[ALONE] = {ALONE: OnceResult(0, begun + 1)}
        try:
            await self._save_notes(item)
        except BadRow as error:
            self._give_up(item, str(error))
            return
        await self._begin_all([item])
        self._watch()
        if self._running:
            await asyncio.wait([one.task for one in self._running.values()])

    async def _begin_all(self, items: Sequence[Item]) -> None:
        """Begins turns. What cannot be read fails its own turn alone, and is left as it is."""
        begun = self._scoped(items)
        loaded = await self._snapshots.load([scope.key for _, scopes in begun for scope in scopes])
        for item, scopes in begun:
            corrupt = [scope.key for scope in scopes if scope.key in loaded.corrupt]
            if corrupt:
                self._give_up(item, str(loaded.corrupt[corrupt[0]]))
            else:
                self._begin(item, self._runner.origin(item, scopes, loaded.known))

    def _scoped(self, items: Sequence[Item]) -> list[tuple[Item, tuple[Scope, ...]]]:
        """The items that can begin in this tick, with their scopes. Of those that have one in
        common the first: the others would only find that it has changed meanwhile.
        """
        begun: list[tuple[Item, tuple[Scope, ...]]] = []
        taken: set[str] = set()
        for item in items:
            scopes = self._scopes(item)
            if scopes is None:
                continue
            keys = [scope.key for scope in scopes]
            if not taken.isdisjoint(keys):
                self.mailboxes.again(item)
                continue
            taken.update(keys)
            begun.append((item, scopes))
        return begun

    def _scopes(self, item: Item) -> tuple[Scope, ...] | None:
        """The scopes that the item needs; None where that cannot be said, and it has failed."""
        if item.unreadable is not None:
            self._give_up(item, item.unreadable.reason)
            return None
        try:
            return scopes_of(item.update, self._registry.keys)
        except BaseException as error:  # whatever a key function raises fails this turn alone
            nothing = self._runner.origin(item, (), {})
            self._finished.append(self._runner.failed(item, nothing, contained(error)))
            return None

    def _give_up(self, item: Item, reason: str) -> None:
        _log.error("update %d is set aside as a dead letter: %s", item.seq, reason)
        self._finished.append(given_up(item, self._clock.now(), reason))

    def _begin(self, item: Item, origin: Origin) -> None:
        deadline = Deadline()
        running = _Running(_eager(self._turn(item, origin, deadline)), deadline)
        if running.task.done():
            self._notice_bug(running.task)
            return
        self._running[item.box] = running

        def over(task: asyncio.Task[None]) -> None:
            if self._running.get(item.box) is running:
                del self._running[item.box]
            if running.watch is not None:
                running.watch.cancel()
            self._notice_bug(task)
            self._work.set()

        running.task.add_done_callback(over)

    def _notice_bug(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._bug = task.exception() or self._bug

    def _watch(self) -> None:
        """Only a turn that awaits something pays for a watchdog."""
        loop = asyncio.get_running_loop()
        for running in self._running.values():
            if running.watch is None and not running.task.done():
                running.watch = loop.call_later(self._timeout, _expire, running)

    async def _turn(self, item: Item, origin: Origin, deadline: Deadline) -> None:
        finished = await self._runner.run(item, origin, deadline)
        # not in one expression: a tick puts another list in place while the turn awaits
        self._finished.append(finished)

    async def _refs(self, conv: str, slots: Collection[str]) -> Mapping[str, str]:
        return await patiently(self._clock, lambda: self._storage.refs(conv, slots))

    async def _save_notes(self, item: Item) -> None:
        """Raises BadRow when the storage cannot take them."""
        notes = orjson.dumps(item.notes).decode()
        await patiently(
            self._clock, lambda: self._storage.note(self._partitions.fence, item.seq, notes)
        )


def _eager(turn: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that runs at once up to its first real wait, where Python can do that (3.12)."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(turn, loop=asyncio.get_running_loop(), eager_start=True)
    return asyncio.ensure_future(turn)


def _expire(running: _Running) -> None:
    running.deadline.passed = True
    running.task.cancel()


def _stand_in(row: PendingRow) -> Update:
    """What is handled in place of an update that cannot be read."""
    return Update(source=row.source, ext=row.ext, content=Other("unreadable"), at=row.at)


def _begun_alone(item: Item) -> int:
    """How often the update was begun alone in a process, and not finished."""
    known = item.notes.get(ALONE, {}).get(ALONE)
    return int(known.value) if known is not None else 0


def _notes(text: str | None) -> OnceNotes:
    if text is None:
        return {}
    return {
        place: {key: OnceResult(**result) for key, result in results.items()}
        for place, results in orjson.loads(text).items()
    }
