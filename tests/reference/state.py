"""What the reference model remembers: runs, their lines, and the stay in each step."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.reference.plans import Ask

Data = dict[str, str]


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a button of a question means: an answer to that very asking of it."""

    visit: int
    asking: tuple[int, int]
    value: str


@dataclass(frozen=True, slots=True)
class HubPressed:
    """What a button of a hub means: a branch, or with "" to go on."""

    fork: int
    head: str


@dataclass(frozen=True, slots=True)
class ConfirmPressed:
    """What a button means that asks whether a run is to start over."""

    pending: int
    over: bool


Meaning = Pressed | HubPressed | ConfirmPressed
Buttons = tuple[tuple[str, Meaning], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A message; ``hub``: the fork whose hub it is; ``edit``: it replaces that hub's last one."""

    text: str
    buttons: Buttons = ()
    hub: int | None = None
    edit: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The answer that a call gives which did not succeed."""

    reason: str


class TimedOut:
    """The answer of a question that nobody answered in time."""


Answer = str | Cancelled | TimedOut


@dataclass(slots=True)
class Waiting:
    """A question that is open.

    Attributes:
        shown: when it was last shown; 0: it is held.
        remind: when the person is reminded, if ever.
    """

    ask: Ask
    shown: int
    deadline: int | None
    remind: int | None


@dataclass(slots=True)
class Visit:
    """A stay in a step.

    Attributes:
        entry: the data that the step works on.
        era: counts how often answers were taken back.
        origin: the step that a detour comes back to.
    """

    id: int
    step: str
    entry: Data
    answers: list[Answer] = field(default_factory=list)
    era: int = 0
    asked: bool = False
    origin: str | None = None
    waiting: Waiting | None = None
    child: Run | None = None

    @property
    def asking(self) -> tuple[int, int]:
        """Tells one asking from every other of this visit."""
        return self.era, len(self.answers)

    def undo(self) -> None:
        """The last answer is none."""
        self.answers.pop()
        self.era += 1
        self.waiting = None

    def forget(self, data: Data) -> None:
        """All answers are none, and the step works on the data as it is now."""
        self.answers, self.entry, self.waiting = [], dict(data), None
        self.era += 1


@dataclass(slots=True, eq=False)
class Past:
    """A step that was left, and what it wrote over; or a fork that was joined."""

    step: str
    asked: bool
    undo: Data
    fork: Fork | None = None


@dataclass(slots=True)
class Line:
    """Steps one after the other; ``head``: the branch that it is, "" for the main line."""

    head: str = ""
    visit: Visit | None = None
    past: list[Past] = field(default_factory=list)
    done: bool = False


@dataclass(slots=True)
class Fork:
    """A fork that is open; ``before``: what its branches have written over."""

    id: int
    branches: list[Line]
    focus: str | None = None
    joined: bool = False
    shown: bool = False
    before: Data = field(default_factory=dict)

    def branch(self, head: str) -> Line:
        """The branch of that name."""
        return next(line for line in self.branches if line.head == head)

    @property
    def done(self) -> int:
        """How many branches are."""
        return sum(line.done for line in self.branches)


@dataclass(slots=True)
class Run:
    """One run of a flow; ``caller``: the line whose step has called it; ``pending``: the question
    that asks whether it is to start over.
    """

    flow: str
    data: Data
    main: Line = field(default_factory=Line)
    fork: Fork | None = None
    shelved: Fork | None = None
    caller: Spot | None = None
    ending: str | None = None
    silent: int | None = None
    pending: int | None = None

    def lines(self) -> list[Line]:
        """The lines that go on."""
        if self.fork is None:
            return [self.main]
        return [line for line in self.fork.branches if not line.done]


@dataclass(slots=True)
class Spot:
    """A line of a run: the main one stands at the hub while a fork is open."""

    run: Run
    line: Line

    @property
    def visit(self) -> Visit:
        """The stay there."""
        assert self.line.visit is not None
        return self.line.visit

    @property
    def branch(self) -> bool:
        """Whether it is a branch."""
        return self.line is not self.run.main

    @property
    def at_hub(self) -> bool:
        """Whether it is the hub."""
        return not self.branch and self.run.fork is not None

    @property
    def root(self) -> Run:
        """The run that no other one called."""
        return self.run if self.run.caller is None else self.run.caller.root

    @property
    def held(self) -> bool:
        """Whether another branch, or none, is talked about."""
        fork = self.run.fork
        if self.branch and fork is not None and fork.focus != self.line.head:
            return True
        return self.run.caller is not None and self.run.caller.held

    def take_focus(self) -> None:
        """It is talked about from now on."""
        if self.branch and self.run.fork is not None:
            self.run.fork.focus = self.line.head
        if self.run.caller is not None:
            self.run.caller.take_focus()


def leaves(run: Run) -> list[Spot]:
    """The spots that wait, or could."""
    found: list[Spot] = []
    for line in run.lines():
        if line.visit is not None and line.visit.child is not None:
            found += leaves(line.visit.child)
        elif line.visit is not None:
            found.append(Spot(run, line))
    return found


def tree(run: Run) -> list[Run]:
    """The run and all that it has called."""
    children = [line.visit.child for line in run.lines() if line.visit is not None]
    return [run, *(one for child in children if child is not None for one in tree(child))]


def current(run: Run) -> Spot:
    """What is talked about: a step, or a hub."""
    line = run.main
    if run.fork is not None:
        if run.fork.focus is None:
            return Spot(run, run.main)
        line = run.fork.branch(run.fork.focus)
    if line.visit is not None and line.visit.child is not None:
        return current(line.visit.child)
    return Spot(run, line)
