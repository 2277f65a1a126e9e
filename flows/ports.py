"""The ports: what the engine asks of a storage, a channel and a clock.

An implementation is checked by ``storage.testing``, the contract suite; each obligation
below has a test there. Times are milliseconds since the epoch (UTC) unless said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from flows.replies import Keyboard
from flows.updates import Update

# --- storage: what is handed in and out -------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a storage can take and promises, said once by ``open``.

    Attributes:
        state_bytes: the largest state of one conversation, in bytes of UTF-8.
        body_bytes: the largest body of an inbox or outbox row, in bytes of UTF-8.
        durability: a sentence: what survives which failure.
        shared: whether several workers may share this storage.
    """

    state_bytes: int
    body_bytes: int
    durability: str
    shared: bool


@dataclass(frozen=True, slots=True)
class Fence:
    """The partitions that a worker holds, each with the epoch that it was leased at."""

    worker: str
    epochs: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """A cause to be accepted: an update, a timer, an outside event, a failed send.

    Attributes:
        source, ext: together unique: a second row with the same two is a duplicate.
        part: the partition of its chat, 0 to 63.
        conv: the conversation key, or None for what belongs to none.
        body: JSON text.
        at: when it happened.
    """

    source: str
    ext: str
    part: int
    conv: str | None
    kind: str
    body: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRow:
    """An inbox row that is not done. ``notes`` is the JSON text of ``note``, or None."""

    seq: int
    source: str
    ext: str
    part: int
    conv: str | None
    kind: str
    body: str
    notes: str | None
    at: int
    tries: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One scope as committed. ``cause`` is the seq of the inbox row of its last commit."""

    version: int
    cause: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeWrite:
    """One scope that the turn has loaded.

    Attributes:
        version: the version that was loaded; None: it was absent and must still be.
        state: the new state, JSON text; None: unchanged, only the version is compared.
        person: whom ``erase`` finds it by.
    """

    key: str
    part: int
    version: int | None
    state: str | None
    person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRow:
    """The projection of an instance, for listings: written whole, keyed by (conv, id)."""

    conv: str
    id: str
    flow: str
    flow_version: int
    step: str
    status: str
    updated: int
    result: str | None = None
    ended: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A message to be delivered; (conv, turn, n) is its name.

    Attributes:
        chat: the address, as text; messages are delivered in order per chat.
        conv: the conversation that sends, or a name of the sender's own.
        turn: the seq of its cause.
        n: its place in the turn, from 0.
        slot: what later turns call it by when they edit it, or None.
        body: JSON text of the send.
    """

    part: int
    chat: str
    conv: str
    turn: int
    n: int
    slot: str | None
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRow:
    """A timer to be set, in place of the one with the same (conv, name).

    Attributes:
        due: when it fires, by the database's clock; never earlier.
        generation: the step visit or whatever the turn compares when it has fired.
        source, kind, body: of the inbox row that it becomes.
    """

    conv: str
    name: str
    part: int
    due: int
    generation: int
    source: str
    kind: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerDrop:
    """A timer to be removed; nothing happens where there is none."""

    conv: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionRow:
    """One move, for the log."""

    conv: str
    turn: int
    n: int
    instance: str
    flow: str
    source: str | None
    target: str | None
    cause: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """The cause is given up: it is done, and kept apart with the reason.

    Attributes:
        origin: ``inbox`` or ``outbox``.
    """

    conv: str | None
    origin: str
    body: str
    error: str
    tries: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCommit:
    """All that one turn wants to be true at once.

    Attributes:
        cause: seq of its inbox row, which becomes done.
        part: the partition whose epoch fences it.
        scopes: every scope that it loaded, at most once each.
    """

    cause: int
    part: int
    scopes: Sequence[ScopeWrite] = ()
    instances: Sequence[InstanceRow] = ()
    timers: Sequence[TimerRow | TimerDrop] = ()
    outbox: Sequence[OutboxRow] = ()
    transitions: Sequence[TransitionRow] = ()
    dead: DeadLetter | None = None


class Outcome(StrEnum):
    """How a commit ended for one turn."""

    DONE = "done"
    CONFLICT = "conflict"
    """A scope has another version: run the turn again from a fresh read."""
    GONE = "gone"
    """The cause is missing or done: drop the turn."""
    FENCED = "fenced"
    """The partition is not ours any more: drop the turn and all that was kept of the partition."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The outcome of one turn; ``versions`` are the new ones of its scopes, in their order.

    ``versions`` is empty unless the outcome is DONE.
    """

    outcome: Outcome
    versions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRow:
    """A message that waits to be delivered."""

    seq: int
    part: int
    chat: str
    conv: str
    turn: int
    n: int
    slot: str | None
    body: str
    tries: int
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What became of the message (conv, turn, n).

    Attributes:
        state: ``sent``; ``later``: try again at ``due``; ``dead``: never, with ``error``.
        slot, ref: for ``sent``: kept as the reference behind (conv, slot), where both are given.
        inform: for ``dead``: an inbox row that tells the conversation; accepted with the result.
    """

    conv: str
    turn: int
    n: int
    state: Literal["sent", "later", "dead"]
    slot: str | None = None
    ref: str | None = None
    due: int = 0
    error: str = ""
    inform: InboxRow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What ``inspect`` looks for: filters are joined with *and*; None filters nothing.

    Attributes:
        what: ``instances``, ``transitions``, ``dead_letters``, ``inbox`` or ``outbox``
            (the last two: what is undone, oldest first), or ``timers`` (the next one first).
        instance: its id, for ``instances`` and ``transitions``; quick without ``conv`` too.
        live: for ``instances``: True for those that have not ended, False for those that have.
        person: for ``instances``: those in the scopes that ``erase`` would find by this person.
        after: the ``next`` of the page before, or None.
        limit: rows a page, 1 to 1000.
    """

    what: Literal["instances", "transitions", "dead_letters", "inbox", "outbox", "timers"]
    conv: str | None = None
    instance: str | None = None
    flow: str | None = None
    status: str | None = None
    live: bool | None = None
    person: str | None = None
    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as JSON objects, and where to go on; ``next`` is None at the end."""

    rows: Sequence[Mapping[str, Any]]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How many rows a sweep removed, by table."""

    rows: Mapping[str, int] = field(default_factory=dict)


class FlowStorage(Protocol):
    """Where conversations are kept. One object serves one process; all methods are coroutines.

    Every method may raise StorageDown: nothing was written and the call may be repeated.
    A cancelled call has either done all of its work or none.
    """

    async def open(self) -> Limits:
        """Connects and checks the schema; creates or upgrades it where that is its own to do.

        Raises:
            SchemaMismatch: the schema is newer, older (where upgrading is the operator's) or
                not ours; the sentence says which and what to do.
            AlreadyOwned: it is not shared, and another process has it.
        """
        ...

    async def close(self) -> None:
        """Lets everything go. May be called twice, and without ``open``."""
        ...

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        """Renews this worker's partitions, takes free or expired ones (their epoch rises by 1)
        until it holds ``want``, and gives back what is over. Atomic.

        ``ttl`` is in milliseconds, by the database's clock. At most one worker holds a
        partition; a worker that was away finds its epoch stale.
        """
        ...

    async def release(self, worker: str) -> None:
        """Gives back all partitions of this worker, at once free for others."""
        ...

    async def accept(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        """Puts rows into the inbox in one durable commit; all of them or none.

        The answer has one entry a row: its seq, or None for a duplicate (of a row before,
        in this page or done long ago). Seqs ascend in the order of the rows. Not fenced.

        Raises:
            BadRow: a row cannot be stored; nothing was written.
        """
        ...

    async def pending(
        self, fence: Fence, skip: Collection[int], limit: int
    ) -> Sequence[PendingRow]:
        """Undone rows of the fence's partitions that are not in ``skip``, ascending by seq.

        Never passes over an older row of a conversation unless that one is in ``skip``.
        Each row's ``tries`` is raised by one, durably, before it is handed out, and is
        counted in the answer. No conversation may fill the whole page while others wait.
        """
        ...

    async def note(self, fence: Fence, seq: int, notes: str) -> Outcome:
        """Replaces the notes of an undone row, durably: DONE, GONE or FENCED."""
        ...

    async def load(self, keys: Collection[str]) -> Mapping[str, Snapshot]:
        """The scopes as last committed; absent keys are absent from the answer.

        Raises:
            CorruptState: a state is no JSON text.
        """
        ...

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        """One atomic, durable commit of every turn whose outcome is DONE; the others leave no
        trace. One answer a turn, in order. At most one turn a scope key.

        Per turn, in this order: the partition's epoch differs: FENCED; the cause is missing
        or done: GONE; a scope's version differs: CONFLICT; else DONE. A new scope's version
        is the database's clock in microseconds, and every write adds 1, so that a scope that
        was erased and made again never has an old version. All is checked under lock.

        Raises:
            BadRow: the turn at ``index`` cannot be stored; nothing was written.
            OutcomeUnknown: the answer to the commit was lost.
        """
        ...

    async def fire(self, fence: Fence, limit: int) -> tuple[Sequence[int], float | None]:
        """Turns due timers of the fence's partitions into inbox rows, the earliest first, in one
        transaction. Answers their seqs and the seconds until the next timer is due (None:
        there is none). Never early, by the database's clock; each timer once.
        """
        ...

    async def outgoing(
        self, fence: Fence, skip: Collection[str], limit: int
    ) -> Sequence[OutgoingRow]:
        """The oldest undelivered message of each chat of the fence's partitions, if it is due;
        nothing of the chats in ``skip``. Oldest first.
        """
        ...

    async def sent(self, fence: Fence, results: Sequence[SendResult]) -> Sequence[Outcome]:
        """Records what became of messages, in one durable commit. Idempotent: an unknown or
        already recorded one is GONE and changes nothing; FENCED as in ``commit``; else DONE.
        """
        ...

    async def refs(self, conv: str, slots: Collection[str]) -> Mapping[str, str]:
        """The channel's references of messages that were sent; unknown slots are absent."""
        ...

    async def alias(self, source: str, chat: str, canonical: str) -> None:
        """From now on ``chat`` is another name of ``canonical``. Nothing is re-keyed."""
        ...

    async def aliases(self) -> Mapping[tuple[str, str], str]:
        """All aliases: (source, chat) to the canonical chat."""
        ...

    async def sweep(self, before: int, limit: int) -> Swept:
        """Removes what ended before ``before``: done inbox rows, delivered messages and their
        references, ended instances, log rows of ended instances; at most ``limit`` a table.
        Never an undone row, never anything of a live instance.
        """
        ...

    async def erase(self, person: str) -> int:
        """Removes a person from every table and file: scopes, instances, timers, messages,
        inbox and outbox rows, log, dead letters. Turns in flight become GONE. Answers how
        many scopes there were.
        """
        ...

    async def inspect(self, query: Query) -> Page:
        """A page of rows for people to read, newest first unless the query says otherwise."""
        ...

    async def replay(self, dead: int) -> int | None:
        """Puts a dead letter back, once: into the inbox as a new row (answering its seq), or
        into the outbox (answering its turn). None when there is none of that id.
        """
        ...

    def wakes(self) -> AsyncIterator[None]:
        """Hints that another process has added work. They may be lost or invented; the owner
        looks by itself every second anyway.
        """
        ...


# --- channels ---------------------------------------------------------------------------


class Intake(Protocol):
    """What a channel hands its updates to."""

    async def accept(self, updates: Sequence[Update]) -> None:
        """Keeps a page of updates. When this returns they are durable, and the channel may
        acknowledge them; when it raises, it must not.

        Raises:
            StorageDown: nothing was kept; hand the page in again later.
        """
        ...

    async def settle(self) -> None:
        """Returns when all that was accepted so far has been run, committed and delivered, or
        waits for a time in the future.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on its way out, references resolved.

    Attributes:
        edit: the reference of the message to be replaced; None: a new message.
        format: how the text is to be read: ``plain``, ``html`` or ``markdown``.
    """

    chat: str
    topic: str | None
    text: str
    format: str
    keyboard: Keyboard
    edit: str | None = None


class Channel(Protocol):
    """A way to talk with people."""

    @property
    def source(self) -> str:
        """Channel and bot, such as ``telegram:110201543``; known before ``open``, no secret."""
        ...

    @property
    def catch_up(self) -> float:
        """Seconds that it takes after its start to hand in what people sent while nothing ran.
        So long no timer fires, lest an answer that was given in time comes too late.
        """
        ...

    async def open(self, commands: Sequence[tuple[str, str]]) -> None:
        """Makes ready to send; ``commands`` are (name, description) of what the bot understands.

        Raises:
            ChannelStopped: it cannot work, and the message says why and what to do.
        """
        ...

    async def receive(self, intake: Intake) -> None:
        """Hands in updates, in order, until it is cancelled or its input has ended.

        It acknowledges nothing to its service before ``intake.accept`` has returned. It
        heals itself from passing failures.

        Raises:
            ChannelStopped: it cannot go on.
        """
        ...

    async def send(self, delivery: Delivery) -> str | None:
        """Sends or edits one message and answers its reference, where the channel has one.

        Raises:
            SendLater: the service asks to wait.
            SendRefused: it will never be taken.
            ChatMoved: the chat has another id; send it there.
            SendUncertain: the answer was cut; it may have arrived.
            ChannelStopped: the channel cannot go on.
        """
        ...

    async def answer(self, press: str, notice: str | None) -> None:
        """Answers a button press, with a notice of up to 200 characters or none. A press that is
        too old is no error.
        """
        ...

    async def close(self) -> None:
        """Lets everything go. May be called twice."""
        ...


class Clock(Protocol):
    """Time, so that tests can hold it."""

    def now(self) -> int:
        """Milliseconds since the epoch (UTC)."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns after so many seconds of this clock."""
        ...
