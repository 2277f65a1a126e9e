"""Calling flows out of steps."""

from __future__ import annotations

from engine.state.expiry import restart_silence
from engine.steps.entering import Then, enter
from engine.steps.places import Place
from engine.steps.running import StepFailed
from engine.turns.stage import Stage, new_instance
from flows.errors import TooDeep, UnknownFlow
from flows.turns.journal import Calling

DEPTH_LIMIT = 16
"""How deep flows may call each other."""


def call(stage: Stage, place: Place, calling: Calling) -> Then:
    """Starts the flow that the step has called.

    Raises:
        StepFailed: it is not registered, or too many have called each other.
    """
    flow, visit = calling.flow, place.visit
    if stage.flows.get(flow.name) is not flow:
        raise StepFailed(UnknownFlow(flow.name, stage.flows))
    if place.depth + 1 >= DEPTH_LIMIT:
        raise StepFailed(TooDeep(place.flow.name, visit.step, DEPTH_LIMIT))
    child = new_instance(
        flow,
        id=f"{place.root.id}-{place.root.count()}",
        data=calling.data,
        now=stage.now,
        origin=place.root.origin,
    )
    child.spare = place.root.take_for_called(child.id)
    child.assignee = place.instance.assignee
    child.payload = place.instance.payload
    visit.waiting, visit.asked = None, True
    visit.child, visit.call_key = child, calling.key
    restart_silence(place.called(child, flow), stage.now)
    return enter(stage, place.called(child, flow), flow.initial.name, cause="call")
