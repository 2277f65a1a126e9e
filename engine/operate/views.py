"""What operators see: instances a page at a time, and one of them closely."""

from __future__ import annotations

from dataclasses import dataclass

from engine.operate.lookup import listed, row_of, state_of
from flows.instance import FlowInstance
from flows.ports import FlowStorage, InstanceRow, Query, TransitionRow

MOVES = 20
"""How many of the last moves a close look shows."""


@dataclass(frozen=True, slots=True)
class InstancePage:
    """Instances, the one that moved last first; ``next`` is where to go on, or None."""

    rows: tuple[InstanceRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """A timer that is set for a conversation: its name, and when it fires (ms)."""

    name: str
    due: int


@dataclass(frozen=True, slots=True)
class InstanceView:
    """An instance, looked at closely.

    Attributes:
        row: how it is listed.
        instance: all that is kept of it while it lives; None: it is over.
        timers: those of its conversation, the next one first.
        moves: its last moves, the newest first.
    """

    row: InstanceRow
    instance: FlowInstance | None
    timers: tuple[Due, ...]
    moves: tuple[TransitionRow, ...]


async def page(storage: FlowStorage, query: Query) -> InstancePage:
    """A page of instances."""
    found = await storage.inspect(query)
    return InstancePage(tuple(map(listed, found.rows)), found.next)


async def view(storage: FlowStorage, instance: str) -> InstanceView:
    """A close look.

    Raises:
        UnknownInstance: there is none of that id.
        CorruptState: its conversation cannot be read.
    """
    row = await row_of(storage, instance)
    conversation = await state_of(storage, row.conv)
    stored = next((one for one in conversation.instances() if one.id == instance), None)
    timers = await storage.inspect(Query(what="timers", conv=row.conv))
    moves = await storage.inspect(Query(what="transitions", instance=instance, limit=MOVES))
    return InstanceView(
        row,
        stored,
        tuple(Due(timer["name"], timer["due"]) for timer in timers.rows) if stored else (),
        tuple(TransitionRow(**move) for move in moves.rows),
    )
