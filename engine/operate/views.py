"""What operators see: instances a page at a time, and one of them closely."""

from __future__ import annotations

from dataclasses import dataclass

from engine.operate.lookup import listed, row_of, state_of
from flows.messages.replies import Send, send_from_json
from flows.ports import FlowStorage, InstanceRow, Query, TransitionRow
from flows.turns.instance import FlowInstance

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
        parked: the chat of its conversation is closed to the bot, as far as is known.
    """

    row: InstanceRow
    instance: FlowInstance | None
    timers: tuple[Due, ...]
    moves: tuple[TransitionRow, ...]
    parked: bool = False


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that is on its way.

    Attributes:
        send: what is sent.
        state: ``new``, or ``later`` where it was tried.
        due: when it may go (ms); 0: at once.
    """

    send: Send
    state: str
    tries: int
    due: int


@dataclass(frozen=True, slots=True)
class Unhandled:
    """An update that waits for its turn: its kind, when it came (ms), how often it was begun."""

    kind: str
    at: int
    tries: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is on its way to a conversation and from it, the oldest first, up to a page of each."""

    unsent: tuple[Unsent, ...]
    unhandled: tuple[Unhandled, ...]


async def traffic(storage: FlowStorage, key: str) -> Traffic:
    """What is on its way to and from a conversation."""
    outbox = await storage.inspect(Query(what="outbox", conv=key))
    inbox = await storage.inspect(Query(what="inbox", conv=key))
    return Traffic(
        tuple(
            Unsent(send_from_json(row["body"]), row["state"], row["tries"], row["due"])
            for row in outbox.rows
        ),
        tuple(Unhandled(row["kind"], row["at"], row["tries"]) for row in inbox.rows),
    )


async def page(storage: FlowStorage, query: Query) -> InstancePage:
    """A page of instances."""
    found = await storage.inspect(query)
    return InstancePage(tuple(map(listed, found.rows)), found.next)


async def view(storage: FlowStorage, instance: str, moves: int = MOVES) -> InstanceView:
    """A close look.

    Raises:
        UnknownInstance: there is none of that id.
        CorruptState: its conversation cannot be read.
    """
    row = await row_of(storage, instance)
    conversation = await state_of(storage, row.conv)
    stored = next((one for one in conversation.instances() if one.id == instance), None)
    timers = await storage.inspect(Query(what="timers", conv=row.conv))
    log = await storage.inspect(Query(what="transitions", instance=instance, limit=moves))
    return InstanceView(
        row,
        stored,
        tuple(Due(timer["name"], timer["due"]) for timer in timers.rows) if stored else (),
        tuple(TransitionRow(**move) for move in log.rows),
        parked=stored is not None and conversation.parked,
    )
