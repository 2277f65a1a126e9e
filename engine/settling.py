"""Writing down what a step, or a hook, has changed in data and session."""

from __future__ import annotations

from typing import Any

from engine.places import Place
from engine.stage import Stage, keep_entry_data
from engine.transitions import restored
from flows.instance import Past
from flows.visit import Visit


def settle(stage: Stage, place: Place, visit: Visit, *, data: Any, session: Any) -> dict[str, Any]:
    """Writes the fields that were changed over data and session, and answers the values that
    the data had in them.

    Raises:
        InvalidData: the data does not validate, or is no JSON.
        InvalidSession: the same of the session.
    """
    instance = place.instance
    current = instance.data
    after, changed = place.flow.settle(
        visit.step, before={**current, **visit.data}, after=data, current=current
    )
    stage.keep_session(session, but=visit)  # the last that can fail
    instance.data = after
    names = {*changed, *(name for name in after if after[name] != current.get(name, ...))}
    if not names:
        return {}
    before = {name: current[name] for name in names if name in current}
    keep_entry_data(instance, before, but=visit)
    _note_result(place, {name: after[name] for name in names if name in after}, before)
    return before


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
