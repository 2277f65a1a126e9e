"""A flow's local moves as a python-statemachine StateChart, and its transition table.

The chart holds what ``next`` may do: one state a step, one event an edge. A fork is a parallel
state with a region for each branch. Jumps, back, detours and cancelling are the engine's own and
never in it: a jump from anywhere would hide unreachable steps, a cancel edge would hide dead ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import new_class
from typing import Any

from statemachine import State, StateChart
from statemachine.exceptions import InvalidDefinition
from statemachine.transition import Transition

from flows.definition.forks import Fork
from flows.errors import HandrailError

COMPLETED = "completed"
"""The final state, and what the table calls the end. No step may bear this name."""

DONE = "(done)"
"""What the table calls the end of a branch; no name of a step can be this."""

FORK = "(fork)"
"""What the table calls the fork that follows a step."""

FINISH = "finish"
"""The event that leads there."""

Edges = Mapping[str, Sequence[str]]
"""The name of each step to its targets: names of steps, COMPLETED, DONE and FORK."""


class ChartRefused(HandrailError):
    """The library refuses a chart that our own checks have passed: a bug of ours, please report."""


def compile_chart(
    name: str, *, initial: str, edges: Edges, forks: Mapping[str, Fork] | None = None
) -> type[StateChart[Any]]:
    """The chart of a flow whose definition was checked already.

    Args:
        forks: by the name of the step that each follows.
    """
    attributes = _Drawing(initial, edges, forks or {}).attributes()
    # an error in a callback must surface, and an unknown move must not pass in silence
    attributes["catch_errors_as_events"] = False
    attributes["allow_event_without_transition"] = False
    try:
        chart: type[StateChart[Any]] = new_class(
            f"{name}_chart", (StateChart,), exec_body=lambda space: space.update(attributes)
        )
        return chart
    except InvalidDefinition as error:
        raise ChartRefused(f"the chart of flow {name!r}: {error}") from error


class _Drawing:
    """The states and the events of one chart, as the attributes of its class."""

    def __init__(self, initial: str, edges: Edges, forks: Mapping[str, Fork]) -> None:
        self._edges = edges
        self._forks = forks
        self._heads = {
            step: branch[0]
            for fork in forks.values()
            for branch in fork.branches
            for step in branch
        }
        first = {initial, *self._heads.values()}
        self._states = {step: State(step, value=step, initial=step in first) for step in edges}
        self._states[COMPLETED] = State(COMPLETED, value=COMPLETED, final=True)
        self._events: dict[str, Any] = {}

    def attributes(self) -> dict[str, Any]:
        line = {f"s_{step}": self._states[step] for step in self._edges if step not in self._heads}
        forks = {f"f_{after}": self._fork(fork) for after, fork in self._forks.items()}
        for source, targets in self._edges.items():
            for target in targets:
                self._connect(source, target)
        return {**line, **forks, COMPLETED: self._states[COMPLETED], **self._events}

    def _fork(self, fork: Fork) -> Any:
        regions = {f"b_{branch[0]}": self._region(branch) for branch in fork.branches}
        parallel = _nested(State.Parallel, regions, name=_mark(FORK, fork.after))
        self._states[_mark(FORK, fork.after)] = parallel
        self._add(event_of_join(fork), parallel.to(self._states[fork.join]))
        return parallel

    def _region(self, branch: Sequence[str]) -> Any:
        head, over = branch[0], _mark(DONE, branch[0])
        done = State(over, value=over, final=True)
        inside = {f"s_{step}": self._states[step] for step in branch} | {f"d_{head}": done}
        region = _nested(State.Compound, inside, name=f"(branch) {head}")
        self._states[over] = done
        self._add(event_of_redo(head), region.to(self._states[head], internal=True))
        return region

    def _connect(self, source: str, target: str) -> None:
        at = self._heads[source] if target == DONE else source
        there = self._states[_mark(target, at) if is_mark(target) else target]
        self._add(event_to(target, at), self._states[source].to(there))

    def _add(self, event: str, transition: Any) -> None:
        known = self._events.get(event)
        self._events[event] = transition if known is None else known | transition


def _nested(kind: Any, attributes: Mapping[str, Any], *, name: str) -> Any:
    """A state with states in it: the library makes one of a class body."""
    return new_class(
        "Nested", (kind,), {"name": name, "value": name}, lambda space: space.update(attributes)
    )


def _mark(mark: str, at: str) -> str:
    return f"{mark} {at}"


def event_to(target: str, at: str = "") -> str:
    """The event of the edges that lead to a target.

    Args:
        at: for DONE the head of the branch that is over, for FORK the step that it follows.
    """
    marks = {COMPLETED: FINISH, DONE: f"leave_{at}", FORK: f"fork_{at}"}
    return marks.get(target, f"to_{target}")


def event_of_redo(head: str) -> str:
    """The event that opens a branch again, at its head."""
    return f"redo_{head}"


def event_of_join(fork: Fork) -> str:
    """The event that ends a fork. Where all branches are needed the library raises it when the
    last one is over; else the engine, as soon as enough are: a chart ends when all regions have.
    """
    return f"done_state_f_{fork.after}" if fork.needs_all else f"join_{fork.after}"


def transition_table(chart: type[StateChart[Any]]) -> dict[str, tuple[str, ...]]:
    """Step name to its targets, walked off the chart in declared order."""
    return {
        str(value): tuple(_targets(state.transitions))
        for value, state in chart.states_map.items()
        if value != COMPLETED and not is_mark(str(value))
    }


def _targets(transitions: Iterable[Transition]) -> Iterator[str]:
    for transition in transitions:
        if transition.target:
            value = str(transition.target.value)
            yield value.split(" ")[0] if is_mark(value) else value


def is_mark(name: str) -> bool:
    """Whether this names no step but a fork, a branch or its end."""
    return name.startswith("(")


def ways_on(targets: Sequence[str]) -> Sequence[str]:
    """Where ``next()`` without a step may go, apart from conditional edges: to the fork that
    follows, else to the steps; the end is meant only where nothing else is.
    """
    if FORK in targets:
        return (FORK,)
    return [target for target in targets if target not in (COMPLETED, DONE)] or targets
