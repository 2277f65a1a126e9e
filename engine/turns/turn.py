"""One turn: from a loaded state and an update to what is to be committed. It cannot fail: what
goes wrong in it ends as an apology or a dead letter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from traceback import clear_frames

from engine.bot import Bot
from engine.broadcast.keys import broadcast_in
from engine.broadcast.turns import BroadcastTurns
from engine.commits.changes import Origin, changes, only_says
from engine.delivery.letters import Letter, letters
from engine.intake.mailboxes import Item
from engine.privacy.confidences import of_turn, of_update
from engine.privacy.redaction import confide, confiding, current, guard_logs
from engine.state.conversation import Conversation
from engine.state.snapshots import Snapshots
from engine.steps.running import StepFailed, contained
from engine.telemetry.ids import HERE, Ids, about
from engine.turns.dialogue import Dialogue
from engine.turns.scopes import Scope, message_key, own_key
from engine.turns.speech import apology
from engine.turns.stage import OnceNotes
from engine.turns.tracebacks import from_handler
from flows.conversation import person_id
from flows.errors import CorruptState, HandlerTimeout
from flows.messages.replies import Reply
from flows.ports import Clock, DeadLetter, Snapshot, TurnCommit
from flows.records import record
from flows.turns.effects import Effects, Emission, LogLine
from flows.updates import SendFailed

_log = logging.getLogger("handrail.engine")

_NOTHING: Mapping[str, int] = {}


@record(slots=True)
class Finished:
    """A turn that has run and is to be committed.

    Attributes:
        origin: what it was run on; None: on nothing.
        failed: it failed, and says no more than that.
        conversations: what the states that it writes say, by key.
    """

    item: Item
    commit: TurnCommit
    effects: Effects
    origin: Origin | None = None
    failed: bool = False
    conversations: Mapping[str, Conversation] = field(default_factory=dict)

    @property
    def letters(self) -> Iterable[Letter]:
        """The messages of the turn, once it is committed."""
        return letters(self.commit.outbox, self.effects.emissions)

    @property
    def size(self) -> int:
        """Roughly how many bytes the commit writes."""
        size = ROW
        for scope in self.commit.scopes:
            if scope.state is not None:
                size += len(scope.state)
        for row in self.commit.outbox:
            size += len(row.body)
        return size


ROW = 500
"""Bytes that a turn writes besides its state and its messages."""


@record(slots=True)
class Deadline:
    """Why the engine has cancelled a turn, if it has.

    Attributes:
        passed: its time is up.
        given_up: the worker stops without it; it runs again after the next start.
    """

    passed: bool = False
    given_up: bool = False


class TurnRunner:
    """Runs turns.

    Args:
        handler_timeout: seconds that the handlers of one turn may take; for its error.
        max_state: bytes that a conversation may keep.
        snapshots: what the conversations of turns are taken from.
        save_notes: stores the notes of an update durably.
        refs: looks up the references of messages, as the storage does.
        broadcasts: does what is to be done about broadcasts.
    """

    def __init__(
        self,
        bot: Bot,
        clock: Clock,
        *,
        handler_timeout: float,
        max_state: int,
        snapshots: Snapshots,
        save_notes: Callable[[Item], Awaitable[None]],
        refs: Callable[[str, Collection[str]], Awaitable[Mapping[str, str]]],
        broadcasts: BroadcastTurns,
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._timeout = handler_timeout
        self._most = max_state
        self._snapshots = snapshots
        self._save_notes = save_notes
        self._refs = refs
        self._broadcasts = broadcasts
        self._confided = bot.is_confided_in
        if self._confided:
            guard_logs()

    def origin(
        self, item: Item, scopes: Sequence[Scope], snapshots: Mapping[str, Snapshot]
    ) -> Origin:
        """What a turn of the item is run on, now.

        Args:
            snapshots: of the scopes, by key, and it may be of others; absent ones are absent.
        """
        known = {scope.key: snapshots[scope.key] for scope in scopes if scope.key in snapshots}
        return Origin(item.seq, item.part, item.update, scopes, known, self._clock.now())

    async def run(self, item: Item, origin: Origin, deadline: Deadline) -> Finished:
        """One turn, from the loaded state to what it wants to commit."""
        if self._confided:
            confide(partial(of_update, item.update))
        if not origin.scopes:
            if broadcast_in(item.conv) is not None:
                return await self._of_broadcast(item, origin.now, deadline)
            return await self._without_scopes(item, origin.now, deadline)
        dialogue: Dialogue | None = None
        failure: Exception
        try:
            dialogue = self._dialogue(item, origin)
            HERE.set(dialogue.ids)
            if self._confided:
                confide(partial(of_turn, dialogue))
            await dialogue.run()
            commit = changes(origin, dialogue, most=self._most)
            if self._confided and dialogue.effects.logs:
                dialogue.effects.logs = _masked(dialogue.effects.logs)
        except CorruptState as error:
            with about(partial(ids_of, item)):
                _log.error("%s", error)
            return given_up(item, origin.now, str(error))
        except asyncio.CancelledError:
            if deadline.given_up:
                raise
            failure = self._cancelled(dialogue, deadline)
        except StepFailed as failed:
            failure = failed.cause
            clear_frames(failed.__traceback__)  # of the engine, which hold it and each other
        except BaseException as error:  # whatever a handler raises fails this turn alone
            failure = contained(error)
        else:
            if dialogue.effects.emissions and not commit.outbox:
                _log.warning("a flow replied to an update that has no chat; nothing is sent")
            by_key = dialogue.conversations.by_key
            return Finished(item, commit, dialogue.effects, origin, False, by_key)
        try:
            return self.failed(
                item, origin, failure, dialogue.spent if dialogue is not None else {}
            )
        finally:
            del failure  # its traceback holds this frame, and so all of the turn

    def failed(
        self, item: Item, origin: Origin, failure: Exception, spent: Mapping[str, int] = _NOTHING
    ) -> Finished:
        """A failed turn: nothing of it is kept but an apology and the results of ``once``.

        Args:
            spent: marks that count although it has failed.
        """
        if self._confided:
            with confiding(partial(of_update, item.update)):
                failure = contained(current().exception(failure))
        now, conv = self._clock.now(), message_key(item.update)
        if conv is None:
            return given_up(item, now, str(failure))
        with about(partial(ids_of, item)):
            _log.error(
                "a turn of conversation %s failed and left no trace: %s",
                conv, failure, exc_info=from_handler(failure),
            )  # fmt: skip
        origin = replace(origin, now=now)
        sorry = Emission(Reply(text=apology(self._bot, item.update)))
        # what cannot be sent must not lead to something else that is sent
        emissions = [] if isinstance(item.update.content, SendFailed) else [sorry]
        commit = only_says(origin, emissions, _kept(origin, item.notes, spent))
        return Finished(item=item, commit=commit, effects=Effects(), origin=origin, failed=True)

    def _cancelled(self, dialogue: Dialogue | None, deadline: Deadline) -> Exception:
        if deadline.passed:
            return _timed_out(dialogue, self._timeout)
        return RuntimeError("what a handler awaited was cancelled")

    def _dialogue(self, item: Item, origin: Origin) -> Dialogue:
        user = origin.update.user
        return Dialogue(
            self._bot,
            {key: self._snapshots.take(key, origin.snapshots.get(key)) for key in origin.keys},
            item.update,
            item.seq,
            origin.now,
            person_id(origin.update.source, user.id) if user is not None else "",
            item.notes,
            partial(self._save_notes, item),
            partial(self._references, origin),
        )

    async def _references(self, origin: Origin, slots: Collection[str]) -> Mapping[str, str]:
        """The references of these messages, whichever scope of the turn has sent them."""
        filed = {message_key(origin.update, scope) for scope in origin.scopes}
        found: dict[str, str] = {}
        for conv in filed:
            if conv is not None:
                found.update(await self._refs(conv, slots))
        return found

    async def _of_broadcast(self, item: Item, now: int, deadline: Deadline) -> Finished:
        """What is to be done about a broadcast. No handler takes part: where it takes long, it is
        the storage that does not answer, and it begins again.
        """
        while True:
            try:
                commit = await self._broadcasts.run(item)
                return Finished(item=item, commit=commit, effects=Effects())
            except asyncio.CancelledError:
                if deadline.given_up or not deadline.passed:
                    raise
                deadline.passed = False
            except Exception as error:  # it must not stop the worker
                _log.error("broadcast %s: %s", broadcast_in(item.conv), error, exc_info=error)
                return given_up(item, now, str(error))

    async def _without_scopes(self, item: Item, now: int, deadline: Deadline) -> Finished:
        """An update that belongs to nobody: the router's handlers see it, nothing is kept. Such a
        press is under a message that somebody has sent inline.
        """
        dialogue = Dialogue(
            self._bot, {"": Conversation()}, item.update, item.seq, now, "", {}, _keep_nothing,
            _no_refs,
        )  # fmt: skip
        finished = passed_over(item)
        HERE.set(dialogue.ids)
        try:
            await dialogue.run()
            finished.effects.notice = dialogue.effects.notice
        except StepFailed as failed:
            _log.error(
                "an update without a conversation failed", exc_info=from_handler(failed.cause)
            )
        except asyncio.CancelledError:
            if deadline.given_up:
                raise
            failure = self._cancelled(None, deadline)
            _log.error("an update without a conversation failed: %s", failure)
        except BaseException as error:  # whatever a handler raises fails this turn alone
            _log.error(
                "an update without a conversation failed", exc_info=from_handler(contained(error))
            )
        if dialogue.effects.emissions:
            _log.warning("a handler replied to an update that has no chat; nothing is sent")
        return finished


def passed_over(item: Item) -> Finished:
    """The commit of an update that is done and changes nothing."""
    commit = TurnCommit(cause=item.seq, part=item.part)
    return Finished(item=item, commit=commit, effects=Effects())


def given_up(item: Item, now: int, error: str) -> Finished:
    """The commit of an update that is set aside as a dead letter; its conversation goes on."""
    key = item.update.conversation  # the person's own, by which it is erased with them
    dead = DeadLetter(
        conv=str(key) if key is not None else item.conv,
        origin="inbox",
        body=item.unreadable.body if item.unreadable is not None else item.update.to_json(),
        error=error,
        tries=item.tries,
        at=now,
    )
    commit = TurnCommit(cause=item.seq, part=item.part, dead=dead)
    return Finished(item=item, commit=commit, effects=Effects(), failed=True)


def _masked(logs: Sequence[LogLine]) -> list[LogLine]:
    """What handlers want to be logged, without what must not be: it is logged after the turn."""
    redactor = current()
    return [
        replace(
            line,
            message=redactor.text(line.message),
            values={name: redactor.value(value) for name, value in line.values.items()},
        )
        for line in logs
    ]


def ids_of(item: Item) -> Ids:
    """What is known of a turn before it has loaded anything, and after it."""
    return Ids(conversation=message_key(item.update), turn=item.seq)


def _timed_out(dialogue: Dialogue | None, seconds: float) -> HandlerTimeout:
    top = dialogue.foremost() if dialogue is not None else None
    if top is None:
        return HandlerTimeout("(none)", "a plain handler", seconds)
    return HandlerTimeout(top.flow, top.step, seconds)


def _conversation(origin: Origin, key: str) -> Conversation:
    snapshot = origin.snapshots.get(key)
    return Conversation.decode(key, snapshot.state if snapshot is not None else None)


def _kept(origin: Origin, notes: OnceNotes, spent: Mapping[str, int]) -> dict[str, str]:
    """The old states with the ``once`` results of the failed turn, kept for its next run, and with
    what the person has spent: those that it changes, by key.
    """
    if not notes and not spent:
        return {}
    states: dict[str, str] = {}
    own = own_key(origin.update)
    for key in origin.keys:
        conversation = _conversation(origin, key)
        old = conversation.encode()
        conversation.keep_results(notes)
        if key == own:
            conversation.marks.update(spent)
        state = conversation.encode()
        if state != old:
            states[key] = state
    return states


async def _keep_nothing() -> None:
    """Where there is no conversation, there is nothing to keep."""


async def _no_refs(slots: Collection[str]) -> Mapping[str, str]:
    """Where there is no conversation, nothing was sent to it."""
    return {}
