"""The port of observers: who wants to be told what the engine does, to measure or trace it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

TurnOutcome = Literal["done", "failed", "dead", "conflict", "fenced", "gone"]
"""How a turn ended: committed; committed as an apology, for it had failed; its update set aside
as a dead letter; another turn was faster, so it runs again; its chats went to another worker; its
update was done or erased meanwhile.
"""

StepOutcome = Literal["asked", "called", "decided", "misfit", "failed"]
"""How a run of a step handler ended: it waits for an answer; it called a flow; it came to a
decision; its journal does not fit the code, so it starts again; it raised.
"""

SendOutcome = Literal["sent", "later", "refused", "uncertain", "waiting"]
"""How a try to send ended: it arrived; the service asked to wait; it will never arrive; the
answer was cut, so it may have arrived; nothing was sent, for the storage does not answer.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A page of updates is durable.

    Attributes:
        source: the channel, such as ``telegram:110201543``.
        turns: the numbers of the turns that the new ones lead to.
        duplicates: how many were known already.
        seconds: how long it took.
    """

    source: str
    turns: Sequence[int]
    duplicates: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnBegun:
    """A turn begins.

    Attributes:
        turn: its number.
        conversation: what its messages are filed under, which names chat and person; None: the
            update has no chat.
        source: the channel.
        kind: the kind of the update, such as ``text``, ``press`` or ``timer``.
        tries: how often a process has read the update back; 0 for a fresh one.
        late: for a timer: seconds since it was due.
    """

    turn: int
    conversation: str | None
    source: str
    kind: str
    tries: int = 0
    late: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """A turn is over.

    Attributes:
        seconds: from its begin until its commit was answered.
        late: as in ``TurnBegun``.
    """

    turn: int
    outcome: TurnOutcome
    seconds: float
    late: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBegun:
    """A step handler begins to run."""

    turn: int
    conversation: str | None
    flow: str
    step: str
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """A step handler has run.

    Attributes:
        error: the type of what it raised; its text may hold what nobody should read.
    """

    turn: int
    flow: str
    step: str
    outcome: StepOutcome
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitEnded:
    """A commit of the turns of several conversations was answered.

    Attributes:
        outcomes: the outcome of each turn, by its number.
        size: roughly how many bytes it has written.
    """

    outcomes: Mapping[int, TurnOutcome]
    size: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBegun:
    """A try to send a message begins.

    Attributes:
        turn: the turn that has made it.
        n: its place in that turn.
    """

    turn: int
    n: int
    conversation: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEnded:
    """A try to send a message is over."""

    turn: int
    n: int
    source: str
    outcome: SendOutcome
    seconds: float


class Observer:
    """Is told what the engine does. Override what you want to know; what is not overridden does
    nothing.

    All methods are called in the event loop, so they must be quick and never wait. One that raises
    is logged and harms nothing else. ``turn_begun`` and ``turn_ran``, ``step_begun`` and
    ``step_ended``, ``send_begun`` and ``send_ended`` come in pairs and in the context of what runs
    in between, so that a context variable which the first sets is seen by the handlers. Times are
    in seconds, by the monotonic clock of the process. Nothing that is handed in holds a text of a
    person or of the bot; ``conversation`` holds ids of people.
    """

    def accepted(self, page: Accepted) -> None:
        """Updates are durable; their turns have not begun."""

    def turn_begun(self, turn: TurnBegun) -> None:
        """A turn begins."""

    def turn_ran(self, turn: int) -> None:
        """The handlers of a turn have run, or were given up; its commit comes next."""

    def turn_ended(self, turn: TurnEnded) -> None:
        """A turn was committed, or has come to nothing. One that was given up, because the worker
        stops or has lost the chat, never ends.
        """

    def step_begun(self, step: StepBegun) -> None:
        """A step handler begins to run."""

    def step_ended(self, step: StepEnded) -> None:
        """A step handler has run."""

    def committed(self, commit: CommitEnded) -> None:
        """A commit was answered; ``turn_ended`` follows for each of its turns."""

    def send_begun(self, send: SendBegun) -> None:
        """A try to send begins."""

    def send_ended(self, send: SendEnded) -> None:
        """A try to send is over."""

    def timers_fired(self, count: int) -> None:
        """So many timers were due and have become updates."""
