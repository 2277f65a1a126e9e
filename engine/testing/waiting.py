"""What a conversation waits for, as far as the explorer needs to know. Only this module looks into
the stored state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from engine.state import Conversation
from engine.testing.channel import SOURCE
from flows.conversation import Address, ConversationKey
from flows.inputs import Input, input_from_json
from flows.instance import FlowInstance
from flows.ports import FlowStorage
from flows.visit import Visit


@dataclass(frozen=True, slots=True)
class Question:
    """A question by its place: the flow, the step, and how many were answered there before."""

    flow: str
    step: str
    position: int

    def __str__(self) -> str:
        nth = f", question {self.position + 1}" if self.position else ""
        return f"flow {self.flow!r}, step {self.step}{nth}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a running instance stands, and what it waits for there.

    Attributes:
        instance: the id of the instance.
        inputs: what is accepted.
        state: all that an answer could have changed, as a text to be compared.
        waits: an answer, an operator or an outside event can take it on.
    """

    instance: str
    question: Question
    inputs: tuple[Input[Any], ...]
    state: str
    waits: bool


async def places(storage: FlowStorage, *, by: str, chat: str) -> tuple[Place, ...]:
    """Where a person's conversation stands; first what takes free input."""
    key = str(ConversationKey(Address(SOURCE, chat), by))
    snapshot = (await storage.load([key])).get(key)
    if snapshot is None:
        return ()
    conversation = Conversation.decode(key, snapshot.state)
    return tuple(place for one in reversed(conversation.stack) for place in _places(one))


def _places(instance: FlowInstance, outer: str = "") -> Iterator[Place]:
    """The leaves of an instance, which is a tree: only they wait."""
    for line in instance.lines():
        visit = line.visit
        if visit is None:
            continue
        state = f"{outer}{visit.step} {len(visit.answers)} " + _json([visit.scene, instance.data])
        if visit.child is not None:
            yield from _places(visit.child, f"{state} ")
        else:
            yield _place(instance, visit, state)


def _place(instance: FlowInstance, visit: Visit, state: str) -> Place:
    waiting = visit.waiting
    return Place(
        instance.id,
        Question(instance.flow, visit.step, len(visit.answers)),
        tuple(input_from_json(stored) for stored in waiting.inputs) if waiting else (),
        state,
        waiting is not None or visit.escalated is not None,
    )


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
