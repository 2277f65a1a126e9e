"""Ending instances, with all that they have called; no hook can stop it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.steps import hooks
from engine.steps.entering import Then
from engine.steps.places import Place
from flows.turns.instance import FlowInstance, Line, Status
from flows.turns.visit import Answer, Visit

if TYPE_CHECKING:
    from engine.steps.walk import Walk


async def end(
    walk: Walk, place: Place, status: Status, *, cause: str, left: Visit | None = None
) -> Then | None:
    """The instance is over, with all that it has called; whoever called it goes on.

    Args:
        left: the step whose hook for leaving has run.
    """
    instance = place.instance
    await _close(walk, place.main(), status, cause=cause, left=left)
    if place.parent is None:
        walk.stage.ended.append(instance)
        return None
    visit = place.parent.visit
    visit.child = None
    completed = status is Status.COMPLETED
    value = {"data": instance.data} if completed else {"cancelled": cause}
    visit.answers.append(Answer(f"call {place.flow.name}", visit.call_key, value))
    return Then(place.parent, fresh=True, replay=True)


async def _close(
    walk: Walk, place: Place, status: Status, *, cause: str, left: Visit | None
) -> None:
    """Ends an instance, inner ones first; no hook can stop it."""
    instance, flow, stage = place.instance, place.flow, walk.stage
    last = last_visit(place)
    for line in [*instance.lines(), *_shelved(instance)]:
        await drop(walk, place.on(line), left=left)
    stage.moved(instance, instance.step or None, None, cause)
    instance.status = status
    own = flow.hooks.complete if status is Status.COMPLETED else flow.hooks.cancel
    name = "on_complete" if status is Status.COMPLETED else "on_cancel"
    await hooks.run_contained(stage, place, own, last, name=name)
    await hooks.run_contained(stage, place, flow.hooks.exit, last, name="on_exit")


def _shelved(instance: FlowInstance) -> Iterator[Line]:
    """The branches that the person went back out of, and that were not gone on with."""
    return (branch for fork in instance.shelved.values() for branch in fork.branches)


async def drop(walk: Walk, place: Place, *, left: Visit | None = None) -> None:
    """A line is not gone on with: what it has called is cancelled, and its step is left."""
    visit = place.line.visit
    if visit is None:
        return
    await drop_called(walk, place)
    if visit is left:
        return
    hook = place.flow.code[visit.step].on_leave
    await hooks.run_contained(walk.stage, place, hook, visit, name="on_leave")


async def drop_called(walk: Walk, place: Place) -> None:
    """What the step has called is cancelled, and the step not told."""
    visit = place.line.visit
    if visit is None or visit.child is None:
        return
    called = place.called(visit.child, walk.stage.flows[visit.child.flow])
    await _close(walk, called, Status.CANCELLED, cause="cancelled", left=None)
    visit.child = None


def last_visit(place: Place) -> Visit:
    """The visit that hooks stand at which belong to no step."""
    visit = next((line.visit for line in place.instance.lines() if line.visit is not None), None)
    if visit is not None:
        return visit
    fork = place.instance.fork
    return Visit(0, fork.after if fork is not None else place.flow.initial.name)
