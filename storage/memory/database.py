"""The tables as dictionaries; several handles may share one database, as workers do.

Rows that only this package touches can change in place. What goes in or out of the port is
frozen, so nothing that a caller holds is ever the stored object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from flows.conversation import PARTITIONS
from flows.ports import (
    Fence,
    InboxRow,
    InstanceRow,
    PendingRow,
    Snapshot,
    TimerRow,
    TransitionRow,
)
from storage.clock import Milliseconds, VersionClock, system_clock
from storage.leases import Partition, still_held
from storage.wakes import Wakes


@dataclass(slots=True)
class Scope:
    """A conversation's state, and whom it belongs to."""

    snapshot: Snapshot
    person: str | None


@dataclass(slots=True)
class Cause:
    """An inbox row; ``done`` is when it was handled. Body and notes are emptied then."""

    seq: int
    row: InboxRow
    notes: str | None = None
    tries: int = 0
    done: int | None = None

    @property
    def conv(self) -> str | None:
        """The conversation, if it has one."""
        return self.row.conv

    def pending(self) -> PendingRow:
        """The row as it is handed out."""
        row = self.row
        return PendingRow(
            seq=self.seq,
            source=row.source,
            ext=row.ext,
            part=row.part,
            conv=row.conv,
            kind=row.kind,
            body=row.body,
            notes=self.notes,
            at=row.at,
            tries=self.tries,
        )


@dataclass(slots=True)
class Message:
    """An outbox row. ``due`` is when it may go; once it is settled, when that was."""

    seq: int
    part: int
    chat: str
    conv: str
    turn: int
    n: int
    slot: str | None
    body: str | None
    state: str = "new"
    tries: int = 0
    due: int = 0

    @property
    def name(self) -> tuple[str, int, int]:
        """What it is called from outside."""
        return (self.conv, self.turn, self.n)


@dataclass(slots=True)
class Timer:
    """A timer that is set; ``id`` names this setting of it."""

    id: str
    row: TimerRow


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead letter; ``row`` is the cause or the message that it was."""

    id: int
    part: int
    conv: str | None
    origin: str
    body: str
    error: str
    tries: int
    at: int
    row: InboxRow | Message


@dataclass(slots=True)
class MemoryDatabase:
    """Everything that is stored. ``undone`` and ``unsent`` are the live part of two tables."""

    clock: Milliseconds = system_clock
    partitions: list[Partition] = field(
        default_factory=lambda: [Partition(part, None, 0, 0) for part in range(PARTITIONS)]
    )
    scopes: dict[str, Scope] = field(default_factory=dict)
    instances: dict[tuple[str, str], InstanceRow] = field(default_factory=dict)
    inbox: dict[int, Cause] = field(default_factory=dict)
    accepted: dict[tuple[str, str], int] = field(default_factory=dict)
    undone: dict[int, Cause] = field(default_factory=dict)
    outbox: dict[tuple[str, int, int], Message] = field(default_factory=dict)
    unsent: dict[int, Message] = field(default_factory=dict)
    messages: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    timers: dict[tuple[str, str], Timer] = field(default_factory=dict)
    transitions: dict[tuple[str, int, int], TransitionRow] = field(default_factory=dict)
    dead: dict[int, Dead] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    handles: list[Wakes] = field(default_factory=list)
    versions: VersionClock = field(init=False)
    last_cause: int = 0
    last_message: int = 0
    last_dead: int = 0

    def __post_init__(self) -> None:
        self.versions = VersionClock(self.clock)

    def held(self, fence: Fence, among: Iterable[int] | None = None) -> set[int]:
        """The partitions of the fence that still are its worker's, at its epochs.

        ``among``: only these are asked for.
        """
        asked = self.partitions if among is None else [self.partitions[part] for part in among]
        mine = ((row.part, row.epoch) for row in asked if row.owner == fence.worker)
        return set(still_held(fence, mine))

    def put_cause(self, row: InboxRow) -> int | None:
        """Stores an inbox row, unless it was there before."""
        name = (row.source, row.ext)
        # A duplicate uses up a number, as in databases: nobody may count on there being no gap.
        self.last_cause += 1
        if name in self.accepted:
            return None
        cause = Cause(self.last_cause, row)
        self.accepted[name] = cause.seq
        self.inbox[cause.seq] = self.undone[cause.seq] = cause
        return cause.seq

    def end_cause(self, seq: int) -> Cause:
        """Marks an undone cause as done and empties it. Answers it."""
        cause = self.undone.pop(seq)
        cause.row = replace(cause.row, body="")
        cause.notes = None
        cause.done = self.clock()
        return cause

    def put_message(self, message: Message) -> None:
        """Puts a message at the end of its chat's queue."""
        self.outbox[message.name] = self.unsent[message.seq] = message

    def next_message(self) -> int:
        """The place of a new message in the outbox."""
        self.last_message += 1
        return self.last_message

    def end_message(self, message: Message, state: str) -> None:
        """Marks a message as sent or dead and empties it."""
        del self.unsent[message.seq]
        message.body = None
        message.state = state
        message.due = self.clock()

    def put_dead(self, dead: Dead) -> None:
        """Stores a dead letter."""
        self.dead[dead.id] = dead

    def next_dead(self) -> int:
        """The id of a new dead letter; never one that there was."""
        self.last_dead += 1
        return self.last_dead

    def live_convs(self) -> set[str]:
        """The conversations that have an instance that has not ended."""
        return {row.conv for row in self.instances.values() if row.ended is None}

    def convs(self) -> Iterator[str | None]:
        """Every conversation that any row names, with repetitions."""
        yield from self.scopes
        for table in (self.instances, self.messages, self.timers, self.outbox, self.transitions):
            yield from (name[0] for name in table)
        yield from (cause.conv for cause in self.inbox.values())
        yield from (dead.conv for dead in self.dead.values())
