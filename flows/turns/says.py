"""What a turn says: messages, their edits, notices and log lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.messages.bot import Bot
from flows.messages.replies import Message, Reply, Send
from flows.messages.sending import Sending
from flows.messages.speaking import Speaks
from flows.turns.calling import Calling
from flows.turns.effects import LogLine
from flows.turns.instance import FlowInstance
from flows.turns.journal import Run
from flows.turns.surroundings import Surroundings
from flows.updates import Update


class Says(Sending[Message], Calling, Speaks):
    """The part of a turn that says something; what an earlier run has said is muted."""

    __slots__ = ()

    _run: Run
    _instance: FlowInstance
    _around: Surroundings

    def _send(self, send: Send) -> Message:
        run = self._run
        run.enter()
        if not isinstance(send, Reply):
            if not run.muted:
                self._around.effects.emit(send)
            return Message(send.slot, send.ref)
        slot = run.slot(self._instance.id)
        if not run.muted:
            self._around.effects.emit(send, slot)
        return Message(slot)

    def _cause(self) -> Update:
        self._run.enter()
        return self._around.update

    def _known_bots(self) -> Mapping[str, Bot]:
        return self._around.bots

    def _speaks_now(self) -> bool:
        self._run.enter()
        return not self._run.muted

    def notice(self, text: str) -> None:
        """A short notice (up to 200 characters) on the button that was pressed."""
        self._run.enter()
        if not self._run.muted:
            self._around.effects.remark(text)

    def log(self, message: str, **values: Any) -> None:
        """Writes a line to the log, once the turn is committed."""
        self._run.enter()
        if not self._run.muted:
            run, instance = self._run, self._instance
            line = LogLine(message, values, instance.flow, run.visit.step, instance.id)
            self._around.effects.logs.append(line)
