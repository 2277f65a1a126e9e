"""What a turn wants to happen outside: collected while handlers run, done after the commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from flows.messages.replies import Delete, Send, check
from flows.messages.spoken import in_words
from flows.messages.translations import said
from flows.records import record
from flows.updates import Content

if TYPE_CHECKING:
    from flows.flow import Flow
    from flows.messages.broadcasts import Broadcast

NOTICE_LIMIT = 200
"""Characters that the notice of a button press may have (the least of what channels take)."""


@record(frozen=True, slots=True)
class Emission:
    """A message for the outbox; ``slot`` is what later turns edit it by."""

    send: Send
    slot: str | None = None


@record(frozen=True, slots=True)
class StartRequest:
    """A flow that is to start when the handler has returned.

    Attributes:
        payload: what came with the trigger that starts it.
        content: what the trigger matched; None: no trigger starts it.
    """

    flow: Flow[Any, Any]
    arguments: Mapping[str, Any]
    payload: str = ""
    content: Content | None = None


@record(frozen=True, slots=True)
class CancelRequest:
    """All of the person's conversation is to end when the handler has returned."""

    reason: str


Mark = tuple[int, int, int, int, str | None]
"""How far the effects had come: how many emissions, starts, log lines and broadcasts there were,
and the notice; see ``Effects.undo``.
"""


@record(frozen=True, slots=True)
class LogLine:
    """A line for the log, and the step that has written it."""

    message: str
    values: Mapping[str, Any]
    flow: str
    step: str
    instance: str


@record(slots=True)
class Effects:
    """Replies, a notice for the pressed button, flows to start and what to end, log lines,
    broadcasts to begin.
    """

    emissions: list[Emission] = field(default_factory=list)
    notice: str | None = None
    starts: list[StartRequest | CancelRequest] = field(default_factory=list)
    logs: list[LogLine] = field(default_factory=list)
    broadcasts: list[Broadcast] = field(default_factory=list)

    def emit(self, send: Send, slot: str | None = None) -> None:
        """Adds a message.

        Raises:
            ValueError: nothing can be seen in its text, so that no channel could send it.
            DefinitionError: no channel could send it for another reason; see ``check``.
        """
        send = in_words(send)
        if not send.text.strip() and send.blank:
            raise ValueError(f"a message needs a text, and {send.text!r} is blank")
        extra = send.options is not None or send.attachment is not None
        if extra and not isinstance(send, Delete):
            check(send)
        self.emissions.append(Emission(send, slot))

    def remark(self, text: str) -> None:
        """Sets the notice for the pressed button, as much of it as fits."""
        self.notice = said(text)[:NOTICE_LIMIT]

    def replace(self, index: int, send: Send) -> None:
        """Puts another message in the place of one that was added."""
        self.emissions[index] = Emission(in_words(send), self.emissions[index].slot)

    def mark(self) -> Mark:
        """Where ``undo`` is to go back to."""
        counts = len(self.emissions), len(self.starts), len(self.logs), len(self.broadcasts)
        return *counts, self.notice

    def undo(self, mark: Mark) -> None:
        """Forgets what was added since the mark."""
        emissions, starts, logs, broadcasts, self.notice = mark
        del self.emissions[emissions:]
        del self.starts[starts:]
        del self.logs[logs:]
        del self.broadcasts[broadcasts:]
