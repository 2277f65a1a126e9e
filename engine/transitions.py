"""What a decision means for an instance: pure, over the transition table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.actions import Action, Back, Cancel, Complete, Detour, GoTo, Next
from flows.chart import COMPLETED, ways_on
from flows.errors import AmbiguousNext, UndeclaredMove
from flows.flow import Flow
from flows.instance import FlowInstance, Past


@dataclass(frozen=True, slots=True)
class Enter:
    """Leave the current step and enter ``step``.

    Attributes:
        remember: the step that is left goes into the history.
        origin: the step to come back to; set for a detour.
    """

    step: str
    remember: bool = True
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The flow is over, and it succeeded."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """The flow is over, and it did not succeed."""

    reason: str


@dataclass(frozen=True, slots=True)
class UndoAnswer:
    """Drop the last answer of the journal and ask for it again."""


@dataclass(frozen=True, slots=True)
class ReturnTo:
    """Go back to a step of the past; ``dropped`` are the newest entries of the history to go."""

    step: str
    dropped: int


@dataclass(frozen=True, slots=True)
class AtStart:
    """There is nothing to go back to."""


Move = Enter | Finish | Abandon | UndoAnswer | ReturnTo | AtStart


def resolve(flow: Flow[Any, Any], instance: FlowInstance, action: Action[Any]) -> Move:
    """The move that a leaving decision stands for.

    Raises:
        AmbiguousNext: ``next()`` where several edges leave.
        UndeclaredMove: no edge leads there.
        UnknownStep: the target is no step of this flow.
    """
    visit = instance.visit
    origin = visit.origin if visit is not None else None
    match action:
        case Cancel(reason=reason):
            return Abandon(reason)
        case Complete():
            _declared(flow, instance.step, COMPLETED)
            return Finish()
        case Back():
            return step_back(instance)
        case _ if origin is not None:
            return Enter(origin, remember=False)
        case Next(step=step):
            return _along(_edge(flow, instance.step, step))
        case GoTo(step=step):
            return Enter(_named(flow, instance.step, step))
        case Detour(step=step):
            name = _named(flow, instance.step, step)
            return Enter(name, remember=False, origin=instance.step)
    raise AssertionError(f"{action!r} does not leave a step")


def step_back(instance: FlowInstance) -> Move:
    """What ``back`` means while the last answer of the journal is not the one just given."""
    visit = instance.visit
    if visit is not None and visit.answers:
        return UndoAnswer()
    if visit is not None and visit.origin is not None:
        return Enter(visit.origin, remember=False)
    for dropped, past in enumerate(reversed(instance.history), start=1):
        if past.asked:
            return ReturnTo(past.step, dropped)
    return AtStart()


def restored(data: Mapping[str, Any], dropped: list[Past]) -> dict[str, Any]:
    """The data without what the dropped steps wrote; ``dropped`` is the newest last."""
    values = dict(data)
    for past in reversed(dropped):
        values.update(past.undo)
    return values


def _edge(flow: Flow[Any, Any], source: str, target: Any | None) -> str:
    if target is None:
        ways = ways_on(flow.table[source])
        if len(ways) != 1:
            raise AmbiguousNext(flow.name, source, ways)
        return ways[0]
    name = _named(flow, source, target)
    _declared(flow, source, name)
    return name


def _along(target: str) -> Move:
    return Finish() if target == COMPLETED else Enter(target)


def _declared(flow: Flow[Any, Any], source: str, target: str) -> None:
    if target not in flow.table[source]:
        name = "END" if target == COMPLETED else target
        raise UndeclaredMove(flow.name, source, name, flow.table[source])


def _named(flow: Flow[Any, Any], source: str, step: Any) -> str:
    if not isinstance(step, flow.steps):
        raise UndeclaredMove(flow.name, source, repr(step), flow.table[source])
    return str(step.name)
