"""Flows out of flows: one after the other, one of several, several in any order.

Each part is a step that calls its flow. What a part left is kept as the data of its flow, so
the composed result is made by the results of the parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeVar, cast, overload

from pydantic import BaseModel, create_model

from flows.definition.builder import FlowBuilder
from flows.errors import DefinitionError, StartRefused
from flows.flow import Flow, Handler
from flows.inputs import Choice
from flows.messages.replies import Reply
from flows.turns.actions import END, Action
from flows.turns.turn import Turn

R = TypeVar("R")
R1 = TypeVar("R1")
R2 = TypeVar("R2")
R3 = TypeVar("R3")
R4 = TypeVar("R4")
R5 = TypeVar("R5")

AnyFlow = Flow[Any, Any, Any]
Part = Flow[Any, Any, R]


@dataclass(frozen=True, slots=True)
class _Part:
    """One flow in a composed one.

    Attributes:
        step: the name of the step that calls it.
    """

    flow: AnyFlow
    step: str

    @property
    def field(self) -> str:
        """Where the composed data keeps the data of the flow."""
        return f"part_{self.step.lower()}"

    @property
    def mark(self) -> str:
        """Where the composed data keeps whether the flow has completed."""
        return f"done_{self.step.lower()}"

    def fields(self) -> dict[str, Any]:
        """Its fields in the composed model; one that cannot start by itself has to be given."""
        try:
            self.flow.start({})
        except StartRefused:
            return {self.field: (self.flow.data, ...), self.mark: (bool, False)}
        return {self.field: (self.flow.data | None, None), self.mark: (bool, False)}

    def handler(self) -> Handler[Any, Any, Any]:
        """The step that calls the flow."""
        child, field, mark = self.flow, self.field, self.mark

        async def called(turn: Turn[Any, Any, Any]) -> Action[Any]:
            setattr(turn.data, field, await turn.call_data(child, getattr(turn.data, field)))
            setattr(turn.data, mark, True)
            return turn.next()

        return called

    def result(self, data: BaseModel) -> Any:
        """What the flow has come to; None where it has not completed."""
        return self.flow.result(getattr(data, self.field)) if getattr(data, self.mark) else None


@overload
def sequence(name: str, a: Part[R1], b: Part[R2], /) -> Part[tuple[R1, R2]]: ...
@overload
def sequence(name: str, a: Part[R1], b: Part[R2], c: Part[R3], /) -> Part[tuple[R1, R2, R3]]: ...
@overload
def sequence(
    name: str, a: Part[R1], b: Part[R2], c: Part[R3], d: Part[R4], /
) -> Part[tuple[R1, R2, R3, R4]]: ...
@overload
def sequence(
    name: str, a: Part[R1], b: Part[R2], c: Part[R3], d: Part[R4], e: Part[R5], /
) -> Part[tuple[R1, R2, R3, R4, R5]]: ...
@overload
def sequence(name: str, /, *flows: Part[R]) -> Part[tuple[R, ...]]: ...


def sequence(name: str, /, *flows: AnyFlow) -> AnyFlow:
    """A flow that runs these one after the other; its result is the tuple of theirs.

    Raises:
        DefinitionError: there are no flows, or one is none.
    """
    parts = _parts(name, flows)
    builder = _builder(name, parts)
    for part in parts:
        builder.step(builder.steps[part.step], part.handler())
    return builder.build(initial=builder.steps[parts[0].step], result=_results(parts))


Option = tuple[str, Part[R]]
"""What the button says, and the flow."""


@overload
def choose(name: str, prompt: str | Reply, a: Option[R1], b: Option[R2], /) -> Part[R1 | R2]: ...
@overload
def choose(
    name: str, prompt: str | Reply, a: Option[R1], b: Option[R2], c: Option[R3], /
) -> Part[R1 | R2 | R3]: ...
@overload
def choose(
    name: str, prompt: str | Reply, a: Option[R1], b: Option[R2], c: Option[R3],
    d: Option[R4], /,
) -> Part[R1 | R2 | R3 | R4]: ...  # fmt: skip
@overload
def choose(name: str, prompt: str | Reply, flows: Mapping[str, Part[R]], /) -> Part[R]: ...
@overload
def choose(name: str, prompt: str | Reply, flows: Mapping[str, AnyFlow], /) -> AnyFlow: ...


def choose(name: str, prompt: str | Reply, /, *flows: Any) -> AnyFlow:
    """A flow that asks which of these to run; its result is that of the chosen one.

    Args:
        flows: by what their buttons say: a dict, or pairs, of which checkers know the type of
            the result even where the flows differ in it.

    Raises:
        DefinitionError: there are no flows, one is none, or two buttons say the same.
    """
    pairs = _options(name, flows)
    labels = [label for label, _ in pairs]
    parts = _parts(name, (flow for _, flow in pairs), taken="CHOOSE")
    builder = _builder(name, parts, first="CHOOSE", chosen=(str, ""))
    names = Choice({label: part.step for label, part in zip(labels, parts, strict=True)})
    for part in parts:
        builder.step(builder.steps[part.step], part.handler(), to=[END])
    cases = [(_chooses(part), builder.steps[part.step]) for part in parts]
    builder.ask(builder.steps["CHOOSE"], prompt, names, into="chosen")
    builder.branch(builder.steps["CHOOSE"], cases, otherwise=cases[-1][1])
    by_step = {part.step: part for part in parts}
    return builder.build(
        initial=builder.steps["CHOOSE"], result=lambda data: by_step[data.chosen].result(data)
    )


_Some = Literal["any"] | int


@overload
def together(
    name: str, a: Part[R1], b: Part[R2], /, *, need: Literal["all"] = "all"
) -> Part[tuple[R1, R2]]: ...
@overload
def together(
    name: str, a: Part[R1], b: Part[R2], c: Part[R3], /, *, need: Literal["all"] = "all"
) -> Part[tuple[R1, R2, R3]]: ...
@overload
def together(
    name: str, a: Part[R1], b: Part[R2], c: Part[R3], d: Part[R4], /, *,
    need: Literal["all"] = "all",
) -> Part[tuple[R1, R2, R3, R4]]: ...  # fmt: skip
@overload
def together(
    name: str, a: Part[R1], b: Part[R2], c: Part[R3], d: Part[R4], e: Part[R5], /, *,
    need: Literal["all"] = "all",
) -> Part[tuple[R1, R2, R3, R4, R5]]: ...  # fmt: skip
@overload
def together(
    name: str, a: Part[R1], b: Part[R2], /, *, need: _Some
) -> Part[tuple[R1 | None, R2 | None]]: ...
@overload
def together(
    name: str, a: Part[R1], b: Part[R2], c: Part[R3], /, *, need: _Some
) -> Part[tuple[R1 | None, R2 | None, R3 | None]]: ...
@overload
def together(
    name: str, a: Part[R1], b: Part[R2], c: Part[R3], d: Part[R4], /, *, need: _Some
) -> Part[tuple[R1 | None, R2 | None, R3 | None, R4 | None]]: ...
@overload
def together(
    name: str, a: Part[R1], b: Part[R2], c: Part[R3], d: Part[R4], e: Part[R5], /, *, need: _Some
) -> Part[tuple[R1 | None, R2 | None, R3 | None, R4 | None, R5 | None]]: ...


def together(name: str, /, *flows: AnyFlow, need: Literal["all"] | _Some = "all") -> AnyFlow:
    """A flow that runs these in any order; its result is the tuple of theirs.

    Args:
        need: how many have to be completed: "all", "any" or a number. The result of one that was
            not is None.

    Raises:
        DefinitionError: there are no flows, one is none, or ``need`` cannot be met.
    """
    parts = _parts(name, flows, taken="START")
    builder = _builder(name, parts, first="START")
    for part in parts:
        builder.step(builder.steps[part.step], part.handler())
    start = builder.steps["START"]
    heads = [builder.steps[part.step] for part in parts]
    builder.parallel(from_=start, steps=heads, join=END, need=need)
    return builder.build(initial=start, result=_results(parts))


def _options(name: str, flows: tuple[Any, ...]) -> list[Option[Any]]:
    """What is offered, as pairs."""
    given = list(flows[0].items() if flows and isinstance(flows[0], Mapping) else flows)
    for option in given:
        if not (isinstance(option, tuple) and len(option) == 2):
            raise DefinitionError(
                f"{option!r} is no option. Write ('What the button says', flow).", flow=name
            )
    labels = [label for label, _ in given]
    if len(set(labels)) < len(labels):
        raise DefinitionError(f"two of its buttons say the same: {labels}", flow=name)
    return given


# --- the parts --------------------------------------------------------------------------


def _parts(name: str, flows: Iterable[object], *, taken: str = "") -> list[_Part]:
    names = {taken}
    parts = []
    for flow in flows:
        if not isinstance(flow, Flow):
            raise DefinitionError(f"{flow!r} is no flow, and cannot be a part", flow=name)
        parts.append(_Part(flow, _step_name(flow.name, names)))
    if not parts:
        raise DefinitionError("it is composed of no flows. Name them.", flow=name)
    return parts


def _step_name(flow: str, taken: set[str]) -> str:
    """The name of a flow as that of a step: the second SIGNUP is SIGNUP_2."""
    plain = re.sub(r"[^A-Z0-9]", "_", flow.upper())
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    taken.add(name)
    return name


def _builder(
    name: str, parts: Sequence[_Part], *, first: str | None = None, **more: Any
) -> FlowBuilder[Enum, Any, Any]:
    members = [*([first] if first else []), *(part.step for part in parts)]
    steps = cast(type[Enum], cast(Any, Enum)(f"{name}-steps", members))
    fields = {name: made for part in parts for name, made in part.fields().items()}
    data = create_model(f"{name}-data", **fields, **more)
    return FlowBuilder(name, steps, data)


def _results(parts: Sequence[_Part]) -> Any:
    return lambda data: tuple(part.result(data) for part in parts)


def _chooses(part: _Part) -> Any:
    return lambda data: data.chosen == part.step
