"""What a turn says: messages, their edits, notices and log lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flows.effects import NOTICE_LIMIT
from flows.instance import FlowInstance
from flows.journal import Run
from flows.replies import Edit, Format, Keyboard, Message, Reply
from flows.surroundings import Surroundings


class Says:
    """The part of a turn that says something; what an earlier run has said is muted."""

    __slots__ = ()

    _run: Run
    _instance: FlowInstance
    _around: Surroundings

    def reply(
        self, text: str | Reply, *, format: Format = "plain", keyboard: Keyboard = ()
    ) -> Message:
        """Sends a message, once the turn is committed; the handle is for ``edit``."""
        run = self._run
        run.enter()
        slot = run.slot(self._instance.id)
        if not run.muted:
            reply = text if isinstance(text, Reply) else Reply(text=text, format=format)
            if keyboard:
                reply = replace(reply, keyboard=keyboard)
            self._around.effects.emit(reply, slot)
        return Message(slot)

    def edit(
        self,
        message: Message,
        text: str,
        *,
        format: Format = "plain",
        keyboard: Keyboard = (),
    ) -> None:
        """Replaces the text and the keyboard of a message that this step has sent."""
        self._run.enter()
        if not self._run.muted:
            edit = Edit(slot=message.slot, text=text, format=format, keyboard=keyboard)
            self._around.effects.emit(edit)

    def notice(self, text: str) -> None:
        """A short notice (up to 200 characters) on the button that was pressed."""
        self._run.enter()
        if not self._run.muted:
            self._around.effects.notice = text[:NOTICE_LIMIT]

    def log(self, message: str, **values: Any) -> None:
        """Writes a line to the log, once the turn is committed."""
        self._run.enter()
        if not self._run.muted:
            self._around.effects.logs.append((message, values))
