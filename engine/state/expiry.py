"""When instances expire: each thing that a person says gives them time anew."""

from __future__ import annotations

from engine.steps.places import Flows, Place, alone, instances
from flows.turns.instance import FlowInstance
from flows.turns.timing import milliseconds


def restart_silence(place: Place, now: int) -> None:
    """The person has said something: the time for silence starts anew, all the way up."""
    ttl = place.flow.ttl
    if ttl is not None:
        place.instance.silent = now + milliseconds(ttl)
    if place.parent is not None:
        restart_silence(place.parent, now)


def set_clocks(root: FlowInstance, flows: Flows, now: int) -> None:
    """The clocks of a run are those of the code of now: a deploy may have brought or taken one."""
    for instance in (root,) if alone(root) else instances(root):
        flow = flows[instance.flow]
        if (flow.ttl is None) != (instance.silent is None):
            instance.silent = None if flow.ttl is None else now + milliseconds(flow.ttl)
        if (flow.max_age is None) != (instance.oldest is None):
            age = flow.max_age
            instance.oldest = None if age is None else instance.started + milliseconds(age)


def add_pause(root: FlowInstance, pause: int) -> None:
    """An operator has looked at it for so long (milliseconds): that time does not count."""
    for instance in instances(root):
        if instance.silent is not None:
            instance.silent += pause
        if instance.oldest is not None:
            instance.oldest += pause
