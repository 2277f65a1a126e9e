"""One turn: from a loaded state and an update to what is to be committed. It cannot fail: what
goes wrong in it ends as an apology or a dead letter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from engine.bot import Bot
from engine.changes import Origin, changes, only_says
from engine.dialogue import Dialogue
from engine.mailboxes import Item
from engine.scopes import Scope, message_key
from engine.stage import OnceNotes
from engine.state import Conversation
from engine.steps import StepFailed, contained
from flows.conversation import person_id
from flows.effects import Effects, Emission
from flows.errors import CorruptState, HandlerTimeout
from flows.ports import Clock, DeadLetter, Snapshot, TurnCommit
from flows.replies import Reply

_log = logging.getLogger("handrail.engine")


@dataclass(slots=True, kw_only=True)
class Finished:
    """A turn that has run and is to be committed.

    Attributes:
        origin: what it was run on; None: on nothing.
        failed: it failed, and says no more than that.
    """

    item: Item
    commit: TurnCommit
    effects: Effects
    origin: Origin | None = None
    failed: bool = False

    @property
    def size(self) -> int:
        """Roughly how many bytes the commit writes."""
        states = sum(len(scope.state or "") for scope in self.commit.scopes)
        return states + sum(len(row.body) for row in self.commit.outbox) + ROW


ROW = 500
"""Bytes that a turn writes besides its state and its messages."""


@dataclass(slots=True)
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
        save_notes: stores the notes of an update durably.
        refs: looks up the references of messages, as the storage does.
    """

    def __init__(
        self,
        bot: Bot,
        clock: Clock,
        *,
        handler_timeout: float,
        save_notes: Callable[[Item], Awaitable[None]],
        refs: Callable[[str, Collection[str]], Awaitable[Mapping[str, str]]],
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._timeout = handler_timeout
        self._save_notes = save_notes
        self._refs = refs

    def origin(
        self, item: Item, scopes: Sequence[Scope], snapshots: Mapping[str, Snapshot]
    ) -> Origin:
        """What a turn of the item is run on, now.

        Args:
            snapshots: of the scopes, by key, and it may be of others; absent ones are absent.
        """
        known = {scope.key: snapshots[scope.key] for scope in scopes if scope.key in snapshots}
        return Origin(
            seq=item.seq,
            part=item.part,
            update=item.update,
            scopes=scopes,
            snapshots=known,
            now=self._clock.now(),
        )

    async def run(self, item: Item, origin: Origin, deadline: Deadline) -> Finished:
        """One turn, from the loaded state to what it wants to commit."""
        if not origin.scopes:
            return await self._without_scopes(item, origin.now, deadline)
        dialogue: Dialogue | None = None
        failure: Exception
        try:
            dialogue = self._dialogue(item, origin)
            await dialogue.run()
            commit = changes(origin, dialogue)
        except CorruptState as error:
            _log.error("%s", error)
            return given_up(item, origin.now, str(error))
        except asyncio.CancelledError:
            if deadline.given_up:
                raise
            failure = self._cancelled(dialogue, deadline)
        except StepFailed as failed:
            failure = failed.cause
        except BaseException as error:  # whatever a handler raises fails this turn alone
            failure = contained(error)
        else:
            if dialogue.effects.emissions and not commit.outbox:
                _log.warning("a flow replied to an update that has no chat; nothing is sent")
            return Finished(item=item, commit=commit, effects=dialogue.effects, origin=origin)
        return self.failed(item, origin, failure)

    def failed(self, item: Item, origin: Origin, failure: Exception) -> Finished:
        """A failed turn: nothing of it is kept but an apology and the results of ``once``."""
        now, conv = self._clock.now(), message_key(item.update)
        if conv is None:
            return given_up(item, now, str(failure))
        _log.error(
            "a turn of conversation %s failed and left no trace: %s",
            conv, failure, exc_info=failure,
        )  # fmt: skip
        origin = replace(origin, now=now)
        emissions = [Emission(Reply(text=self._bot.texts.apology))]
        commit = only_says(origin, emissions, _with_results(origin, item.notes))
        return Finished(item=item, commit=commit, effects=Effects(), origin=origin, failed=True)

    def _cancelled(self, dialogue: Dialogue | None, deadline: Deadline) -> Exception:
        if deadline.passed:
            return _timed_out(dialogue, self._timeout)
        return RuntimeError("what a handler awaited was cancelled")

    def _dialogue(self, item: Item, origin: Origin) -> Dialogue:
        user = origin.update.user
        return Dialogue(
            self._bot,
            {scope.key: _conversation(origin, scope.key) for scope in origin.scopes},
            item.update,
            cause=item.seq,
            now=origin.now,
            person=person_id(origin.update.source, user.id) if user is not None else "",
            notes=item.notes,
            save_notes=partial(self._save_notes, item),
            refs=partial(self._references, origin),
        )

    async def _references(self, origin: Origin, slots: Collection[str]) -> Mapping[str, str]:
        """The references of these messages, whichever scope of the turn has sent them."""
        filed = {message_key(origin.update, scope) for scope in origin.scopes}
        found: dict[str, str] = {}
        for conv in filed:
            if conv is not None:
                found.update(await self._refs(conv, slots))
        return found

    async def _without_scopes(self, item: Item, now: int, deadline: Deadline) -> Finished:
        """An update that belongs to nobody: the router's handlers see it, nothing is kept."""
        dialogue = Dialogue(
            self._bot, {"": Conversation()}, item.update,
            cause=item.seq, now=now, person="", notes={}, save_notes=_keep_nothing,
            refs=_no_refs,
        )  # fmt: skip
        try:
            await dialogue.run()
        except StepFailed as failed:
            _log.error("an update without a conversation failed", exc_info=failed.cause)
        except asyncio.CancelledError:
            if deadline.given_up:
                raise
            failure = self._cancelled(None, deadline)
            _log.error("an update without a conversation failed: %s", failure)
        except BaseException as error:  # whatever a handler raises fails this turn alone
            _log.error("an update without a conversation failed", exc_info=contained(error))
        if dialogue.effects.emissions:
            _log.warning("a handler replied to an update that has no chat; nothing is sent")
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


def _timed_out(dialogue: Dialogue | None, seconds: float) -> HandlerTimeout:
    top = dialogue.foremost() if dialogue is not None else None
    if top is None:
        return HandlerTimeout("(none)", "a plain handler", seconds)
    return HandlerTimeout(top.flow, top.step, seconds)


def _conversation(origin: Origin, key: str) -> Conversation:
    snapshot = origin.snapshots.get(key)
    return Conversation.decode(key, snapshot.state if snapshot is not None else None)


def _with_results(origin: Origin, notes: OnceNotes) -> dict[str, str]:
    """The old states with the ``once`` results of the failed turn, kept for its next run: those
    that it changes, by key.
    """
    if not notes:
        return {}
    states: dict[str, str] = {}
    for key, snapshot in origin.snapshots.items():
        conversation = _conversation(origin, key)
        conversation.keep_results(notes)
        state = conversation.encode()
        if state != snapshot.state:
            states[key] = state
    return states


async def _keep_nothing() -> None:
    """Where there is no conversation, there is nothing to keep."""


async def _no_refs(slots: Collection[str]) -> Mapping[str, str]:
    """Where there is no conversation, nothing was sent to it."""
    return {}
