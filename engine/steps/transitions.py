"""What a decision means for an instance: pure, over the transition table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from engine.state.migrating import same_branches
from engine.steps.places import Place
from flows.definition import chart
from flows.definition.chart import COMPLETED, DONE, FORK, ways_on
from flows.definition.forks import Fork
from flows.errors import AmbiguousNext, UndeclaredMove
from flows.flow import Flow
from flows.records import record
from flows.turns.actions import Action, Back, Cancel, Complete, Detour, Done, GoTo, Next
from flows.turns.instance import Past


@record(frozen=True, slots=True)
class Enter:
    """Leave the current step and enter ``step`` on the same line.

    Attributes:
        remember: the step that is left goes into the history.
        origin: the step to come back to; set for a detour.
    """

    step: str
    remember: bool = True
    origin: str | None = None


@record(frozen=True, slots=True)
class Open:
    """Leave the current step, and the fork that is open, and open a fork.

    Attributes:
        fork: the step that it follows.
        step: a step within, to begin with instead of its branch's head.
    """

    fork: str
    step: str | None = None


@record(frozen=True, slots=True)
class LeaveFork:
    """Abandon the fork that is open, and enter ``step`` on the main line."""

    step: str


@record(frozen=True, slots=True)
class EndBranch:
    """The branch is over; ``focus`` is the head of the one to talk about next, if any."""

    focus: str | None = None


@record(frozen=True, slots=True)
class SwitchTo:
    """Stay, and talk about another branch: at ``step`` of it, or wherever it stands."""

    head: str
    step: str


@record(frozen=True, slots=True)
class Finish:
    """The flow is over, and it succeeded."""


@record(frozen=True, slots=True)
class Abandon:
    """The flow is over, and it did not succeed."""

    reason: str


@record(frozen=True, slots=True)
class UndoAnswer:
    """Drop the last answer of the journal and ask for it again."""


@record(frozen=True, slots=True)
class ReturnTo:
    """Go back to a step of the past; ``dropped`` are the newest entries of the history to go."""

    step: str
    dropped: int


@record(frozen=True, slots=True)
class Reopen:
    """Go back into a fork that was joined; ``dropped`` as in ``ReturnTo``."""

    dropped: int


@record(frozen=True, slots=True)
class Unfocus:
    """Back from a branch to the hub."""


@record(frozen=True, slots=True)
class BackToCaller:
    """Back out of a called flow."""


@record(frozen=True, slots=True)
class AtStart:
    """There is nothing to go back to."""


BackMove = UndoAnswer | Enter | ReturnTo | Reopen | Unfocus | BackToCaller | AtStart
Move = BackMove | Open | LeaveFork | EndBranch | SwitchTo | Finish | Abandon


def resolve(place: Place, action: Action[Any], data: Any, *, anywhere: bool = False) -> Move:
    """The move that a leaving decision stands for.

    Args:
        data: the data as the step leaves it, for conditional edges.
        anywhere: ``complete`` needs no edge: it is what to do about a failure, or lost time.

    Raises:
        AmbiguousNext: ``next()`` where several edges leave.
        UndeclaredMove: no edge leads there.
        UnknownStep: the target is no step of this flow.
    """
    flow, step = place.flow, place.visit.step
    origin = place.visit.origin
    match action:
        case Next(step=None) if origin is None:  # what most steps decide
            return _along(_only_way(flow, step, data), step)
        case Cancel(reason=reason):
            return Abandon(reason)
        case Complete():
            if not anywhere:
                _declared(flow, step, COMPLETED)
            return Finish()
        case Back():
            return step_back(place)
        case _ if origin is not None:
            return Enter(origin, remember=False)
        case Done():
            _declared(flow, step, DONE)
            return EndBranch()
        case Next(step=target):
            return _to(place, _named(flow, step, target))
        case GoTo(step=target):
            return jump(place, _named(flow, step, target))
        case Detour(step=target):
            return Enter(_named(flow, step, target), remember=False, origin=step)
    raise AssertionError(f"{action!r} does not leave a step")


def step_back(place: Place) -> BackMove:
    """What ``back`` means while the last answer of the journal is not the one just given."""
    visit = place.line.visit
    if visit is not None and visit.answers:
        return UndoAnswer()
    if visit is not None and visit.origin is not None:
        return Enter(visit.origin, remember=False)
    for dropped, past in enumerate(reversed(place.line.history), start=1):
        if past.fork is not None and same_branches(place.flow.forks, past.fork):
            return Reopen(dropped)
        if past.fork is None and past.asked and past.step in place.flow.code:
            return ReturnTo(past.step, dropped)
    if place.branch is not None:
        return Unfocus()
    return BackToCaller() if place.parent is not None else AtStart()


def restored(data: Mapping[str, Any], dropped: list[Past]) -> dict[str, Any]:
    """The data without what the dropped steps wrote; ``dropped`` is the newest last."""
    values = dict(data)
    for past in reversed(dropped):
        values.update(past.undo)
    return values


def fork_of(flow: Flow[Any, Any, Any], step: str) -> Fork | None:
    """The fork that the step is in a branch of."""
    return next((fork for fork in flow.forks.values() if fork.branch_of(step)), None)


def _only_way(flow: Flow[Any, Any, Any], source: str, data: Any) -> str:
    if (branching := flow.branchings.get(source)) is not None:
        return branching.choose(data)
    return _declared_way(flow, source)


@lru_cache(maxsize=4096)
def _declared_way(flow: Flow[Any, Any, Any], source: str) -> str:
    """The only way on that the table has; asked for in most turns, and always the same."""
    if FORK in flow.table[source]:
        return FORK
    late = flow.code[source].late
    kept = [target for target in flow.table[source] if late is None or target != late.name]
    ways = ways_on(kept or flow.table[source])
    if len(ways) != 1:
        raise AmbiguousNext(flow.name, source, ways)
    return ways[0]


def _to(place: Place, target: str) -> Move:
    """``next`` with a target: along a declared edge, or out of the branch."""
    flow, source = place.flow, place.visit.step
    fork = fork_of(flow, source)
    if fork is not None and target not in flow.table[source]:
        if target in fork.heads:
            _declared(flow, source, DONE)
            return EndBranch(focus=target)
        if target == fork.join:
            _declared(flow, source, DONE)
            return EndBranch()
    _declared(flow, source, target)
    return _along(target, source)


def _along(target: str, source: str) -> Move:
    match target:
        case chart.COMPLETED:
            return Finish()
        case chart.DONE:
            return EndBranch()
        case chart.FORK:
            return Open(source)
        case _:
            return Enter(target, True, None)


def jump(place: Place, target: str) -> Move:
    """``goto``, also from a hub: anywhere, into and out of the branches of forks as well."""
    opened, wanted = place.instance.fork, fork_of(place.flow, target)
    if wanted is None:
        return Enter(target) if opened is None else LeaveFork(target)
    if opened is None or opened.after != wanted.after:
        return Open(wanted.after, target)
    head = str(wanted.branch_of(target))
    if place.branch is not None and place.branch.head == head:
        return Enter(target)
    return SwitchTo(head, target)


def _declared(flow: Flow[Any, Any, Any], source: str, target: str) -> None:
    if target not in flow.table[source]:
        name = {COMPLETED: "END", DONE: "the end of a branch"}.get(target, target)
        raise UndeclaredMove(flow.name, source, name, flow.table[source])


def _named(flow: Flow[Any, Any, Any], source: str, step: Any) -> str:
    if not isinstance(step, flow.steps):
        raise UndeclaredMove(flow.name, source, repr(step), flow.table[source])
    return str(step.name)
