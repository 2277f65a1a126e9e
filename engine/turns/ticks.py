"""The turns: a tick takes one update of each ready order key, runs them, commits them in one
transaction and hands their messages to the delivery.

A storage that answers at once is waited for. Where a commit takes its time, the next tick runs
beside it, with other conversations: one whose turn is not committed yet has none out.

No database transaction is open while handlers run. A handler that awaits goes on beside the
ticks and joins the commit of the tick in which it ends.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from engine.bot import Bot
from engine.broadcast.turns import BroadcastTurns
from engine.commits.changes import Origin
from engine.commits.committing import Commits, page
from engine.delivery.letters import Letter
from engine.intake.albums import Albums
from engine.intake.mailboxes import (
    ALONE_AT,
    DEAD_AT,
    MALFORMED,
    NO_UPDATE,
    Item,
    Mailboxes,
    Unreadable,
)
from engine.patience import patiently
from engine.state.snapshots import Loaded, Snapshots
from engine.steps.running import contained
from engine.telemetry.ids import about
from engine.telemetry.watched import watched_turn
from engine.turns.cancelling import failure_of
from engine.turns.eager import eager
from engine.turns.scopes import Scope, order_key, scopes_of
from engine.turns.stage import OnceNotes
from engine.turns.turn import Deadline, Finished, TurnRunner, given_up, ids_of, passed_over
from engine.workers.partitions import Partitions
from flows.conversation import PARTITIONS, person_id
from flows.errors import BadRow
from flows.ports import Clock, FlowStorage, PendingRow
from flows.turns.visit import OnceResult
from flows.updates import Other, Update

BATCH = 200
"""Turns that one tick starts."""

AT_ONCE = 2
"""Commits that are under way at most: while the database works on one, the next is made."""

EAGER = sys.version_info >= (3, 12)
"""Whether a task can begin at once, and be done before anybody waits for it."""

ALONE = "alone"
"""Where the notes of an update say how often it was begun alone in the process."""

_log = logging.getLogger("handrail.engine")


@dataclass(slots=True)
class _Running:
    part: int
    task: asyncio.Task[None]
    deadline: Deadline
    update: Update
    watch: asyncio.TimerHandle | None = None

    def give_up(self) -> None:
        """It runs again, here or elsewhere."""
        self.deadline.given_up = True
        self.task.cancel()


class Turns:
    """Runs turns, in order within a conversation and independently between them.

    Args:
        handler_timeout: seconds that the handlers of one turn may take.
        max_state: bytes that a conversation may keep.
        delivered: takes the messages of committed turns, in order.
        stored: is told of chats for which the outbox may hold rows that ``delivered`` never saw.
        answered: is told of every committed turn, with the notice for its pressed button.
        picked_up: is told of every update that was read back.
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
        max_state: int,
        delivered: Callable[[Sequence[Letter]], None],
        stored: Callable[[Collection[str]], None],
        answered: Callable[[Update, str | None], None],
        picked_up: Callable[[Item], None],
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
            handler_timeout=handler_timeout, max_state=max_state, snapshots=self._snapshots,
            save_notes=self._save_notes, refs=self._refs,
            broadcasts=BroadcastTurns(storage, clock, bot.languages),
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
            observing=bot.observing,
        )  # fmt: skip
        self._albums = Albums(
            self.mailboxes, clock,
            look=lambda: patiently(clock, self.read_back),
            save_notes=self._save_notes,
            over=self._gathered,
        )  # fmt: skip
        self._picked_up = picked_up
        self._bot = bot
        self._registry = bot.registry
        self._finished: list[Finished] = []
        self._committing: set[asyncio.Task[None]] = set()
        self._running: dict[str, _Running] = {}
        self._begun: list[_Running] = []
        self._alone: deque[Item] = deque()
        self._work = asyncio.Event()
        self._ticked = asyncio.Event()
        self._stopping = False
        self._reading = asyncio.Lock()
        self._ticking = asyncio.Lock()
        self._bug: BaseException | None = None

    # --- taking in ----------------------------------------------------------------------

    def offer(self, items: Sequence[Item]) -> None:
        """Takes freshly accepted updates in their order, as far as they are this worker's."""
        mine = self._partitions.open.epochs
        if len(mine) < PARTITIONS:
            items = [item for item in items if item.part in mine]
        if items:
            self.mailboxes.put(items)
            self._wake()

    async def read_back(self) -> bool:
        """Takes undone rows that are not in memory: left behind by a dead process, added by
        another one, or held back because memory was full. Answers whether there were any.
        """
        async with self._reading:
            room, mine = min(self.mailboxes.room, 1000), self._partitions.open
            if not room or self._stopping or not mine.epochs:
                return False
            self.mailboxes.reading()
            rows = await self._storage.pending(mine, self.mailboxes.seqs, room)
            items = [self._item(row) for row in rows if row.part in self._partitions.open.epochs]
            self.mailboxes.catch_up(items, more=len(rows) == room)
            for item in items:
                self._picked_up(item)
            if rows:
                self._wake()
            return bool(rows)

    def _item(self, row: PendingRow) -> Item:
        try:
            update, notes, unreadable = Update.from_json(row.body), _notes(row.notes), None
        except (ValueError, TypeError, AttributeError) as error:
            update, notes = _stand_in(row), {}
            unreadable = Unreadable(row.body, _why_unreadable(row, error))
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
        self.mailboxes.fall_behind()
        self._wake()

    def wake(self) -> None:
        """What could not begin may be able to now: the lease was renewed, say."""
        self._work.set()

    async def settle(self, parts: Collection[int]) -> None:
        """Partitions are being left: what has not begun waits for whoever holds them next.
        Returns when what has begun is committed.
        """
        self._set_aside(parts)
        self._wake()
        while self.mailboxes.holds(parts):
            self._ticked.clear()
            await self._ticked.wait()

    async def at_rest(self, part: int, order: str | None) -> None:
        """Returns when all that is known of an order key of this partition is committed: what a
        later update of it would find is what is stored.
        """
        while not self._rests(part, order):
            self._ticked.clear()
            await self._ticked.wait()

    def _rests(self, part: int, order: str | None) -> bool:
        if part not in self._partitions.open.epochs or self.mailboxes.behind:
            return False
        return order is None or not self.mailboxes.has(order)

    def gathers(self, order: str | None, album: str | None) -> bool:
        """Whether parts of the album are here, and their turn has not begun."""
        return order is not None and album is not None and self.mailboxes.gathers(order, album)

    async def committed(self, keys: Collection[str]) -> Loaded:
        """The scopes as they are committed; waits for a storage that does not answer."""
        return await self._snapshots.load(keys)

    def _set_aside(self, parts: Collection[int]) -> None:
        self._albums.let_go(lambda item: item.part in parts)
        self._alone, left = deque(), self._alone
        for item in left:
            if item.part in parts:
                self.mailboxes.again(item)
            else:
                self._alone.append(item)
        self.mailboxes.set_aside(parts)

    def forget(self, parts: Collection[int]) -> None:
        """Partitions went to somebody else: nothing that is kept of them may be used."""
        for running in self._running.values():
            if running.part in parts:
                running.give_up()
        self._albums.let_go(lambda item: item.part in parts)
        self._finished = [one for one in self._finished if one.item.part not in parts]
        self._alone = deque(item for item in self._alone if item.part not in parts)
        self.mailboxes.forget(parts)
        self._snapshots.clear()
        self._wake()

    def forget_person(self, person: str) -> None:
        """Somebody was erased: nothing that they have sent is run, and no turn begins from what
        is in memory. What runs finds at its commit that its cause is gone.
        """

        def theirs(item: Item) -> bool:
            user = item.update.user
            return user is not None and person_id(item.update.source, user.id) == person

        self._albums.let_go(theirs)
        self._alone = deque(item for item in self._alone if not theirs(item))
        if self.mailboxes.forget_some(theirs):
            self.fall_behind()  # what they have sent to several people's flows is still there
        self.forget_states()
        self._bot.forget_person(person)

    def forget_states(self) -> None:
        """Drops the states that are kept in memory; each is read again when it is needed."""
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
            if self._work.is_set():
                await asyncio.sleep(0)  # a tick may be done without a pause; the lease needs one

    async def tick(self) -> None:
        """Starts what is ready, and commits what has finished."""
        async with self._ticking:
            if leaving := self._partitions.leaving:
                self._set_aside(leaving)  # what is to run again, runs elsewhere
            if self._may_start:
                if self._may_read and not self.mailboxes.ready:
                    await patiently(self._clock, self.read_back)
                await self._start_ready()
            count = page(self._finished)
            finished, self._finished = self._finished[:count], self._finished[count:]
            if finished:
                await self._commit(finished)
            ready = self.mailboxes.ready or self._may_read
            if self._finished or (ready and self._may_start):
                self._work.set()
            self._settle()
            self._ticked.set()

    async def _commit(self, finished: list[Finished]) -> None:
        """Commits turns; returns when another commit may begin."""
        if not EAGER:  # a task would take longer than what most storages do at once
            await self._commits.commit(finished)
            return
        task = eager(self._commits.commit(finished))
        if task.done():
            task.result()
            return
        self._committing.add(task)
        task.add_done_callback(self._committed)
        if len(self._committing) >= AT_ONCE:
            await asyncio.wait(list(self._committing), return_when=asyncio.FIRST_COMPLETED)

    def _committed(self, task: asyncio.Task[None]) -> None:
        self._committing.discard(task)
        if not (task.cancelled() and self._stopping):
            self._bug = failure_of(task) or self._bug
        self._settle()
        self._ticked.set()
        self._work.set()

    @property
    def _may_start(self) -> bool:
        """Where the lease is over, a turn would be run in vain."""
        return not self._stopping and self._partitions.current

    @property
    def _may_read(self) -> bool:
        return self.mailboxes.behind and self.mailboxes.room > 0

    @property
    def in_flight(self) -> int:
        """How many have begun and are not committed."""
        return self.mailboxes.out - len(self._alone) - self._albums.gathering

    async def drain(self, seconds: float) -> bool:
        """Starts nothing more, and returns when the turns in flight are committed; those that
        take longer than ``seconds`` are given up and run again after the next start. Answers
        whether there were none of those.
        """
        self._stopping = True
        self._albums.let_go(lambda item: True)
        try:
            async with asyncio.timeout(seconds):
                await self._finish()
            return True
        except TimeoutError:
            count = len(self._running) + len(self._finished)
            _log.warning("%d turns took too long to stop; they run again later", count)
            await self.give_up()
            return False

    async def give_up(self) -> None:
        """Ends what is in flight; it runs again after the next start."""
        tasks = [one.task for one in self._running.values()]
        for one in self._running.values():
            one.give_up()
        for commit in self._committing:
            commit.cancel()
        if waiting := [*tasks, *self._committing]:
            await asyncio.wait(waiting)

    async def _finish(self) -> None:
        """Commits what runs. A tick waits for the one that is under way."""
        await self.tick()
        while self._running or self._finished or self._committing:
            tasks = [*(one.task for one in self._running.values()), *self._committing]
            if tasks and not self._finished:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self.tick()

    def _wake(self) -> None:
        self.idle.clear()
        self._work.set()

    def _settle(self) -> None:
        busy = self._running or self._finished or self._committing
        if self.mailboxes.empty and not busy:
            self.idle.set()

    # --- running ------------------------------------------------------------------------

    async def _start_ready(self) -> None:
        if self._alone:
            await self._run_alone()
            return
        batch, had = self._albums.sift(self.mailboxes.take(BATCH))
        self._finished.extend(passed_over(item) for item in had)
        suspicious = [item for item in batch if item.tries >= ALONE_AT]
        if suspicious:
            self._alone.extend(suspicious)
            self._work.set()
        calm = [item for item in batch if item.tries < ALONE_AT]
        await self._begin_all(calm)
        if self._begun and not EAGER:
            await asyncio.sleep(0)  # here run the turns that await nothing
        self._watch()

    async def _run_alone(self) -> None:
        """An update at which a process may have died before runs while nothing else does.

        That it was begun alone is noted first: only so is it known to be the one that the
        process dies at, and not one that merely waited beside it.
        """
        if self._running or self._finished or self._committing:
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
        with about(partial(ids_of, item)):
            _log.error("update %d is set aside as a dead letter: %s", item.seq, reason)
        self._finished.append(given_up(item, self._clock.now(), reason))

    def _begin(self, item: Item, origin: Origin) -> None:
        deadline = Deadline(False, False)
        task = eager(self._turn(item, origin, deadline))
        running = _Running(item.part, task, deadline, item.update)
        if running.task.done():
            self._notice_bug(running.task)
            return
        self._running[item.box] = running
        self._begun.append(running)

        def over(task: asyncio.Task[None]) -> None:
            if self._running.get(item.box) is running:
                del self._running[item.box]
            if running.watch is not None:
                running.watch.cancel()
            self._notice_bug(task)
            self._work.set()

        running.task.add_done_callback(over)

    def _gathered(self, task: asyncio.Task[None]) -> None:
        self._notice_bug(task)
        self._work.set()

    def at_work(self) -> dict[asyncio.Task[None], Update]:
        """The turns that await something, and what has caused them."""
        return {one.task: one.update for one in self._running.values()}

    def _notice_bug(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._bug = task.exception() or self._bug

    def _watch(self) -> None:
        """Only a turn that awaits something pays for a watchdog."""
        begun, self._begun = self._begun, []
        for running in begun:
            if not running.task.done():
                loop = asyncio.get_running_loop()
                running.watch = loop.call_later(self._timeout, _expire, running)

    async def _turn(self, item: Item, origin: Origin, deadline: Deadline) -> None:
        running = self._runner.run(item, origin, deadline)
        if self._bot.observing is None:
            finished = await running
        else:
            finished = await watched_turn(self._bot.observing, item, running)
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


def _expire(running: _Running) -> None:
    running.deadline.passed = True
    running.task.cancel()


def _stand_in(row: PendingRow) -> Update:
    """What is handled in place of an update that cannot be read."""
    return Update(source=row.source, ext=row.ext, content=Other("unreadable"), at=row.at)


def _why_unreadable(row: PendingRow, error: Exception) -> str:
    return NO_UPDATE if row.kind == MALFORMED else f"its row cannot be read: {error}"


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
