"""Whether every step of a flow can be reached, and can reach the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from flows.definition.chart import COMPLETED, DONE, FORK, Edges
from flows.definition.forks import Fork
from flows.errors import DefinitionError

_LINE_ADVICE = (
    "the end of the flow. Give it an edge that goes on, or end the flow there with to=[]."
)
_BRANCH_ADVICE = (
    "the end of its branch. Give it an edge to the join, or end the branch with turn.done()."
)


def check_edges(
    flow: str, *, initial: str, edges: Edges, forks: Mapping[str, Fork] | None = None
) -> None:
    """Refuses steps that cannot be reached and steps that cannot reach the end.

    Args:
        forks: by the name of the step that each follows.

    Raises:
        DefinitionError: naming the first such step in declared order, those of the branches
            after the others.
    """
    by_step = {step: fork for fork in (forks or {}).values() for step in fork.steps}
    line = {
        step: _past_the_fork(step, targets, forks or {})
        for step, targets in edges.items()
        if step not in by_step
    }
    _check_reached(flow, line, initial, "the initial step")
    _check_ending(flow, line, COMPLETED, _LINE_ADVICE)
    for fork in (forks or {}).values():
        for branch in fork.branches:
            inside = {step: edges[step] for step in branch}
            _check_reached(flow, inside, branch[0], "the head of its branch,")
            _check_ending(flow, inside, DONE, _BRANCH_ADVICE)


def _past_the_fork(step: str, targets: Sequence[str], forks: Mapping[str, Fork]) -> Sequence[str]:
    """Where the main line goes: a fork leads to its join."""
    return [forks[step].join if target == FORK else target for target in targets]


def _check_reached(flow: str, edges: Edges, first: str, what: str) -> None:
    reached = _closure({first}, edges)
    for step in edges:
        if step not in reached:
            raise DefinitionError(
                f"no edge leads to it from {what} {first}. Name it in the to=[...] of a step that "
                "goes there, or remove it. (Jumps with turn.goto are no edges.)",
                flow=flow,
                step=step,
            )


def _check_ending(flow: str, edges: Edges, end: str, advice: str) -> None:
    ending = _closure({end}, _reversed(edges))
    for step in edges:
        if step not in ending:
            raise DefinitionError(
                f"it is a dead end: no way leads from it to {advice}", flow=flow, step=step
            )


def _closure(start: Iterable[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
    seen = set(start)
    queue = list(seen)
    while queue:
        for target in edges.get(queue.pop(), ()):
            if target not in seen:
                seen.add(target)
                queue.append(target)
    return seen


def _reversed(edges: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    backward: dict[str, list[str]] = {}
    for source, targets in edges.items():
        for target in targets:
            backward.setdefault(target, []).append(source)
    return backward
