"""Whether stored instances fit the code, and what migrations would make of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from engine.operate.lookup import called
from flows.flow import Flow
from flows.instance import FlowInstance, Line
from flows.migrations import Migration

Flows = Mapping[str, Flow[Any, Any, Any]]


class CannotMigrate(Exception):
    """A migration failed on this instance; the message says why."""


def misfit(root: FlowInstance, flows: Flows) -> str | None:
    """Why the code cannot go on with the instance, or with one that it called; None: it can."""
    for instance in instances(root):
        flow = flows.get(instance.flow)
        if flow is None:
            return f"no flow {instance.flow!r} is registered"
        if (reason := flow.misfit(instance)) is not None:
            return (
                reason if instance is root else f"the flow {flow.name!r} that it called: {reason}"
            )
    return None


def migrated(root: FlowInstance, flows: Flows) -> FlowInstance:
    """The instance as one of the versions of now; the one that is given stays as it is.

    Raises:
        CannotMigrate: a migration failed.
    """
    copy = deepcopy(root)
    for instance in instances(copy):
        for version in versions(instance, flows):
            _apply(instance, flows[instance.flow].migrations[version])
            instance.version = version + 1
    return copy


def versions(root: FlowInstance, flows: Flows) -> tuple[int, ...]:
    """The versions over which the instance itself would migrate."""
    flow = flows.get(root.flow)
    if flow is None:
        return ()
    return tuple(
        version for version in range(root.version, flow.version) if version in flow.migrations
    )


def instances(root: FlowInstance) -> Iterator[FlowInstance]:
    """The instance, and those that it has called."""
    yield root
    for child in called(root):
        yield from instances(child)


def _apply(instance: FlowInstance, migration: Migration) -> None:
    for line in instance.lines():
        _rename(line, migration.renamed)
    if migration.data is None:
        return
    try:
        instance.data = migration.data(deepcopy(instance.data))
    except Exception as error:  # whatever the user's function raises: this instance waits for help
        raise CannotMigrate(
            f"the migration from version {migration.from_} failed: {type(error).__name__}: {error}"
        ) from error


def _rename(line: Line, renamed: Mapping[str, str]) -> None:
    if line.visit is not None:
        line.visit.step = renamed.get(line.visit.step, line.visit.step)
    for past in line.history:
        past.step = renamed.get(past.step, past.step)
