"""The tables as dictionaries; several handles may share one database, as workers do.

Rows that only this package touches can change in place. What goes in or out of the port is
frozen, so nothing that a caller holds is ever the stored object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flows.conversation import PARTITIONS
from flows.ports import (
    AuditRow,
    Fence,
    InboxRow,
    InstanceRow,
    Line,
    LineRow,
    PendingRow,
    Snapshot,
    TimerRow,
    TransitionRow,
)
from flows.records import record
from storage.clock import Milliseconds, VersionClock, system_clock
from storage.leases import Partition
from storage.wakes import Wakes


@record(slots=True)
class Scope:
    """A conversation's state, and whom it belongs to."""

    snapshot: Snapshot
    person: str | None


@record(slots=True)
class Cause:
    """An inbox row; ``done`` is when it was handled. Body and notes are emptied then."""

    seq: int
    source: str
    ext: str
    part: int
    conv: str | None
    kind: str
    body: str
    at: int
    notes: str | None = None
    tries: int = 0
    done: int | None = None

    @property
    def row(self) -> InboxRow:
        """The row as it was handed in, but for what was emptied."""
        return InboxRow(
            source=self.source,
            ext=self.ext,
            part=self.part,
            conv=self.conv,
            kind=self.kind,
            body=self.body,
            at=self.at,
        )

    def pending(self) -> PendingRow:
        """The row as it is handed out."""
        return PendingRow(
            seq=self.seq,
            source=self.source,
            ext=self.ext,
            part=self.part,
            conv=self.conv,
            kind=self.kind,
            body=self.body,
            notes=self.notes,
            at=self.at,
            tries=self.tries,
        )


@record(slots=True)
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


@record(slots=True)
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


@dataclass(frozen=True, slots=True)
class Audited:
    """What an operator did; ``id`` is its number."""

    id: int
    at: int
    who: str
    what: str
    target: str
    detail: str
    conv: str | None


@record(slots=True)
class MemoryDatabase:
    """Everything that is stored. ``undone`` and ``unsent`` are the live part of two tables."""

    clock: Milliseconds = system_clock
    partitions: list[Partition] = field(
        default_factory=lambda: [Partition(part, None, 0, 0) for part in range(PARTITIONS)]
    )
    workers: dict[str, int] = field(default_factory=dict)
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
    lines: dict[tuple[str, str, str], Line] = field(default_factory=dict)
    audit: dict[int, Audited] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    handles: list[Wakes] = field(default_factory=list)
    versions: VersionClock = field(init=False)
    last_cause: int = 0
    last_message: int = 0
    last_dead: int = 0
    last_audit: int = 0

    def __post_init__(self) -> None:
        self.versions = VersionClock()

    def held(self, fence: Fence, among: Iterable[int] | None = None) -> set[int]:
        """The partitions of the fence that still are its worker's, at its epochs.

        ``among``: only these are asked for.
        """
        worker, epochs, held = fence.worker, fence.epochs, set()
        for part in range(PARTITIONS) if among is None else among:
            row = self.partitions[part]
            if row.owner == worker and epochs.get(part) == row.epoch:
                held.add(part)
        return held

    def put_cause(self, row: InboxRow) -> int | None:
        """Stores an inbox row, unless it was there before."""
        name = (row.source, row.ext)
        # A duplicate uses up a number, as in databases: nobody may count on there being no gap.
        self.last_cause += 1
        if name in self.accepted:
            return None
        cause = Cause(
            self.last_cause, row.source, row.ext, row.part, row.conv, row.kind, row.body, row.at,
            None, 0, None,
        )  # fmt: skip
        self.accepted[name] = cause.seq
        self.inbox[cause.seq] = self.undone[cause.seq] = cause
        return cause.seq

    def end_cause(self, seq: int, now: int) -> Cause:
        """Marks an undone cause as done and empties it. Answers it."""
        cause = self.undone.pop(seq)
        cause.body, cause.notes, cause.done = "", None, now
        return cause

    def put_message(self, message: Message) -> None:
        """Puts a message at the end of its chat's queue."""
        self.outbox[message.name] = self.unsent[message.seq] = message

    def next_message(self) -> int:
        """The place of a new message in the outbox."""
        self.last_message += 1
        return self.last_message

    def put_line(self, row: LineRow) -> int | None:
        """Puts a line at the end of its track, unless one of its name is there."""
        name = (row.conv, row.track, row.name)
        if name in self.lines:
            return None
        last = max((line.n for line in self.track(row.conv, row.track)), default=0)
        self.lines[name] = Line(max(last + 1, row.at), row.name, row.body, row.at)
        return self.lines[name].n

    def track(self, conv: str, track: str) -> list[Line]:
        """The lines of a track in their order, which is that in which they came."""
        return [line for name, line in self.lines.items() if name[:2] == (conv, track)]

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

    def put_audit(self, row: AuditRow) -> None:
        """Stores what an operator did."""
        self.last_audit += 1
        self.audit[self.last_audit] = Audited(
            self.last_audit, row.at, row.who, row.what, row.target, row.detail, row.conv
        )

    def live_convs(self) -> set[str]:
        """The conversations that have an instance that has not ended."""
        return {row.conv for row in self.instances.values() if row.ended is None}

    def convs(self) -> Iterator[str | None]:
        """Every conversation that any row names, with repetitions."""
        yield from self.scopes
        for table in (
            self.instances,
            self.messages,
            self.timers,
            self.outbox,
            self.transitions,
            self.lines,
        ):
            yield from (name[0] for name in table)
        yield from (cause.conv for cause in self.inbox.values())
        yield from (dead.conv for dead in self.dead.values())
        yield from (row.conv for row in self.audit.values())
