"""The checks of a flow's graph, each naming the cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from flows.chart import COMPLETED
from flows.errors import DefinitionError


def check_edges(flow: str, *, initial: str, edges: Mapping[str, Sequence[str]]) -> None:
    """Refuses steps that cannot be reached and steps that cannot reach the end.

    Raises:
        DefinitionError: naming the first such step in declared order.
    """
    reached = _closure({initial}, edges)
    for step in edges:
        if step not in reached:
            raise DefinitionError(
                f"no edge leads to it from the initial step {initial}. Name it in the to=[...] of "
                "a step that goes there, or remove it. (Jumps with turn.goto are no edges.)",
                flow=flow,
                step=step,
            )
    ending = _closure({COMPLETED}, _reversed(edges))
    for step in edges:
        if step not in ending:
            raise DefinitionError(
                "it is a dead end: no way leads from it to the end of the flow. Give it an edge "
                "that goes on, or end the flow there with to=[].",
                flow=flow,
                step=step,
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
