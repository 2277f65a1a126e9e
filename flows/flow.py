"""A built flow: checked, compiled, and immutable from then on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Generic

from pydantic import BaseModel, ValidationError
from statemachine import StateChart
from typing_extensions import TypeVar

from flows.actions import Action
from flows.errors import InvalidData, StartRefused, UnknownStep
from flows.instance import FlowInstance
from flows.keys import USER_IN_CHAT, Key
from flows.models import DoesNotFit, dump_model, load_model, overwrite
from flows.turn import Turn

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)

Handler = Callable[[Turn[S, D, Deps]], Awaitable[Action[S]]]
"""A step: an async function of a turn that answers a decision."""

Recovery = Callable[[Turn[S, D, Deps], Exception], Awaitable[Action[S]]]
"""What to do about a failed step; see ``FlowBuilder.on_error``."""


@dataclass(frozen=True, slots=True)
class StepCode(Generic[S, D, Deps]):
    """A step and its handler.

    Attributes:
        fingerprint: of the handler's code: another one after a deploy that changed it.
    """

    step: S
    handler: Handler[S, D, Deps]
    fingerprint: str


@dataclass(frozen=True, slots=True, eq=False)
class Flow(Generic[S, D]):
    """A flow that passed every check of ``FlowBuilder.build``.

    Attributes:
        steps: the enum of the steps.
        data: the model of the data.
        table: step name to the names of the steps that ``next`` may go to, ``"completed"``
            for the end; read off ``chart``.
        chart: the same as a python-statemachine class, for diagrams and as a second opinion.
        ttl: how long a person may be silent before the flow expires; None: for ever.
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
    ttl: timedelta | None = None
    recovery: Recovery[S, D, Any] | None = None
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
    ) -> dict[str, Any]:
        """Writes the top-level fields that a step changed over the current data, validated.

        Raises:
            InvalidData: the result does not validate, or is no JSON.
        """
        try:
            return overwrite(current, before=before, after=after)[0]
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
