"""A flow in one line, as ``handrail check`` lists it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flows.definition.chart import COMPLETED
from flows.flow import Flow


def summary(flow: Flow[Any, Any, Any]) -> str:
    """Name, version, start and steps; forks, called flows and migrations, where there are any."""
    return "; ".join(
        [
            f"{flow.name}: version {flow.version}, starts at {flow.initial.name}, "
            f"steps: {', '.join(flow.table)}",
            *_forks(flow),
            *_children(flow),
            *_migrations(flow),
        ]
    )


def _forks(flow: Flow[Any, Any, Any]) -> Iterator[str]:
    for fork in flow.forks.values():
        join = "the end" if fork.join == COMPLETED else fork.join
        need = "all" if fork.needs_all else str(fork.need)
        yield f"fork after {fork.after}: {need} of {', '.join(fork.heads)}, then {join}"


def _children(flow: Flow[Any, Any, Any]) -> Iterator[str]:
    if flow.children:
        yield f"calls {', '.join(child.name for child in flow.children)}"


def _migrations(flow: Flow[Any, Any, Any]) -> Iterator[str]:
    if flow.migrations:
        yield f"migrates from version {', '.join(map(str, sorted(flow.migrations)))}"
