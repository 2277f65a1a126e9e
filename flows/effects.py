"""What a turn wants to happen outside: collected while handlers run, done after the commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flows.replies import Send

if TYPE_CHECKING:
    from flows.flow import Flow

NOTICE_LIMIT = 200
"""Characters that the notice of a button press may have (the least of what channels take)."""


@dataclass(frozen=True, slots=True)
class Emission:
    """A message for the outbox; ``slot`` is what later turns edit it by."""

    send: Send
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A flow that is to start when the handler has returned."""

    flow: Flow[Any, Any]
    arguments: Mapping[str, Any]
    payload: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the effects had come; see ``Effects.undo``."""

    emissions: int
    starts: int
    logs: int
    notice: str | None


@dataclass(slots=True)
class Effects:
    """Replies, a notice for the pressed button, flows to start, log lines."""

    emissions: list[Emission] = field(default_factory=list)
    notice: str | None = None
    starts: list[StartRequest] = field(default_factory=list)
    logs: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def emit(self, send: Send, slot: str | None = None) -> None:
        """Adds a message.

        Raises:
            ValueError: nothing can be seen in its text, so that no channel could send it.
        """
        if not send.text.strip():
            raise ValueError(f"a message needs a text, and {send.text!r} is blank")
        self.emissions.append(Emission(send, slot))

    def mark(self) -> Mark:
        """Where ``undo`` is to go back to."""
        return Mark(len(self.emissions), len(self.starts), len(self.logs), self.notice)

    def undo(self, mark: Mark) -> None:
        """Forgets what was added since the mark."""
        del self.emissions[mark.emissions :]
        del self.starts[mark.starts :]
        del self.logs[mark.logs :]
        self.notice = mark.notice
