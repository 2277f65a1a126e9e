"""Whether stored instances fit the code of now, and bringing those of older versions up to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from engine.steps.places import Flows, alone, instances, visits
from flows.definition.forks import Fork
from flows.definition.migrations import Migration
from flows.flow import Flow
from flows.models import DoesNotFit
from flows.turns.instance import Branch, FlowInstance, Line, OpenFork


class CannotMigrate(Exception):
    """A migration failed on this instance; the message says why."""


def misfit(root: FlowInstance, flows: Flows) -> str | None:
    """Why the code cannot go on with the instance, or with one that it called; None: it can."""
    if alone(root) and (known := flows.get(root.flow)) is not None:
        return _misfit(root, known)
    for instance in instances(root):
        flow = flows.get(instance.flow)
        if flow is None:
            return f"no flow {instance.flow!r} is registered"
        if (reason := _misfit(instance, flow)) is not None:
            return (
                reason if instance is root else f"the flow {flow.name!r} that it called: {reason}"
            )
    return None


def migrated(root: FlowInstance, flows: Flows) -> FlowInstance:
    """The instance as one of the versions of now; itself, where nothing is to be done.

    Raises:
        CannotMigrate: a migration failed; the instance is as it was.
    """
    if not any(_steps(instance, flows) for instance in _all(root)):
        return root
    copy = deepcopy(root)
    for instance in list(instances(copy)):
        for migration in _steps(instance, flows):
            _apply(instance, migration)
        if (flow := flows.get(instance.flow)) is not None:
            instance.version = max(instance.version, flow.version)
    return copy


def _all(root: FlowInstance) -> Iterable[FlowInstance]:
    return (root,) if alone(root) else instances(root)


def versions(root: FlowInstance, flows: Flows) -> tuple[int, ...]:
    """The versions over which the instance itself would migrate."""
    return tuple(migration.from_ for migration in _steps(root, flows))


def _steps(instance: FlowInstance, flows: Flows) -> list[Migration]:
    flow = flows.get(instance.flow)
    if flow is None or instance.version >= flow.version:
        return []
    between = range(instance.version, flow.version)
    return [flow.migrations[version] for version in between if version in flow.migrations]


def _apply(instance: FlowInstance, migration: Migration) -> None:
    if migration.renamed:
        _rename_all(instance, migration.renamed)
    if migration.data is None:
        return
    before = instance.data
    instance.data = _changed(migration, before)
    for fork in _forks(instance):
        fork.before = {}
        for branch in fork.branches:
            branch.changed = _result(migration, branch, before, instance.data)
    for line in _lines(instance):  # what these hold are fields of the old data
        if line.visit is not None:
            line.visit.data = {}
        for past in line.history:
            past.undo = {}


def _changed(migration: Migration, data: dict[str, Any]) -> dict[str, Any]:
    if migration.data is None:
        return data
    try:
        changed = migration.data(deepcopy(data))
    except Exception as error:  # whatever the user's function raises: this instance waits for help
        raise CannotMigrate(
            f"the migration from version {migration.from_} failed: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(changed, dict):  # a function that changes what it is given, in place
        raise CannotMigrate(
            f"the migration from version {migration.from_} answered {changed!r}, not the data"
        )
    return changed


def _result(
    migration: Migration, branch: Branch, before: dict[str, Any], after: dict[str, Any]
) -> dict[str, Any]:
    """What a branch has written: of all data with it, what it is called now, or what differs."""
    if not branch.changed:
        return {}
    whole = _changed(migration, {**before, **branch.changed})
    return {
        name: value
        for name, value in whole.items()
        if name in branch.changed or name not in after or value != after[name]
    }


def _rename_all(instance: FlowInstance, names: Mapping[str, str]) -> None:
    for line in _lines(instance):
        _rename(line, names)
    for fork in _forks(instance):
        fork.after = names.get(fork.after, fork.after)
        if fork.focus is not None:
            fork.focus = names.get(fork.focus, fork.focus)
    instance.shelved = {fork.after: fork for fork in instance.shelved.values()}
    instance.spare = {_place(place, names): kept for place, kept in instance.spare.items()}


def _place(place: str, names: Mapping[str, str]) -> str:
    number, _, step = place.partition(".")
    return f"{number}.{names.get(step, step)}"


def _rename(line: Line, names: Mapping[str, str]) -> None:
    if isinstance(line, Branch):
        line.head = names.get(line.head, line.head)
    for past in line.history:
        past.step = names.get(past.step, past.step)
    visit = line.visit
    if visit is not None:
        visit.step = names.get(visit.step, visit.step)
        if visit.origin is not None:
            visit.origin = names.get(visit.origin, visit.origin)


def _forks(instance: FlowInstance) -> Iterator[OpenFork]:
    if instance.fork is not None:
        yield instance.fork
    yield from instance.shelved.values()
    yield from (past.fork for past in instance.history if past.fork is not None)


def _lines(instance: FlowInstance) -> Iterator[Line]:
    yield instance
    for fork in _forks(instance):
        yield from fork.branches


def _misfit(instance: FlowInstance, flow: Flow[Any, Any, Any]) -> str | None:
    if instance.version > flow.version:
        return f"it is of version {instance.version}, the code of version {flow.version}"
    for visit in visits(instance):
        if visit.step not in flow.code:
            return f"it is at step {visit.step}, which version {flow.version} does not have"
    if instance.fork is not None and not same_branches(flow.forks, instance.fork):
        return (
            f"it is in the fork after step {instance.fork.after}, which version "
            f"{flow.version} does not have with these branches"
        )
    try:
        flow.load(instance.data)
    except DoesNotFit as fault:
        return f"its data does not validate: field {fault.field!r}: {fault.reason}"
    return None


def same_branches(forks: Mapping[str, Fork], opened: OpenFork) -> bool:
    """Whether the code still has the fork, with these branches."""
    fork = forks.get(opened.after)
    return fork is not None and [one.head for one in opened.branches] == list(fork.heads)
