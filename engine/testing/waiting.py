"""What a conversation waits for, as far as the explorer needs to know. Only this module looks into
the stored state.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from engine.state.conversation import Conversation
from engine.turns.scopes import scopes_of
from flows.inputs import Input, Outside, input_from_json
from flows.keys import Key
from flows.ports import FlowStorage
from flows.turns.instance import FlowInstance
from flows.turns.visit import Visit
from flows.updates import Update


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
        several: it takes the answers of several people.
    """

    instance: str
    question: Question
    inputs: tuple[Input[Any], ...]
    state: str
    waits: bool
    several: bool

    @property
    def answerable(self) -> bool:
        """Whether one person's answer is enough, and not several, an operator, or an event."""
        return not self.several and any(not isinstance(one, Outside) for one in self.inputs)


async def places(storage: FlowStorage, update: Update, keys: Collection[Key]) -> list[Place]:
    """Where the conversations stand that an update belongs to; first what takes free input.

    Args:
        keys: what the registered flows are keyed by.
    """
    scopes = [scope.key for scope in scopes_of(update, keys)]
    found = await storage.load(scopes)
    stacks = [Conversation.decode(key, found[key].state).stack for key in scopes if key in found]
    return [place for stack in stacks for one in reversed(stack) for place in _places(one)]


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
        waiting is not None and waiting.poll is not None,
    )


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
