"""One run of a flow: everything that survives a restart, as JSON-shaped dataclasses.

A run is a tree. It has a main line of steps, or, while a fork is open, a line for each branch;
and a step that has called another flow holds the run of that one.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from flows.records import record
from flows.turns.visit import OnceResult, Visit

HISTORY_LIMIT = 50
"""How many left steps a line remembers for ``back``; the oldest is dropped."""


class Status(StrEnum):
    """How an instance is."""

    ACTIVE = "active"
    """It runs."""
    ESCALATED = "escalated"
    """It runs, and a step of it waits for an operator."""
    COMPLETED = "completed"
    """It has ended, and succeeded."""
    CANCELLED = "cancelled"
    """It was ended by the person, a step, an operator, or time that was up for an answer."""
    EXPIRED = "expired"
    """Its ``ttl`` or ``max_age`` was over."""
    QUARANTINED = "quarantined"
    """It fits no flow that is registered now; kept as it is until one does, or a person helps."""


@record(slots=True)
class Past:
    """A step that was left.

    Attributes:
        asked: whether it asked; ``back`` passes over those that did not.
        undo: the fields that it changed, with their values before.
        fork: the fork that was gone through after it, as it was at the join.
    """

    step: str
    asked: bool
    undo: dict[str, Any]
    fork: OpenFork | None = None


@record(slots=True)
class Line:
    """A line of steps that are done one after the other: the main one of a flow, or a branch."""

    visit: Visit | None = None
    history: list[Past] = field(default_factory=list)

    def leave(self, undo: dict[str, Any]) -> None:
        """Remembers the current visit for ``back``."""
        visit = self.visit
        if visit is not None:
            self.remember(Past(visit.step, visit.asked, undo, None))

    def remember(self, past: Past) -> None:
        """Puts something on top of the history; what is too old drops out."""
        self.history.append(past)
        if len(self.history) > HISTORY_LIMIT:
            del self.history[:-HISTORY_LIMIT]


@record(slots=True, kw_only=True)
class Branch(Line):
    """A branch of an open fork.

    Attributes:
        head: the name of its first step; it names the branch.
        done: it has come to its end; a redo opens it again.
        changed: what its steps have written into the data: its result.
    """

    head: str
    done: bool = False
    changed: dict[str, Any] = field(default_factory=dict)


@record(slots=True)
class OpenFork:
    """A fork that is being gone through.

    Attributes:
        after: the step that it follows; it names the fork.
        number: counts with the visits of the instance; the hub's buttons name it.
        focus: the head of the branch that is talked about; None: none.
        joined: it was joined before, and reopened by ``back``.
        shown: its hub message was sent.
        before: the values that the fields which its branches changed had when it opened.
    """

    after: str
    number: int
    branches: list[Branch]
    focus: str | None = None
    joined: bool = False
    shown: bool = False
    before: dict[str, Any] = field(default_factory=dict)

    def branch(self, head: str) -> Branch | None:
        """The branch of that name."""
        return next((one for one in self.branches if one.head == head), None)

    @property
    def done(self) -> int:
        """How many branches have come to their end."""
        return sum(one.done for one in self.branches)


@record(slots=True)
class PendingStart:
    """A start that waits for a person to confirm it, since the flow runs already.

    Attributes:
        number: what its buttons name it by.
        data: the data that the flow would start with, in its JSON form.
        payload, started_by: as of ``FlowInstance``.
    """

    number: int
    data: dict[str, Any]
    payload: str = ""
    started_by: dict[str, Any] | None = None


@record(slots=True, kw_only=True)
class FlowInstance(Line):
    """One run of a flow for one conversation.

    Attributes:
        id: unique in the database.
        secret: key of this instance's button tokens; never shown.
        data: the flow's data as committed, in its JSON form.
        payload: what came with the trigger: the command's arguments, the pressed data.
        started_by: the content that the trigger matched, in its JSON form, unless it was only
            words (see ``flows.turns.started_by``).
        pending: a start of the same flow that waits to be confirmed.
        started: milliseconds since the epoch.
        inputs: accepted inputs so far.
        fork: the fork that is open; the main line has no visit meanwhile.
        shelved: forks that were left by ``back``, by the step that they follow.
        spare: results of ``turn.once`` of a visit whose turn failed, by the visit's place; also
            those of flows that this turn had called.
        silent: when it expires unless the person says something (milliseconds since the epoch).
        oldest: when it expires whatever the person does.
        origin: a digest of the update that started it, the same when that turn is run again and
            another one in every database: what ``idempotency_key`` is made of.
        assignee: the person whom it was handed over to, where several could answer.
        loaded: a model of this data that nobody has been given yet, with the data; no part of the
            state.
    """

    id: str
    flow: str
    version: int
    secret: str
    data: dict[str, Any]
    started: int
    payload: str = ""
    status: Status = Status.ACTIVE
    visits: int = 0
    inputs: int = 0
    fork: OpenFork | None = None
    shelved: dict[str, OpenFork] = field(default_factory=dict)
    spare: dict[str, dict[str, OnceResult]] = field(default_factory=dict)
    silent: int | None = None
    oldest: int | None = None
    origin: str = ""
    assignee: str | None = None
    started_by: dict[str, Any] | None = None
    pending: PendingStart | None = None
    loaded: tuple[dict[str, Any], BaseModel] | None = field(default=None, compare=False, repr=False)

    def take_loaded(self) -> BaseModel | None:
        """The model of the data as it is now, if there is one that nobody has been given yet."""
        loaded, self.loaded = self.loaded, None
        return loaded[1] if loaded is not None and loaded[0] is self.data else None

    def enter(self, step: str, *, line: Line | None = None, origin: str | None = None) -> Visit:
        """Starts a visit of ``step`` on a line of its own, or on the main one, and answers it."""
        self.visits += 1
        visit = Visit.begun(self.visits, step, origin)
        if self.spare:
            visit.once = self.spare.pop(visit.place, {})
            self.spare = {at: one for at, one in self.spare.items() if _number(at) > visit.number}
        (self if line is None else line).visit = visit
        return visit

    def keep_for_called(self, called: str, place: str, results: dict[str, OnceResult]) -> None:
        """Keeps results of ``turn.once`` of a flow that a failed turn had called, for when the
        next one calls it again.
        """
        self.spare[f"{_called_as(called)}{place}"] = results

    def take_for_called(self, called: str) -> dict[str, dict[str, OnceResult]]:
        """What was kept for a flow that is called, by the place of the visit."""
        prefix = _called_as(called)
        kept = [name for name in self.spare if name.startswith(prefix)]
        return {name.removeprefix(prefix): self.spare.pop(name) for name in kept}

    def count(self) -> int:
        """The number of the next visit, fork, or flow that is called."""
        self.visits += 1
        return self.visits

    def lines(self) -> list[Line]:
        """The lines that go on now: the main one, or the branches that are not done."""
        if self.fork is None:
            return [self]
        return [branch for branch in self.fork.branches if not branch.done]

    @property
    def step(self) -> str:
        """Where it stands, for people: the step, or the steps of the open branches."""
        if self.fork is None:
            return self.visit.step if self.visit is not None else ""
        steps = (line.visit.step for line in self.lines() if line.visit is not None)
        return " ".join(steps) or self.fork.after


def _called_as(called: str) -> str:
    """What names in ``spare`` begin with that are of a called flow: its number, as with visits."""
    return f"{called.rpartition('-')[2]}.{called}/"


def _number(place: str) -> int:
    """The number of the visit at that place."""
    return int(place.partition(".")[0])
