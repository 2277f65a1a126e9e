"""A built flow: checked, compiled, and immutable from then on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, Generic, Literal

from pydantic import BaseModel, ValidationError
from statemachine import StateChart
from typing_extensions import TypeVar

from flows.definition.forks import Branching, Fork
from flows.definition.migrations import Migration
from flows.errors import InvalidData, StartRefused, UnknownStep
from flows.keys import USER_IN_CHAT, Key
from flows.models import DoesNotFit, Written, dump_model, load_model, overwrite
from flows.turns.actions import Action
from flows.turns.instance import FlowInstance
from flows.turns.timing import UNTIMED, Reminder, Timing
from flows.turns.turn import Turn

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
R_co = TypeVar("R_co", default=D, covariant=True)
Deps = TypeVar("Deps", default=Any)

Handler = Callable[[Turn[S, D, Deps]], Awaitable[Action[S]]]
"""A step: an async function of a turn that answers a decision."""

Recovery = Callable[[Turn[S, D, Deps], Exception], Awaitable[Action[S]]]
"""What to do about a failed step; see ``FlowBuilder.on_error``."""

Outcome = Callable[[Turn[S, D, Deps]], "Action[S] | Awaitable[Action[S]]"]
"""What to do when the time of a question is up."""

Hook = Callable[[Turn[S, D, Deps]], Awaitable[None]]
"""Runs where a flow or a step begins or ends; it may say, read and write, and never ask."""

StepCall = Callable[[], Awaitable[Action[S]]]

StepMiddleware = Callable[[Turn[S, D, Deps], StepCall[S]], Awaitable[Action[S]]]
"""Runs around a step; ``await call_next()`` goes on, and answers a ``Wait`` where it asked."""

Again = Literal["resume", "restart", "refuse", "confirm"]
"""What happens when a flow is started that runs here already."""

Interrupt = Literal["stack", "replace", "refuse"]
"""What happens to a running flow when another one is started."""


@dataclass(frozen=True, slots=True)
class StepCode(Generic[S, D, Deps]):
    """A step and its handler.

    Attributes:
        fingerprint: of the handler's code: another one after a deploy that changed it.
        timeout, remind, on_timeout: for the questions of this step that say nothing else;
            ``timing`` is the three of them.
        late: the step to which ``on_timeout`` leads along an edge of its own, which ``next()``
            without a step does not take.
        on_enter, on_leave: hooks.
        middlewares: around this step, inside those of the flow; the outermost first.
    """

    step: S
    handler: Handler[S, D, Deps]
    fingerprint: str
    timeout: timedelta | None = None
    remind: tuple[Reminder, ...] = ()
    on_timeout: Outcome[S, D, Deps] | None = None
    late: S | None = None
    on_enter: Hook[S, D, Deps] | None = None
    on_leave: Hook[S, D, Deps] | None = None
    middlewares: tuple[StepMiddleware[S, D, Deps], ...] = ()
    timing: Timing = field(init=False, default=UNTIMED)

    def __post_init__(self) -> None:
        if self.timeout is not None or self.remind or self.on_timeout is not None:
            timing = Timing(self.timeout, self.remind, self.on_timeout)
            object.__setattr__(self, "timing", timing)


@dataclass(frozen=True, slots=True)
class Hooks(Generic[S, D, Deps]):
    """What runs when a flow begins and ends, and when nobody can be reached.

    Attributes:
        exit: runs at every end, after ``complete`` or ``cancel``.
        blocked: runs when its chat has turned out to be closed to the bot.
    """

    enter: Hook[S, D, Deps] | None = None
    exit: Hook[S, D, Deps] | None = None
    complete: Hook[S, D, Deps] | None = None
    cancel: Hook[S, D, Deps] | None = None
    blocked: Hook[S, D, Deps] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Flow(Generic[S, D, R_co]):
    """A flow that passed every check of ``FlowBuilder.build``.

    Attributes:
        steps: the enum of the steps.
        data: the model of the data.
        table: step name to where ``next`` may go: names of steps, ``"completed"`` for the end,
            ``"(fork)"`` for the fork that follows, ``"(done)"`` for the end of a branch; read
            off ``chart``.
        chart: the same as a python-statemachine class, for diagrams and as a second opinion.
        ttl: how long a person may be silent before the flow expires; None: for ever.
        max_age: how long after its start the flow expires, whatever the person does.
        recovery: the ``on_error`` handler.
        on_timeout: what to do when the time of a question is up that says nothing itself.
        forks: by the name of the step that each follows.
        branchings: by the name of the step that they leave.
        result: makes the typed result of the flow out of its data, for ``turn.call``.
        migrations: by the version that each starts from.
        children: flows that its handlers call; they are registered with it.
        key: whose instances there are, such as one for each person in a chat.
    """

    name: str
    version: int
    description: str
    steps: type[S]
    data: type[D]
    initial: S
    code: Mapping[str, StepCode[S, D, Any]]
    table: Mapping[str, tuple[str, ...]]
    chart: type[StateChart[Any]]
    result: Callable[[D], R_co]
    ttl: timedelta | None = None
    max_age: timedelta | None = None
    recovery: Recovery[S, D, Any] | None = None
    on_timeout: Outcome[S, D, Any] | None = None
    hooks: Hooks[S, D, Any] = field(default_factory=lambda: Hooks[Any, Any, Any]())
    middlewares: tuple[StepMiddleware[S, D, Any], ...] = ()
    forks: Mapping[str, Fork] = field(default_factory=dict)
    branchings: Mapping[str, Branching] = field(default_factory=dict)
    migrations: Mapping[int, Migration] = field(default_factory=dict)
    children: tuple[Flow[Any, Any, Any], ...] = ()
    again: Again = "resume"
    interrupt: Interrupt = "stack"
    key: Key = USER_IN_CHAT

    def step(self, name: str) -> S:
        """The step of that name. Raises UnknownStep."""
        try:
            return self.steps[name]
        except KeyError:
            raise UnknownStep(self.name, name, self.table) from None

    def start(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The data of a new instance in its JSON form.

        Raises:
            StartRefused: an argument is unknown, missing or does not validate.
        """
        known = self.data.model_fields
        takes_more = self.data.model_config.get("extra") == "allow"
        for name in arguments:
            if name not in known and not takes_more:
                raise StartRefused(self.name, name, f"{self.data.__name__} has no such field")
        try:
            data = self.data.model_validate(dict(arguments), by_alias=False, by_name=True)
        except ValidationError as error:
            fault = DoesNotFit.of(error)
            raise StartRefused(self.name, fault.field, fault.reason) from None
        return dump_model(data)

    def load(self, data: Mapping[str, Any]) -> D:
        """The data of its JSON form. Raises DoesNotFit."""
        return load_model(self.data, data)

    def settle(
        self, step: str, *, before: Mapping[str, Any], after: D, current: Mapping[str, Any]
    ) -> Written:
        """Writes the top-level fields that a step changed over the current data, validated.

        Raises:
            InvalidData: the result does not validate, or is no JSON.
        """
        try:
            return overwrite(current, before=before, after=after)
        except DoesNotFit as fault:
            raise InvalidData(self.name, step, fault.field or "?", fault.reason) from None

    def misfit(self, instance: FlowInstance) -> str | None:
        """Why this flow cannot run the instance, or None when it can."""
        if instance.version > self.version:
            return f"it is of version {instance.version}, the code of version {self.version}"
        if instance.visit is not None and instance.step not in self.table:
            return f"it is at step {instance.step}, which version {self.version} does not have"
        try:
            self.load(instance.data)
        except DoesNotFit as fault:
            return f"its data does not validate: field {fault.field!r}: {fault.reason}"
        return None
