"""One run of a flow: everything that survives a restart, as JSON-shaped dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from flows.replies import Button, Format, Reply

HISTORY_LIMIT = 50
"""How many left steps an instance remembers for ``back``; the oldest is dropped."""


class Status(StrEnum):
    """How an instance is."""

    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"
    """It fits no flow that is registered now; kept as it is until one does, or a person helps."""


@dataclass(slots=True)
class Answer:
    """An answer in the journal: the kind of the input, the ask's key, the JSON form."""

    kind: str
    key: str | None
    value: Any


@dataclass(slots=True)
class OnceResult:
    """A result of ``turn.once``; ``position``: how many answers stood before it."""

    position: int
    value: Any


@dataclass(slots=True)
class WaitButton:
    """A button of the question: pressing it gives ``value`` as the answer to ``input``."""

    label: str
    value: Any
    input: int = 0


@dataclass(slots=True)
class Waiting:
    """What the step waits for, complete enough to route and to ask again without the code.

    Attributes:
        ordinal: number of the question within the visit; tokens name it.
        explicit: it is a ``turn.wait``; else an ``ask``.
        inputs: stored forms of what is accepted.
        failures: refused answers since the question was asked.
        ticket: the token of the outside event that is waited for.
    """

    ordinal: int
    explicit: bool
    inputs: list[dict[str, Any]]
    key: str | None
    prompt: Reply | None
    buttons: list[WaitButton]
    failures: int = 0
    ticket: str | None = None


@dataclass(slots=True)
class Escalation:
    """A step waits for an operator.

    Attributes:
        reason: what the operator is to know.
        accept: the stored form of what the operator may answer; None: anything.
        at: since when (milliseconds since the epoch).
    """

    reason: str
    accept: dict[str, Any] | None
    at: int


@dataclass(slots=True)
class Given:
    """The answer to a ``turn.wait``: the stored input that took it, and the JSON form."""

    input: dict[str, Any]
    value: Any


@dataclass(slots=True)
class Visit:
    """A stay in a step, from entering to leaving it: its journal and its question.

    Attributes:
        number: counts the visits of the instance, from 1.
        base: what the ordinals of this journal start at.
        undone: what undone answers have added to the ordinals: a question that is asked again
            after another answer is another one, and old buttons mean nothing to it.
        asked: whether the step has asked anything yet; then a run of it is a re-run.
        seen: ``now`` (ms), ``seed`` and ``user`` as first used.
        session: values at entry of session fields that others have changed since.
        misfit: fingerprint of the code that the journal did not fit, if that happened.
        origin: the step that a detour returns to, if this is one.
        given: the answer to a ``turn.wait``, which this journal started from.
        escalated: set while an operator has to look at it.
    """

    number: int
    step: str
    base: int = 0
    undone: int = 0
    asked: bool = False
    answers: list[Answer] = field(default_factory=list)
    once: dict[str, OnceResult] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)
    scene: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)
    waiting: Waiting | None = None
    misfit: str | None = None
    origin: str | None = None
    given: Given | None = None
    escalated: Escalation | None = None

    @property
    def place(self) -> str:
        """Names the visit within its instance, also when a failed turn is run again."""
        return f"{self.number}.{self.step}"

    def ordinal(self, position: int) -> int:
        """The number of the question at that place of the journal."""
        return self.base + self.undone + position

    def drop_journal(self) -> None:
        """Forgets answers and recorded values; later questions get new ordinals."""
        self.base += len(self.answers) + 1
        self.answers = []
        self.once = {}
        self.seen = {}
        self.session = {}
        self.waiting = None
        self.given = None

    def undo_answer(self) -> None:
        """Forgets the last answer, and the ``once`` results that came after it."""
        self.answers.pop()
        self.undone += 2
        kept = len(self.answers)
        self.once = {key: one for key, one in self.once.items() if one.position <= kept}
        self.waiting = None


@dataclass(slots=True)
class Past:
    """A step that was left.

    Attributes:
        asked: whether it asked; ``back`` passes over those that did not.
        undo: the fields that it changed, with their values before.
    """

    step: str
    asked: bool
    undo: dict[str, Any]


@dataclass(slots=True)
class FlowInstance:
    """One run of a flow for one conversation.

    Attributes:
        id: unique in the database.
        secret: key of this instance's button tokens; never shown.
        data: the flow's data as committed, in its JSON form.
        payload: what came with the trigger: the command's arguments, the pressed data.
        started: milliseconds since the epoch.
        inputs: accepted inputs so far; a timer that waits for silence compares it.
        spare: results of ``turn.once`` of a visit whose turn failed, by the visit's place.
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
    visit: Visit | None = None
    history: list[Past] = field(default_factory=list)
    spare: dict[str, dict[str, OnceResult]] = field(default_factory=dict)

    def enter(self, step: str, *, origin: str | None = None) -> Visit:
        """Starts a visit of ``step`` and answers it."""
        self.visits += 1
        self.visit = Visit(self.visits, step, origin=origin)
        self.visit.once = self.spare.get(self.visit.place, {})
        self.spare = {}
        return self.visit

    def leave(self, undo: dict[str, Any]) -> None:
        """Remembers the current visit for ``back``."""
        if self.visit is None:
            return
        self.history.append(Past(self.visit.step, self.visit.asked, undo))
        del self.history[:-HISTORY_LIMIT]

    @property
    def step(self) -> str:
        """The name of the current step; empty before the first."""
        return self.visit.step if self.visit else ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FlowInstance:
        """The instance of its JSON form. Raises KeyError, TypeError or ValueError if it is none."""
        values = dict(data)
        values["status"] = Status(values["status"])
        visit = values["visit"]
        values["visit"] = _visit(visit) if visit is not None else None
        values["history"] = [Past(**past) for past in values["history"]]
        values["spare"] = {place: _once(results) for place, results in values["spare"].items()}
        return cls(**values)


def _visit(data: Mapping[str, Any]) -> Visit:
    values = dict(data)
    values["answers"] = [Answer(**answer) for answer in values["answers"]]
    values["once"] = _once(values["once"])
    waiting = values["waiting"]
    values["waiting"] = _waiting(waiting) if waiting is not None else None
    given = values["given"]
    values["given"] = Given(**given) if given is not None else None
    escalated = values.get("escalated")
    values["escalated"] = Escalation(**escalated) if escalated is not None else None
    return Visit(**values)


def _once(data: Mapping[str, Any]) -> dict[str, OnceResult]:
    return {key: OnceResult(**result) for key, result in data.items()}


def _waiting(data: Mapping[str, Any]) -> Waiting:
    values = dict(data)
    prompt = values["prompt"]
    values["prompt"] = _reply(prompt) if prompt is not None else None
    values["buttons"] = [WaitButton(**button) for button in values["buttons"]]
    return Waiting(**values)


def _reply(data: Mapping[str, Any]) -> Reply:
    rows = tuple(tuple(Button(**button) for button in row) for row in data["keyboard"])
    format_: Format = data["format"]
    return replace(Reply(text=data["text"], format=format_), keyboard=rows)
