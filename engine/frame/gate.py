"""Pre-handlers: in their order, and what becomes of the update."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from engine.steps.running import contained
from engine.turns.tracebacks import from_handler
from flows.definition.naming import shown
from flows.messages.replies import Reply
from flows.plain.marks import Marks
from flows.routing.pre_handlers import Continue, PreContext, PreHandler, Stop
from flows.turns.effects import Effects
from flows.updates import ChatMigrated, Opened, Order, Press, SendFailed, TimerFired, Update

_log = logging.getLogger("handrail.engine")


class Gate:
    """Lets an update in, or stops it.

    Attributes:
        marks: what pre-handlers have claimed and spent, afterwards.
    """

    def __init__(
        self, pre_handlers: Sequence[PreHandler], deps: Any, effects: Effects, marks: Marks
    ) -> None:
        self.marks = marks
        self._pre_handlers = pre_handlers
        self._deps = deps
        self._effects = effects

    async def lets_in(self, update: Update) -> bool:
        """Asks each pre-handler until one stops the update.

        One that raises has stopped nothing, and nothing is kept of what it did: a guard that is
        broken must not make the bot deaf. What must hold is checked where it is used.
        """
        for pre_handler in self._pre_handlers:
            verdict = await self._verdict(pre_handler, update)
            if isinstance(verdict, Stop):
                reason = verdict.reason or "(no reason)"
                _log.debug("%s stops an update: %s", shown(pre_handler), reason)
                self._tell(verdict.reply, update)
                return False
        return True

    async def _verdict(self, pre_handler: PreHandler, update: Update) -> Continue | Stop:
        marks, said = self.marks, self._effects.mark()
        self.marks = marks.copy()
        context = PreContext(
            update=update, deps=self._deps, effects=self._effects, marks=self.marks
        )
        try:
            verdict = await pre_handler(context)
            if not isinstance(verdict, Continue | Stop):
                raise TypeError(f"it answered {verdict!r}. Return Continue() or Stop().")
        except BaseException as error:  # whatever the user's code raises
            failure = contained(error)
            _log.error(
                "the pre-handler %s failed and is passed over: %s",
                shown(pre_handler), failure, exc_info=from_handler(failure),
            )  # fmt: skip
            self.marks = marks
            self._effects.undo(said)
            return Continue()
        return verdict

    def _tell(self, reply: str | Reply, update: Update) -> None:
        if isinstance(reply, Reply):
            self._effects.emit(reply)
        elif not reply.strip():
            return
        elif isinstance(update.content, Press):
            self._effects.remark(reply)
        else:
            self._effects.emit(Reply(text=reply))


def comes_from_outside(update: Update) -> bool:
    """Whether somebody has sent it: what the engine tells itself passes by every pre-handler."""
    match update.content:
        case TimerFired() | Order() | SendFailed() | ChatMigrated() | Opened():
            return False
    return True
