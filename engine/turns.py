"""The turns: a tick takes one update of each ready conversation, runs them, commits them in one
transaction and hands their messages to the delivery.

No database transaction is open while handlers run. A handler that awaits goes on beside the
ticks and joins the commit of the tick in which it ends.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import orjson

from engine.bot import Bot
from engine.changes import Origin, changes, only_says
from engine.dialogue import Dialogue
from engine.mailboxes import ALONE_AT, DEAD_AT, Item, Mailboxes, Unreadable
from engine.partitions import Partitions
from engine.state import Conversation
from engine.steps import StepFailed
from engine.walk import OnceNotes
from flows.conversation import ConversationKey
from flows.effects import Effects, Emission
from flows.errors import BadRow, CorruptState, HandlerTimeout, OutcomeUnknown, StorageDown
from flows.instance import OnceResult
from flows.ports import (
    Clock,
    Committed,
    DeadLetter,
    FlowStorage,
    OutboxRow,
    Outcome,
    PendingRow,
    Snapshot,
    TurnCommit,
)
from flows.replies import Reply
from flows.updates import Other, Update

BATCH = 200
"""Turns that one tick starts, and at most commits at once."""

CACHED = 10_000
"""Conversations whose last committed text is kept in memory."""

ALONE = "alone"
"""Where the notes of an update say how often it was begun alone in the process."""

T = TypeVar("T")

_log = logging.getLogger("handrail.engine")


@dataclass(slots=True, kw_only=True)
class Finished:
    """A turn that has run and is to be committed.

    Attributes:
        failed: it failed, and says no more than that.
    """

    item: Item
    commit: TurnCommit
    state: str | None
    effects: Effects
    failed: bool = False


@dataclass(slots=True)
class _Running:
    task: asyncio.Task[None]
    watch: asyncio.TimerHandle | None = None
    late: bool = False


class Turns:
    """Runs turns, in order within a conversation and independently between them.

    Args:
        handler_timeout: seconds that the handlers of one turn may take.
        delivered: takes the outbox rows of committed turns, in order.
        stored: is told of chats for which the outbox may hold rows that ``delivered`` never saw.
        answered: is told of every committed turn, with the notice for its pressed button.
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
    ) -> None:
        self.idle = asyncio.Event()
        self.idle.set()
        self.mailboxes = Mailboxes()
        self._bot = bot
        self._storage = storage
        self._partitions = partitions
        self._clock = clock
        self._timeout = handler_timeout
        self._delivered = delivered
        self._stored = stored
        self._answered = answered
        self._cache: OrderedDict[str, Snapshot | None] = OrderedDict()
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
            self.mailboxes.catch_up([_item(row) for row in rows], more=len(rows) == room)
            if rows:
                self._wake()
            return bool(rows)

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
        self._cache.clear()

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
                    await self._patiently(self.read_back)
                await self._start_ready()
            finished, self._finished = self._finished[:BATCH], self._finished[BATCH:]
            if finished:
                await self._commit(finished)
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
            for task in tasks:
                task.cancel()
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
        unreadable = [item for item in items if item.unreadable is not None]
        for item in unreadable:
            self._give_up(item, item.unreadable.reason if item.unreadable else "")
        readable = [item for item in items if item.unreadable is None]
        snapshots, corrupt = await self._load(readable)
        for item in readable:
            if item.box in corrupt:
                self._give_up(item, str(corrupt[item.box]))
            else:
                self._begin(item, snapshots.get(item.box))

    def _give_up(self, item: Item, reason: str) -> None:
        _log.error("update %d is set aside as a dead letter: %s", item.seq, reason)
        self._finished.append(_given_up(item, self._clock.now(), reason))

    async def _load(
        self, items: Sequence[Item]
    ) -> tuple[dict[str, Snapshot], dict[str, CorruptState]]:
        """The last committed state of each conversation: from memory, else from the storage;
        and what is the matter with those that cannot be read.
        """
        known: dict[str, Snapshot] = {}
        missing: list[str] = []
        for item in items:
            if item.update.conversation is None:
                continue
            if item.box in self._cache:
                self._cache.move_to_end(item.box)
                snapshot = self._cache[item.box]
                if snapshot is not None:
                    known[item.box] = snapshot
            else:
                missing.append(item.box)
        if not missing:
            return known, {}
        found, corrupt = await self._fetch(missing)
        return known | found, corrupt

    async def _fetch(
        self, keys: Sequence[str]
    ) -> tuple[dict[str, Snapshot], dict[str, CorruptState]]:
        try:
            found = dict(await self._patiently(lambda: self._storage.load(keys)))
        except CorruptState as error:
            if len(keys) == 1:
                return {}, {keys[0]: error}
            return await self._fetch_each(keys)
        for key in keys:
            self._remember(key, found.get(key))
        return found, {}

    async def _fetch_each(
        self, keys: Sequence[str]
    ) -> tuple[dict[str, Snapshot], dict[str, CorruptState]]:
        """Reads them one by one, since one of them spoils the whole answer."""
        found: dict[str, Snapshot] = {}
        corrupt: dict[str, CorruptState] = {}
        for key in keys:
            good, bad = await self._fetch([key])
            found.update(good)
            corrupt.update(bad)
        return found, corrupt

    def _begin(self, item: Item, snapshot: Snapshot | None) -> None:
        running = _Running(_eager(self._turn(item, snapshot)))
        if running.task.done():
            return
        self._running[item.box] = running

        def over(task: asyncio.Task[None]) -> None:
            if self._running.get(item.box) is running:
                del self._running[item.box]
            if running.watch is not None:
                running.watch.cancel()
            if not task.cancelled():
                self._bug = task.exception() or self._bug
            self._work.set()

        running.task.add_done_callback(over)

    def _watch(self) -> None:
        """Only a turn that awaits something pays for a watchdog."""
        loop = asyncio.get_running_loop()
        for running in self._running.values():
            if running.watch is None and not running.task.done():
                running.watch = loop.call_later(self._timeout, _expire, running)

    async def _turn(self, item: Item, snapshot: Snapshot | None) -> None:
        """One turn, from the loaded state to what it wants to commit."""
        now = self._clock.now()
        key = item.update.conversation
        if key is None:
            # not in one expression: a tick puts another list in place while this awaits
            finished = await self._without_conversation(item, now)
            self._finished.append(finished)
            return
        origin = Origin(seq=item.seq, key=key, update=item.update, snapshot=snapshot, now=now)
        state = snapshot.state if snapshot is not None else None
        dialogue: Dialogue | None = None
        try:
            dialogue = self._dialogue(item, key, state, now)
            await dialogue.run()
            commit, written = changes(origin, dialogue)
        except CorruptState as error:
            _log.error("%s", error)
            self._finished.append(_given_up(item, now, str(error)))
            return
        except asyncio.CancelledError:
            if not self._is_late(item):
                raise
            failure: Exception = _timed_out(dialogue, self._timeout)
        except StepFailed as failed:
            failure = failed.cause
        except Exception as error:  # whatever a handler raises fails this turn alone
            failure = error
        else:
            self._finished.append(
                Finished(item=item, commit=commit, state=written, effects=dialogue.effects)
            )
            return
        self._finished.append(self._failed(item, origin, failure))

    def _dialogue(self, item: Item, key: ConversationKey, state: str | None, now: int) -> Dialogue:
        return Dialogue(
            self._bot,
            Conversation.decode(str(key), state),
            item.update,
            cause=item.seq,
            now=now,
            person=key.person,
            notes=item.notes,
            save_notes=partial(self._save_notes, item),
        )

    async def _save_notes(self, item: Item) -> None:
        """Raises BadRow when the storage cannot take them."""
        notes = orjson.dumps(item.notes).decode()
        await self._patiently(lambda: self._storage.note(self._partitions.fence, item.seq, notes))

    def _is_late(self, item: Item) -> bool:
        """Whether the running turn was cancelled because its time is up."""
        running = self._running.get(item.box)
        return running is not None and running.late

    async def _without_conversation(self, item: Item, now: int) -> Finished:
        """An update without a chat or a sender: the router's handlers see it, nothing is kept."""
        dialogue = Dialogue(
            self._bot, Conversation(), item.update,
            cause=item.seq, now=now, person="", notes={}, save_notes=_keep_nothing,
        )  # fmt: skip
        try:
            await dialogue.run()
        except StepFailed as failed:
            _log.error("an update without a conversation failed", exc_info=failed.cause)
        except asyncio.CancelledError:
            if not self._is_late(item):
                raise
            failure = _timed_out(None, self._timeout)
            _log.error("an update without a conversation failed: %s", failure)
        except Exception:  # whatever a handler raises fails this turn alone
            _log.exception("an update without a conversation failed")
        if dialogue.effects.emissions:
            _log.warning("a handler replied to an update that has no chat; nothing is sent")
        commit = TurnCommit(cause=item.seq, part=item.part)
        return Finished(item=item, commit=commit, state=None, effects=Effects())

    def _failed(self, item: Item, origin: Origin, failure: Exception) -> Finished:
        """A failed turn: nothing of it is kept but an apology and the results of ``once``."""
        _log.error(
            "a turn of conversation %s failed and left no trace: %s",
            origin.key, failure, exc_info=failure,
        )  # fmt: skip
        emissions = [Emission(Reply(text=self._bot.texts.apology))]
        state = _with_results(origin, item.notes)
        return Finished(
            item=item,
            commit=only_says(origin, emissions, state),
            state=state,
            effects=Effects(),
            failed=True,
        )

    # --- committing ---------------------------------------------------------------------

    async def _commit(self, finished: list[Finished]) -> None:
        """Commits a batch. A row that cannot be stored fails its own turn alone."""
        lost = False

        async def commit() -> Sequence[Committed]:
            nonlocal lost
            try:
                return await self._storage.commit(
                    self._partitions.fence, [one.commit for one in finished]
                )
            except OutcomeUnknown:
                lost = True
                raise

        while finished:
            try:
                results = await self._patiently(commit)
            except BadRow as error:
                self._replace(finished, error)
                continue
            for one, result in zip(finished, results, strict=True):
                if lost and result.outcome is Outcome.GONE:
                    self._done_before(one)
                else:
                    self._conclude(one, result)
            self._delivered(
                [
                    row
                    for one, result in zip(finished, results, strict=True)
                    if result.outcome is Outcome.DONE
                    for row in one.commit.outbox
                ]
            )
            return

    def _replace(self, finished: list[Finished], error: BadRow) -> None:
        """Puts an apology in place of the culprit; if that cannot be stored, one without the
        results of ``once``; if that cannot either, a dead letter.
        """
        culprit = finished[error.index]
        now = self._clock.now()
        key = culprit.item.update.conversation
        if key is None or (culprit.failed and not culprit.item.notes):
            finished[error.index] = _given_up(culprit.item, now, str(error))
            return
        if culprit.failed:
            culprit.item.notes.clear()
        origin = Origin(
            seq=culprit.item.seq,
            key=key,
            update=culprit.item.update,
            snapshot=self._cache.get(culprit.item.box),
            now=now,
        )
        finished[error.index] = self._failed(culprit.item, origin, error)

    def _conclude(self, one: Finished, result: Committed) -> None:
        match result.outcome:
            case Outcome.DONE:
                self._done(one, result)
            case Outcome.CONFLICT:
                self._cache.pop(one.item.box, None)
                one.item.conflicts += 1
                self.mailboxes.again(one.item)
            case Outcome.GONE | Outcome.FENCED:
                self._cache.pop(one.item.box, None)
                self._answered(one.item.update, None)
                self.mailboxes.done(one.item)

    def _done(self, one: Finished, result: Committed) -> None:
        if one.commit.scopes and one.state is not None:
            snapshot = Snapshot(result.versions[0], one.item.seq, one.state)
            self._remember(one.item.box, snapshot)
        self._tell(one)

    def _done_before(self, one: Finished) -> None:
        """The commit whose answer was lost had gone through, or the person was erased: what
        there is to deliver lies in the database.
        """
        self._cache.pop(one.item.box, None)
        self._stored({row.chat for row in one.commit.outbox})
        self._tell(one)

    def _tell(self, one: Finished) -> None:
        for message, values in one.effects.logs:
            logging.getLogger("handrail.flow").info("%s %s", message, values or "")
        self._answered(one.item.update, one.effects.notice)
        self.mailboxes.done(one.item)

    def _remember(self, key: str, snapshot: Snapshot | None) -> None:
        self._cache[key] = snapshot
        self._cache.move_to_end(key)
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)

    async def _patiently(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Awaits the call, again and again while the storage is down; nothing is lost meanwhile."""
        pause = 0.05
        while True:
            try:
                return await call()
            except (StorageDown, OutcomeUnknown) as error:
                # whatever is called here may be repeated: a commit is compared, and done once
                _log.warning(
                    "the storage does not answer, trying again in %.1f s: %s", pause, error
                )
                await self._clock.sleep(pause)
                pause = min(pause * 2, 5.0)


def _eager(turn: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that runs at once up to its first real wait, where Python can do that (3.12)."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(turn, loop=asyncio.get_running_loop(), eager_start=True)
    return asyncio.ensure_future(turn)


def _expire(running: _Running) -> None:
    running.late = True
    running.task.cancel()


def _timed_out(dialogue: Dialogue | None, seconds: float) -> HandlerTimeout:
    top = dialogue.conversation.top if dialogue is not None else None
    if top is None:
        return HandlerTimeout("(none)", "a plain handler", seconds)
    return HandlerTimeout(top.flow, top.step, seconds)


def _item(row: PendingRow) -> Item:
    try:
        update, notes, unreadable = Update.from_json(row.body), _notes(row.notes), None
    except (ValueError, TypeError, AttributeError) as error:
        update, notes = _stand_in(row), {}
        unreadable = Unreadable(row.body, f"its row cannot be read: {error}")
    return Item(
        seq=row.seq,
        part=row.part,
        conv=row.conv,
        update=update,
        tries=row.tries,
        notes=notes,
        unreadable=unreadable,
    )


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


def _with_results(origin: Origin, notes: OnceNotes) -> str | None:
    """The old state, with the ``once`` results of the failed turn kept for its next run."""
    if not notes or origin.snapshot is None:
        return None
    conversation = Conversation.decode(str(origin.key), origin.snapshot.state)
    for instance in conversation.stack:
        for place, results in notes.items():
            owner, _, visit = place.rpartition("/")
            if owner != instance.id:
                continue
            if instance.visit is not None and str(instance.visit.number) == visit:
                instance.visit.once.update(results)
            else:
                instance.spare[visit] = dict(results)
    return conversation.encode()


def _given_up(item: Item, now: int, error: str) -> Finished:
    """The commit of an update that is set aside as a dead letter; its conversation goes on."""
    dead = DeadLetter(
        conv=item.conv,
        origin="inbox",
        body=item.unreadable.body if item.unreadable is not None else item.update.to_json(),
        error=error,
        tries=item.tries,
        at=now,
    )
    commit = TurnCommit(cause=item.seq, part=item.part, dead=dead)
    return Finished(item=item, commit=commit, state=None, effects=Effects(), failed=True)


async def _keep_nothing() -> None:
    """Where there is no conversation, there is nothing to keep."""
