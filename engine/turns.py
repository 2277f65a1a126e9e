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
from engine.mailboxes import ALONE_AT, DEAD_AT, Item, Mailboxes
from engine.partitions import Partitions
from engine.state import Conversation
from engine.steps import StepFailed
from engine.walk import OnceNotes
from flows.conversation import PARTITIONS, ConversationKey, partition_of
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
from flows.updates import Update

BATCH = 200
"""Turns that one tick starts, and at most commits at once."""

CACHED = 10_000
"""Conversations whose last committed text is kept in memory."""

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
        self._answered = answered
        self._cache: OrderedDict[str, Snapshot | None] = OrderedDict()
        self._finished: list[Finished] = []
        self._running: dict[str, _Running] = {}
        self._alone: deque[Item] = deque()
        self._work = asyncio.Event()
        self._stopping = False

    # --- taking in ----------------------------------------------------------------------

    def offer(self, items: Sequence[Item]) -> None:
        """Takes freshly accepted updates in their order."""
        self.mailboxes.put(items)
        self._wake()

    async def read_back(self) -> bool:
        """Takes undone rows that are not in memory: left behind by a dead process, added by
        another one, or held back because memory was full. Answers whether there were any.
        """
        room = min(self.mailboxes.room, 1000)
        if not room or self._stopping:
            return False
        rows = await self._storage.pending(self._partitions.fence, self.mailboxes.seqs, room)
        self.mailboxes.catch_up([_item(row) for row in rows], more=len(rows) == room)
        if rows:
            self._wake()
        return bool(rows)

    def forget(self, parts: Collection[int]) -> None:
        """Partitions went to somebody else: nothing that is kept of them may be used."""
        self.mailboxes.forget(parts)
        self._cache.clear()

    # --- the loop -----------------------------------------------------------------------

    async def run(self) -> None:
        """Ticks for ever."""
        while True:
            await self._work.wait()
            self._work.clear()
            await self.tick()

    async def tick(self) -> None:
        """Starts what is ready, and commits what has finished."""
        if not self._stopping:
            await self._start_ready()
        finished, self._finished = self._finished[:BATCH], self._finished[BATCH:]
        if finished:
            await self._commit(finished)
        if self._finished or (self.mailboxes.ready and not self._stopping):
            self._work.set()
        self._settle()

    async def drain(self, seconds: float) -> None:
        """Starts nothing more, and returns when the turns in flight are committed; those that
        take longer than ``seconds`` are given up and run again after the next start.
        """
        self._stopping = True
        deadline = self._clock.monotonic() + seconds
        while self._running or self._finished:
            left = deadline - self._clock.monotonic()
            tasks = [one.task for one in self._running.values()]
            if tasks and left > 0:
                await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            elif tasks:
                _log.warning("%d turns took too long to stop; they run again later", len(tasks))
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
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
        snapshots = await self._load(calm)
        for item in calm:
            self._begin(item, snapshots.get(item.box))
        if self._running:
            # where tasks are not eager, this is where the turns that await nothing run
            await asyncio.sleep(0)
            self._watch()

    async def _run_alone(self) -> None:
        """An update at which a process died before runs while nothing else does."""
        if self._running or self._finished:
            return
        item = self._alone.popleft()
        self._work.set()
        if item.tries >= DEAD_AT:
            self._finished.append(_given_up(item, self._clock.now(), "a process died at it"))
            return
        snapshots = await self._load([item])
        self._begin(item, snapshots.get(item.box))
        self._watch()
        await asyncio.wait([one.task for one in self._running.values()])

    async def _load(self, items: Sequence[Item]) -> dict[str, Snapshot]:
        """The last committed state of each conversation: from memory, else from the storage."""
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
        if missing:
            known.update(await self._fetch(missing))
        return known

    async def _fetch(self, keys: Sequence[str]) -> dict[str, Snapshot]:
        found = dict(await self._patiently(lambda: self._storage.load(keys)))
        for key in keys:
            self._remember(key, found.get(key))
        return found

    def _begin(self, item: Item, snapshot: Snapshot | None) -> None:
        running = _Running(_eager(self._turn(item, snapshot)))
        if running.task.done():
            return
        self._running[item.box] = running

        def over(_: asyncio.Task[None]) -> None:
            self._running.pop(item.box, None)
            if running.watch is not None:
                running.watch.cancel()
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
            self._finished.append(await self._without_conversation(item, now))
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
            running = self._running.get(item.box)
            if running is None or not running.late:
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
        async def save() -> None:
            await self._patiently(
                lambda: self._storage.note(
                    self._partitions.fence, item.seq, orjson.dumps(item.notes).decode()
                )
            )

        return Dialogue(
            self._bot,
            Conversation.decode(str(key), state),
            item.update,
            cause=item.seq,
            now=now,
            person=key.person,
            notes=item.notes,
            save_notes=save,
        )

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
        except Exception:  # whatever a handler raises fails this turn alone
            _log.exception("an update without a conversation failed")
        if dialogue.effects.emissions:
            _log.warning("a handler replied to an update that has no chat; nothing is sent")
        commit = TurnCommit(cause=item.seq, part=_part(item.update))
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
        while finished:
            commit = partial(
                self._storage.commit, self._partitions.fence, [one.commit for one in finished]
            )
            try:
                results = await self._patiently(commit)
            except BadRow as error:
                self._replace(finished, error)
                continue
            except OutcomeUnknown as error:
                # the compare-and-set and the done mark make a second try safe
                _log.warning("the answer to a commit was lost, it is tried again: %s", error)
                continue
            for one, result in zip(finished, results, strict=True):
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
        """Puts an apology, and if that cannot be stored a dead letter, in place of the culprit."""
        culprit = finished[error.index]
        now = self._clock.now()
        key = culprit.item.update.conversation
        if key is None or culprit.failed:
            finished[error.index] = _given_up(culprit.item, now, str(error))
            return
        origin = Origin(
            seq=culprit.item.seq,
            key=key,
            update=culprit.item.update,
            snapshot=self._cache.get(culprit.item.box),
            now=now,
        )
        culprit.item.notes.clear()
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
                self.mailboxes.done(one.item)

    def _done(self, one: Finished, result: Committed) -> None:
        if one.commit.scopes and one.state is not None:
            snapshot = Snapshot(result.versions[0], one.item.seq, one.state)
            self._remember(one.item.box, snapshot)
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
            except StorageDown as error:
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
    update = Update.from_json(row.body)
    return Item(
        seq=row.seq,
        box=row.conv or f"#{row.seq}",
        update=update,
        tries=row.tries,
        notes=_notes(row.notes),
    )


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
        conv=item.box if item.update.conversation is not None else None,
        origin="inbox",
        body=item.update.to_json(),
        error=error,
        tries=item.tries,
        at=now,
    )
    commit = TurnCommit(cause=item.seq, part=_part(item.update), dead=dead)
    return Finished(item=item, commit=commit, state=None, effects=Effects())


def _part(update: Update) -> int:
    if update.address is not None:
        return update.address.partition
    return partition_of(update.source, "") % PARTITIONS


async def _keep_nothing() -> None:
    """Where there is no conversation, there is nothing to keep."""
