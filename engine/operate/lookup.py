"""Finding instances in the committed state, and what they wait for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from secrets import compare_digest
from typing import Any

from engine.operate.homes import Home, home_of
from engine.state.conversation import Conversation
from flows.errors import UnknownConversation, UnknownInstance
from flows.ports import FlowStorage, InstanceRow, Query
from flows.turns.instance import FlowInstance
from flows.turns.visit import Escalation, Visit

NEAR = 1000
"""How many of the newest instances are looked through for ids that look alike."""


@dataclass(frozen=True, slots=True)
class Found:
    """A live instance, as committed, and where its conversation is to be reached."""

    instance: FlowInstance
    home: Home


async def row_of(storage: FlowStorage, instance: str) -> InstanceRow:
    """The listed row of an instance, over or not.

    Raises:
        UnknownInstance: there is none of that id.
    """
    rows = (await storage.inspect(Query(what="instances", instance=instance, limit=1))).rows
    if not rows:
        live = await storage.inspect(Query(what="instances", live=True, limit=NEAR))
        raise UnknownInstance(instance, running=[row["id"] for row in live.rows])
    return listed(rows[0])


async def find(storage: FlowStorage, instance: str) -> Found:
    """A live instance.

    Raises:
        UnknownInstance: it is over, or there is none of that id.
        UnknownConversation: it is not known in which chat it is.
        CorruptState: its conversation cannot be read.
    """
    row = await row_of(storage, instance)
    conversation = await state_of(storage, row.conv)
    for one in conversation.instances():
        if one.id == instance:
            return Found(one, home_of(row.conv, conversation.chat))
    raise UnknownInstance(instance, ended=row.status)


async def state_of(storage: FlowStorage, key: str) -> Conversation:
    """A conversation as committed; an empty one where there is none.

    Raises:
        CorruptState: it cannot be read.
    """
    snapshot = (await storage.load([key])).get(key)
    return Conversation.decode(key, snapshot.state if snapshot is not None else None)


async def home_where_something_runs(storage: FlowStorage, key: str) -> Home:
    """Where a conversation is to be reached in which something runs, or is set aside.

    Raises:
        UnknownConversation: there is nothing to be ended in it, or it is no key.
    """
    conversation = await state_of(storage, key)
    home = home_of(key, conversation.chat)
    if not conversation.instances():
        raise UnknownConversation(key)
    return home


def visits(root: FlowInstance) -> Iterator[Visit]:
    """The steps in which an instance is now: of all open branches, and of the flows called."""
    for line in root.lines():
        if line.visit is None:
            continue
        yield line.visit
        if line.visit.child is not None:
            yield from visits(line.visit.child)


def escalation_of(instance: FlowInstance) -> Escalation | None:
    """What an operator has to decide, if the instance waits for one."""
    return next((visit.escalated for visit in visits(instance) if visit.escalated), None)


def waits_with(instance: FlowInstance, ticket: str) -> bool:
    """Whether the instance waits for the outside event of that ticket."""
    return any(
        compare_digest(visit.waiting.ticket.encode(), ticket.encode("utf-8", "replace"))
        for visit in visits(instance)
        if visit.waiting is not None and visit.waiting.ticket is not None
    )


def occupation(instance: FlowInstance) -> str:
    """What an instance does that waits for no operator, in a few words."""
    if any(visit.waiting and visit.waiting.ticket for visit in visits(instance)):
        return f"at step {instance.step} it waits for an outside event, by its ticket"
    return f"at step {instance.step} it waits for its person"


def listed(row: Mapping[str, Any]) -> InstanceRow:
    """A row of the listing of instances."""
    return InstanceRow(**row)
