"""Flows as plain data, from which a real flow and the tables of the reference model are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

END = "END"
"""Where an edge leads that completes the flow."""

FIELDS = ("a", "b", "c")
"""The fields of every flow's data: texts, empty at first."""

WORDS = ("red", "blue", "1", "2")
"""What people answer."""

PICKS = ("red", "blue")
"""The options of a choice."""

Wants = Literal["word", "number", "pick"]
Verb = Literal[
    "next", "goto", "back", "restore", "repeat", "detour", "done", "complete", "cancel", "fail"
]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question; times in seconds."""

    text: str
    wants: Wants = "word"
    timeout: int | None = None
    remind: int | None = None

    @property
    def refusal(self) -> str:
        """What is said to an answer that does not parse."""
        return f"no {self.wants} for {self.text}"

    @property
    def labels(self) -> tuple[str, ...]:
        """The buttons beneath."""
        return PICKS if self.wants == "pick" else ()

    def parses(self, text: str) -> bool:
        """Whether the text is an answer."""
        match self.wants:
            case "word":
                return True
            case "number":
                return text.isdigit()
            case "pick":
                return text in PICKS


@dataclass(frozen=True, slots=True)
class Call:
    """Another flow runs to its end; its result is the answer."""

    flow: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What a step decides, and about which step."""

    verb: Verb = "next"
    step: str | None = None


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step: it says something, asks, adds the last answer to a field, and decides by it.

    Attributes:
        to: where ``next`` may go; None: the default.
        cases: conditional edges: a letter of a field, and the target where it is in there.
        otherwise: where a step with cases goes when none holds.
    """

    name: str
    says: str = ""
    parts: tuple[Ask | Call, ...] = ()
    writes: str | None = None
    ways: Mapping[str, Decision] = field(default_factory=dict)
    usual: Decision = Decision()
    to: tuple[str, ...] | None = None
    cases: tuple[tuple[str, str, str], ...] = ()
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class ForkPlan:
    """Branches that are done in any order, after a step."""

    after: str
    branches: tuple[tuple[str, ...], ...]
    join: str
    need: int

    def head_of(self, step: str) -> str | None:
        """The branch that the step is in."""
        return next((branch[0] for branch in self.branches if step in branch), None)


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """A flow; its steps are in the order of the enum, and it starts at the first.

    Attributes:
        ttl: seconds.
        hooks: all hooks are there, and say so.
    """

    name: str
    steps: tuple[StepPlan, ...]
    fork: ForkPlan | None = None
    again: Literal["resume", "restart", "refuse", "confirm"] = "resume"
    interrupt: Literal["stack", "replace", "refuse"] = "stack"
    ttl: int | None = None
    hooks: bool = False

    def step(self, name: str) -> StepPlan:
        """The step of that name."""
        return next(step for step in self.steps if step.name == name)

    def following(self, name: str) -> str:
        """Where ``next`` leads without a target, and without a fork or cases."""
        step = self.step(name)
        ways = [target for target in step.to or () if target != END]
        if step.to is not None:
            return ways[0] if ways else END
        branches = self.fork.branches if self.fork is not None else ()
        line = next((branch for branch in branches if name in branch), None)
        if line is not None:
            return (*line, "")[line.index(name) + 1]
        names = [step.name for step in self.steps]
        return (*names, END)[names.index(name) + 1]


@dataclass(frozen=True, slots=True)
class BotPlan:
    """The flows of a bot; a command of its name starts each."""

    flows: tuple[FlowPlan, ...]

    def flow(self, name: str) -> FlowPlan:
        """The flow of that name."""
        return next(flow for flow in self.flows if flow.name == name)
