"""What a turn knows that nobody but the person and the flow should read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from pydantic import BaseModel

from engine.plain.flow import PlainCall
from engine.steps.places import Flows, instances, visits
from engine.turns.dialogue import Dialogue
from flows.sensitive import sensitive_fields, spoken
from flows.turns.instance import FlowInstance
from flows.turns.turn import Turn
from flows.turns.visit import Visit
from flows.updates import Command, Opened, Order, Press, SendFailed, TimerFired, Update

INNOCENT = frozenset({"kind", "user", "own", "button"})
"""Fields of an update that say nothing that is not in its address."""


def of_update(update: Update) -> Iterator[str]:
    """What the person has just said: it may be meant for a ``Sensitive`` field."""
    match update.content:
        case Press() | Opened() | TimerFired() | SendFailed():
            return
        case Order(data=data, payload=payload):
            yield from spoken([data, payload])
        case Command(args=args):
            yield from (args, *args.split())
        case content:
            yield from _of_content(orjson.loads(orjson.dumps(content)))


def _of_content(told: Mapping[str, Any]) -> Iterator[str]:
    yield from spoken({name: told[name] for name in told if name not in INNOCENT})


def of_turn(dialogue: Dialogue) -> list[str]:
    """All that the turn knows: what was just said, and what flows with ``Sensitive`` fields hold
    in those, or were told in the steps that are not left yet.
    """
    known = list(of_update(dialogue.update))
    flows = dialogue.stage.flows
    for root in (*_roots(dialogue), *dialogue.ended):
        known += _of_instance(root, flows)
    for lent in dialogue.stage.live or ():
        known += _of_model(lent.session)
        if isinstance(lent, Turn):
            known += _of_model(lent.data)
    if dialogue.bot.session is not None:
        known += _marked(dialogue.bot.session, dialogue.session.value)
    return known + list(_of_states(dialogue))


def _of_states(dialogue: Dialogue) -> Iterator[str]:
    model = dialogue.bot.fsm.data
    if model is None:
        return
    for data in dialogue.machine.written:  # also where that was taken back
        yield from _marked(model, data)
    for conversation in dialogue.conversations.by_key.values():
        if conversation.fsm is not None:
            yield from _marked(model, conversation.fsm.get("data", {}))


def _roots(dialogue: Dialogue) -> Iterator[FlowInstance]:
    for conversation in dialogue.conversations.by_key.values():
        yield from conversation.instances()


def of_instance(root: FlowInstance, flows: Flows) -> list[str]:
    """What an instance holds of that kind, and those that it has called."""
    return list(_of_instance(root, flows))


def _of_instance(root: FlowInstance, flows: Flows) -> Iterator[str]:
    for one in instances(root):
        flow = flows.get(one.flow)
        if flow is None:  # what nobody knows may all be meant
            yield from spoken(one.data)
        elif flow.data is PlainCall:  # it may put what it is told into session and state
            yield from _of_content(one.data.get("update", {}).get("content", {}))
            for visit in visits(one):
                yield from _told(visit)
        elif sensitive_fields(flow.data):
            yield from _marked(flow.data, one.data)
            if one.pending is not None:
                yield from _marked(flow.data, one.pending.data)
            if one.started_by is not None:
                yield from _of_content(one.started_by)
            for visit in visits(one):
                yield from _marked(flow.data, visit.data)
                yield from _told(visit)


def _told(visit: Visit) -> Iterator[str]:
    """What a step was told, and has not put into the data yet."""
    yield from spoken([answer.value for answer in visit.answers])
    yield from spoken([result.value for result in visit.once.values()])
    yield from spoken(visit.scene)
    if visit.given is not None:
        yield from spoken(visit.given.value)
    if visit.waiting is not None:
        yield from spoken(visit.waiting.drafts)
        yield from spoken(visit.waiting.poll.answers if visit.waiting.poll else None)


def _marked(model: type[BaseModel], data: Mapping[str, Any]) -> Iterator[str]:
    for name in sensitive_fields(model):
        yield from spoken(data.get(name))


def _of_model(data: object) -> Iterator[str]:
    """Of a model that a handler is at work on, whatever it has put into it."""
    if isinstance(data, BaseModel):
        for name in sensitive_fields(type(data)):
            yield from _loose(getattr(data, name, None))


def _loose(value: object) -> Iterator[str]:
    match value:
        case BaseModel():
            yield from _each(value.__dict__.values())
        case dict():
            yield from _each(value.values())
        case list() | tuple() | set() | frozenset():
            yield from _each(value)
        case _:
            yield from spoken(value)


def _each(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        yield from _loose(value)
