"""Writing down what a step, or a hook, has changed in data and session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.steps.places import Place
from engine.steps.transitions import restored
from engine.turns.stage import Stage, keep_entry_data
from flows.turns.instance import Past
from flows.turns.visit import Visit


def settle(
    stage: Stage,
    place: Place,
    visit: Visit,
    *,
    data: Any,
    session: Any,
    as_of_entry: bool = True,
) -> dict[str, Any]:
    """Writes the fields that were changed over data and session, and answers the values that
    the data had in them.

    Args:
        as_of_entry: it was the data as of the entry of the step that was changed, as steps see
            it; else the data of now, as hooks do.

    Raises:
        InvalidData: the data does not validate, or is no JSON.
        InvalidSession: the same of the session.
    """
    instance = place.instance
    current = instance.data
    before = {**current, **visit.data} if as_of_entry and visit.data else current
    written = place.flow.settle(visit.step, before=before, after=data, current=current)
    if session is not None:
        stage.keep_session(session, but=visit)  # the last that can fail
    after = instance.data = written.data
    if written.model is not None:
        instance.loaded = after, written.model
    names = set(written.changed)
    for name, value in after.items():
        if value != current.get(name, ...):
            names.add(name)
    if not names:
        return {}
    replaced = {name: current[name] for name in names if name in current}
    if instance.fork is not None or instance.shelved:
        keep_entry_data(instance, replaced, but=visit)
        _note_result(place, {name: after[name] for name in names if name in after}, replaced)
    return replaced


def undoing(stage: Stage, place: Place) -> Callable[[], None]:
    """What undoes whatever is settled there from now on."""
    instance, branch, fork = place.instance, place.branch, place.instance.fork
    data, session = instance.data, stage.session.value
    changed = branch.changed.copy() if branch is not None else {}
    before = fork.before if fork is not None else {}

    def undo() -> None:
        instance.data, stage.session.value = data, session
        if branch is not None and fork is not None:
            branch.changed, fork.before = changed, before

    return undo


def _note_result(place: Place, changed: dict[str, Any], before: dict[str, Any]) -> None:
    """What a branch changes is its result."""
    fork = place.instance.fork
    if place.branch is None or fork is None:
        return
    place.branch.changed.update(changed)
    fork.before = {**before, **fork.before}


def take_back(place: Place, undone: list[Past]) -> None:
    """Takes back what undone steps wrote into the data; the newest of them is the last."""
    instance, branch, fork = place.instance, place.branch, place.instance.fork
    old, instance.data = instance.data, restored(instance.data, undone)
    before = {name: old[name] for name in old if instance.data.get(name) != old[name]}
    keep_entry_data(instance, before, but=place.visit)
    if branch is None or fork is None:
        return
    for name in before.keys() & branch.changed.keys():
        value = branch.changed[name] = instance.data[name]
        if value == fork.before.get(name):
            del branch.changed[name]
