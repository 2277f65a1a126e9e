"""What is handed to a storage and comes from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any, Literal

from flows.records import record


@record(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a storage can take and promises, said once by ``open``.

    Attributes:
        state_bytes: the largest state of one conversation, in bytes of UTF-8.
        body_bytes: the largest body of an inbox or outbox row, in bytes of UTF-8.
        durability: a sentence: what survives which failure.
        shared: whether several workers may share this storage.
        sealed: whether who gets hold of its files, or of a copy of them, can read nothing of
            what people have said: it is encrypted, or there is no file.
    """

    state_bytes: int
    body_bytes: int
    durability: str
    shared: bool
    sealed: bool = False


@record(frozen=True, slots=True)
class Fence:
    """The partitions that a worker holds, each with the epoch that it was leased at.

    ``workers`` is how many workers there are, this one included: those that have called
    ``lease`` within its ``ttl`` and have not released since, whether they hold anything or not.
    Each of them wants an equal share.
    """

    worker: str
    epochs: Mapping[int, int]
    workers: int = 1


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
class Snapshot:
    """One scope as committed. ``cause`` is the seq of the inbox row of its last commit."""

    version: int
    cause: int
    state: str


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True, kw_only=True)
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


@record(frozen=True, slots=True, kw_only=True)
class TimerDrop:
    """A timer to be removed; nothing happens where there is none."""

    conv: str
    name: str


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True, kw_only=True)
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


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
class LineRow:
    """A line for the record of a conversation: what a channel that has no service behind it keeps
    to show later.

    Attributes:
        conv: the conversation that it belongs to, in life, erasure and encryption.
        track: which record of that conversation; each has its own order.
        name: what it is called in its track: a second one of that name is a duplicate.
        body: JSON text.
        at: when it was said; also what the sweep goes by.
    """

    conv: str
    track: str
    name: str
    body: str
    at: int


@record(frozen=True, slots=True)
class Line:
    """A line as recorded. ``n`` is its place in its track, over 0."""

    n: int
    name: str
    body: str
    at: int


class Outcome(StrEnum):
    """How a commit ended for one turn."""

    DONE = "done"
    CONFLICT = "conflict"
    """A scope has another version: run the turn again from a fresh read."""
    GONE = "gone"
    """The cause is missing or done: drop the turn."""
    FENCED = "fenced"
    """The partition is not ours any more: drop the turn and all that was kept of the partition."""


@record(frozen=True, slots=True)
class Committed:
    """The outcome of one turn; ``versions`` are the new ones of its scopes, in their order.

    ``versions`` is empty unless the outcome is DONE.
    """

    outcome: Outcome
    versions: tuple[int, ...] = ()


@record(frozen=True, slots=True)
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


MessageName = tuple[str, int, int]
"""What a message of the outbox is called: its conv, turn and n."""


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True, kw_only=True)
class Query:
    """What ``inspect`` looks for: filters are joined with *and*; None filters nothing.

    Attributes:
        what: ``instances``, ``transitions``, ``dead_letters``, ``audit``, ``inbox`` or ``outbox``
            (the last two: what is undone, oldest first), or ``timers`` (the next one first).
        instance: its id, for ``instances`` and ``transitions``; quick without ``conv`` too.
        live: for ``instances``: True for those that have not ended, False for those that have.
        person: for ``instances``: those in the scopes that ``erase`` would find by this person.
        part: for ``inbox`` and ``outbox``: what is undone in this partition; as cheap as that is
            little, however much there is in others.
        letter: for ``dead_letters``: the one of this number.
        step: for ``instances``: those that stand at this step, alone or beside others.
        before: for ``instances``: those that moved last before this time.
        text: for ``instances``: those whose id, or conversation key, has this text in it, letter
            for letter.
        after: the ``next`` of the page before, or None.
        limit: rows a page, 1 to 1000.
    """

    what: Literal["instances", "transitions", "dead_letters", "audit", "inbox", "outbox", "timers"]
    conv: str | None = None
    instance: str | None = None
    flow: str | None = None
    status: str | None = None
    live: bool | None = None
    person: str | None = None
    part: int | None = None
    letter: int | None = None
    step: str | None = None
    before: int | None = None
    text: str | None = None
    after: str | None = None
    limit: int = 100


@record(frozen=True, slots=True)
class Page:
    """Rows as JSON objects, and where to go on; ``next`` is None at the end."""

    rows: Sequence[Mapping[str, Any]]
    next: str | None = None


@record(frozen=True, slots=True)
class ChatPage:
    """Private chats, by the channel's own ids, and where to go on; ``next`` is None at the end."""

    chats: Sequence[str]
    next: str | None = None


@record(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """What an operator did, or has ordered.

    Attributes:
        who: the operator.
        what: ``goto``, ``cancel``, ``erase`` and the like.
        target: what it was done to: the id of an instance, the number of a dead letter, a person.
        detail: the step, the reason: words of the operator, and none of the person.
        conv: whose conversation it was, or None.
    """

    who: str
    what: str
    target: str
    detail: str
    at: int
    conv: str | None = None


@record(frozen=True, slots=True)
class Tally:
    """How many instances of a flow stand, or have ended, at a step with a status."""

    flow: str
    step: str
    status: str
    count: int


@record(frozen=True, slots=True, kw_only=True)
class Swept:
    """How many rows a sweep removed, by table."""

    rows: Mapping[str, int] = field(default_factory=dict)
