"""One turn: from a loaded state and an update to what is to be committed. It cannot fail: what
goes wrong in it ends as an apology or a dead letter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from engine.bot import Bot
from engine.changes import Origin, changes, only_says
from engine.dialogue import Dialogue
from engine.mailboxes import Item
from engine.stage import OnceNotes
from engine.state import Conversation
from engine.steps import StepFailed, contained
from flows.conversation import ConversationKey
from flows.effects import Effects, Emission
from flows.errors import CorruptState, HandlerTimeout
from flows.ports import Clock, DeadLetter, Snapshot, TurnCommit
from flows.replies import Reply

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

    @property
    def size(self) -> int:
        """Roughly how many bytes the commit writes."""
        written = len(self.state or "") + sum(len(row.body) for row in self.commit.outbox)
        return written + ROW


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
    """

    def __init__(
        self,
        bot: Bot,
        clock: Clock,
        *,
        handler_timeout: float,
        save_notes: Callable[[Item], Awaitable[None]],
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._timeout = handler_timeout
        self._save_notes = save_notes

    async def run(self, item: Item, snapshot: Snapshot | None, deadline: Deadline) -> Finished:
        """One turn, from the loaded state to what it wants to commit."""
        now = self._clock.now()
        key = item.update.conversation
        if key is None:
            return await self._without_conversation(item, now, deadline)
        origin = Origin(seq=item.seq, key=key, update=item.update, snapshot=snapshot, now=now)
        state = snapshot.state if snapshot is not None else None
        dialogue: Dialogue | None = None
        failure: Exception
        try:
            dialogue = self._dialogue(item, key, state, now)
            await dialogue.run()
            commit, written = changes(origin, dialogue)
        except CorruptState as error:
            _log.error("%s", error)
            return given_up(item, now, str(error))
        except asyncio.CancelledError:
            if deadline.given_up:
                raise
            failure = self._cancelled(dialogue, deadline)
        except StepFailed as failed:
            failure = failed.cause
        except BaseException as error:  # whatever a handler raises fails this turn alone
            failure = contained(error)
        else:
            return Finished(item=item, commit=commit, state=written, effects=dialogue.effects)
        return self.failed(item, origin.snapshot, failure)

    def failed(self, item: Item, snapshot: Snapshot | None, failure: Exception) -> Finished:
        """A failed turn: nothing of it is kept but an apology and the results of ``once``."""
        now, key = self._clock.now(), item.update.conversation
        if key is None:
            return given_up(item, now, str(failure))
        _log.error(
            "a turn of conversation %s failed and left no trace: %s",
            key, failure, exc_info=failure,
        )  # fmt: skip
        origin = Origin(seq=item.seq, key=key, update=item.update, snapshot=snapshot, now=now)
        emissions = [Emission(Reply(text=self._bot.texts.apology))]
        state = _with_results(origin, item.notes)
        return Finished(
            item=item,
            commit=only_says(origin, emissions, state),
            state=state,
            effects=Effects(),
            failed=True,
        )

    def _cancelled(self, dialogue: Dialogue | None, deadline: Deadline) -> Exception:
        if deadline.passed:
            return _timed_out(dialogue, self._timeout)
        return RuntimeError("what a handler awaited was cancelled")

    def _dialogue(self, item: Item, key: ConversationKey, state: str | None, now: int) -> Dialogue:
        return Dialogue(
            self._bot,
            {str(key): Conversation.decode(str(key), state)},
            item.update,
            cause=item.seq,
            now=now,
            person=key.person,
            notes=item.notes,
            save_notes=partial(self._save_notes, item),
        )

    async def _without_conversation(self, item: Item, now: int, deadline: Deadline) -> Finished:
        """An update without a chat or a sender: the router's handlers see it, nothing is kept."""
        dialogue = Dialogue(
            self._bot, {"": Conversation()}, item.update,
            cause=item.seq, now=now, person="", notes={}, save_notes=_keep_nothing,
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
        return Finished(item=item, commit=commit, state=None, effects=Effects())


def given_up(item: Item, now: int, error: str) -> Finished:
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


def _timed_out(dialogue: Dialogue | None, seconds: float) -> HandlerTimeout:
    top = dialogue.conversations.own.top if dialogue is not None else None
    if top is None:
        return HandlerTimeout("(none)", "a plain handler", seconds)
    return HandlerTimeout(top.flow, top.step, seconds)


def _with_results(origin: Origin, notes: OnceNotes) -> str | None:
    """The old state, with the ``once`` results of the failed turn kept for its next run."""
    if not notes or origin.snapshot is None:
        return None
    conversation = Conversation.decode(str(origin.key), origin.snapshot.state)
    conversation.keep_results(notes)
    return conversation.encode()


async def _keep_nothing() -> None:
    """Where there is no conversation, there is nothing to keep."""
