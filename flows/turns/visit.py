"""A stay in a step: what was answered, and what is waited for, as JSON-shaped dataclasses."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from flows.messages.replies import Reply
from flows.records import record

if TYPE_CHECKING:
    from flows.turns.instance import FlowInstance


@record(slots=True)
class Answer:
    """An answer in the journal: the kind of the input, the ask's key, the JSON form."""

    kind: str
    key: str | None
    value: Any


@record(slots=True)
class OnceResult:
    """A result of ``turn.once``; ``position``: how many answers stood before it."""

    position: int
    value: Any


@record(slots=True)
class WaitButton:
    """A button of the question: pressing it gives ``value`` as the answer to ``input``.

    Attributes:
        kept: it offers the value that there is already, and is not the input's own.
    """

    label: str
    value: Any
    input: int = 0
    kept: bool = False


@record(slots=True)
class Rung:
    """A reminder that is still to come: when (milliseconds since the epoch), and its words."""

    due: int
    text: str


@record(slots=True)
class Poll:
    """A question that several people answer.

    Attributes:
        people: whose answers count; empty: everybody's.
        need: how many answers it takes.
        answers: person to the JSON form of the answer.
    """

    people: list[str]
    need: int
    answers: dict[str, Any] = field(default_factory=dict)


@record(slots=True)
class Waiting:
    """What the step waits for, complete enough to route and to ask again without the code.

    Attributes:
        ordinal: number of the question within the visit; tokens name it.
        explicit: it is a ``turn.wait``; else an ``ask``.
        inputs: stored forms of what is accepted.
        failures: refused answers since the question was asked.
        slot: the name of the message that asks.
        asked: the number of the turn in which it was first shown; 0: it was not yet.
        drafts: what interactive inputs hold so far, one each.
        people: who may answer; empty: everybody whose conversation it is.
        poll: set where several people answer.
        ticket: the token of the outside event that is waited for.
        timeout: how long an answer may take, in milliseconds.
        deadline: when the time for the answer is up.
        rungs: reminders to come, the next one first.
        otherwise: what is said to what is not taken, in place of the reason and the question;
            empty: the handler is run to be told of it; None: neither.
    """

    ordinal: int
    explicit: bool
    inputs: list[dict[str, Any]]
    key: str | None = None
    prompt: Reply | None = None
    buttons: list[WaitButton] = field(default_factory=list)
    failures: int = 0
    slot: str = ""
    asked: int = 0
    drafts: list[Any] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    poll: Poll | None = None
    ticket: str | None = None
    timeout: int | None = None
    deadline: int | None = None
    rungs: list[Rung] = field(default_factory=list)
    otherwise: str | None = None


@record(slots=True)
class Escalation:
    """A step waits for an operator.

    Attributes:
        reason: what the operator is to know.
        accept: the stored form of what the operator may answer; None: anything.
        at: since when (milliseconds since the epoch).
        again: the step failed, and runs again over its journal; else it runs from its top, with
            the operator's answer as its input.
        fresh: it failed over its last answer: what it says after that was not said yet.
    """

    reason: str
    accept: dict[str, Any] | None
    at: int
    again: bool = False
    fresh: bool = False


@record(slots=True)
class Given:
    """The answer to a ``turn.wait``: the stored input that took it, and the JSON form."""

    input: dict[str, Any]
    value: Any


@record(slots=True)
class Visit:
    """A stay in a step, from entering to leaving it: its journal and its question.

    Attributes:
        number: counts the visits of the instance, from 1.
        base: what the ordinals of this journal start at.
        undone: what undone answers have added to the ordinals: a question that is asked again
            after another answer is another one, and old buttons mean nothing to it.
        asked: whether the step has asked anything yet; then a run of it is a re-run.
        seen: ``now`` (ms), ``seed``, ``user`` and ``roles`` as first used; of a plain handler, the
            number of the ``route`` that has called it, where that is not its first.
        data, session: values at entry of fields that others have changed since.
        misfit: fingerprint of the code that the journal did not fit, if that happened.
        origin: the step that a detour returns to, if this is one.
        given: the answer to a ``turn.wait``, which this journal started from.
        child: the run of another flow that the step has called and waits for.
        call_key: the key of that call.
        new: hooks of its entry are still to run; only within a turn.
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
    data: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)
    waiting: Waiting | None = None
    misfit: str | None = None
    origin: str | None = None
    given: Given | None = None
    child: FlowInstance | None = None
    call_key: str | None = None
    escalated: Escalation | None = None
    new: bool = False

    @classmethod
    def begun(cls, number: int, step: str, origin: str | None) -> Visit:
        """A visit that has just begun. Each turn begins one: see ``flows.records``."""
        return cls(
            number, step, 0, 0, False, [], {}, {}, {}, {}, {},
            None, None, origin, None, None, None, None, False,
        )  # fmt: skip

    @property
    def place(self) -> str:
        """Names the visit within its instance, also when a failed turn is run again."""
        return f"{self.number}.{self.step}"

    @property
    def rests(self) -> bool:
        """Whether it has come to an ``ask`` or a ``call`` and stands there."""
        asks = self.waiting is not None and not self.waiting.explicit
        return asks or self.child is not None

    def ordinal(self, position: int) -> int:
        """The number of the question at that place of the journal."""
        return self.base + self.undone + position

    def drop_journal(self) -> None:
        """Forgets answers and recorded values; later questions get new ordinals."""
        self.base += len(self.answers) + 1
        self.answers = []
        self.once = {}
        self.seen = {}
        self.data = {}
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
