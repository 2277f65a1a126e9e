"""The checks of a definition, each naming the cause."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence

from flows.chart import COMPLETED
from flows.errors import DefinitionError
from flows.inputs import Input
from flows.replies import Reply


def call_refusal(function: object, *parameters: str) -> str | None:
    """Why this is no async function of these parameters; None where it is one."""
    wanted = f"async def ({', '.join(parameters)})"
    called = getattr(function, "__call__", None)  # noqa: B004 - the method itself is inspected
    if isinstance(function, type) or not callable(function):
        return f"must be '{wanted}', not {function!r}"
    if not inspect.iscoroutinefunction(function) and not inspect.iscoroutinefunction(called):
        return f"{function!r} must be '{wanted}'; it is not async"
    try:
        inspect.signature(function).bind(*parameters)
    except TypeError as error:
        return f"{function!r} must be '{wanted}': called like that, there is {error}"
    return None


def saying_refusal(text: object) -> str | None:
    """Why nothing can be said with this; None where something can."""
    said = text.text if isinstance(text, Reply) else text
    if not isinstance(said, str) or not said.strip():
        return f"it says {text!r}, which no channel can send. Give it a text."
    return None


def question_refusal(prompt: object, accept: object) -> str | None:
    """Why this cannot be asked; None where it can."""
    if not isinstance(accept, Input):
        example = f"{accept.__name__}()" if isinstance(accept, type) else "Text()"
        return f"it asks for {accept!r}, which is no input. Write one such as {example}."
    return saying_refusal(prompt)


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
