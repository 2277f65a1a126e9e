"""Rows for the tests. A person is named by one word and writes in a private chat."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from flows.conversation import Address, ConversationKey
from flows.ports import (
    Fence,
    FlowStorage,
    InboxRow,
    InstanceRow,
    LineRow,
    OutboxRow,
    PendingRow,
    Query,
    ScopeWrite,
    SendResult,
    TimerRow,
    TransitionRow,
    TurnCommit,
)

SOURCE = "contract:bot"
NOBODY = frozenset[int]()
NOWHERE = frozenset[str]()

LISTINGS = (
    Query(what="instances"),
    Query(what="transitions"),
    Query(what="dead_letters"),
    Query(what="inbox"),
    Query(what="outbox"),
    Query(what="timers"),
)
"""All that ``inspect`` shows."""


def address(user: str) -> Address:
    """The private chat of a person."""
    return Address(SOURCE, user)


def conv(user: str) -> str:
    """The person's conversation."""
    return str(ConversationKey(address(user), user))


def person(user: str) -> str:
    """What ``erase`` takes."""
    return ConversationKey(address(user), user).person


def part(user: str) -> int:
    """The partition of the person's chat."""
    return address(user).partition


def cause(ext: str, user: str = "ada", *, source: str = SOURCE, body: str = '"hi"') -> InboxRow:
    """An update of a person."""
    return InboxRow(
        source=source, ext=ext, part=part(user), conv=conv(user), kind="text", body=body, at=1
    )


_names = count()


async def accepted(storage: FlowStorage, *users: str) -> list[int]:
    """One new update of each person named; their numbers."""
    rows = [cause(f"update-{next(_names)}", user) for user in users]
    return [seq for seq in await storage.accept(rows) if seq is not None]


def scope(
    user: str, version: int | None = None, state: str | None = '{"n": 1}', key: str | None = None
) -> ScopeWrite:
    """The person's scope."""
    return ScopeWrite(
        key=key or conv(user), part=part(user), version=version, state=state, person=person(user)
    )


def turn(
    seq: int, user: str = "ada", version: int | None = None, state: str | None = '{"n": 1}'
) -> TurnCommit:
    """A turn that writes the person's scope and nothing else."""
    return TurnCommit(cause=seq, part=part(user), scopes=[scope(user, version, state)])


def full_turn(seq: int, user: str = "ada", version: int | None = None) -> TurnCommit:
    """A turn that writes a row of every kind."""
    return TurnCommit(
        cause=seq,
        part=part(user),
        scopes=[scope(user, version)],
        instances=[instance(user)],
        timers=[timer(user, due=2_000_000_000_000)],
        outbox=[message(seq, user)],
        transitions=[move(seq, user)],
    )


def instance(user: str, *, name: str = "i1", ended: int | None = None) -> InstanceRow:
    """An instance of a flow."""
    return InstanceRow(
        conv=conv(user),
        id=name,
        flow="signup",
        flow_version=1,
        step="NAME",
        status="active" if ended is None else "completed",
        updated=5,
        ended=ended,
    )


def timer(user: str, *, due: int, name: str = "wait", body: str = "{}") -> TimerRow:
    """A timer."""
    return TimerRow(
        conv=conv(user),
        name=name,
        part=part(user),
        due=due,
        generation=1,
        source=SOURCE,
        kind="timer",
        body=body,
    )


def message(seq: int, user: str = "ada", *, n: int = 0, body: str = '"hello"') -> OutboxRow:
    """A message to the person."""
    return OutboxRow(
        part=part(user),
        chat=str(address(user)),
        conv=conv(user),
        turn=seq,
        n=n,
        slot=f"{seq}.{n}",
        body=body,
    )


def move(seq: int, user: str, *, name: str = "i1", at: int = 5) -> TransitionRow:
    """A move in the log."""
    return TransitionRow(
        conv=conv(user),
        turn=seq,
        n=0,
        instance=name,
        flow="signup",
        source=None,
        target="NAME",
        cause="text",
        at=at,
    )


def line(
    name: str, user: str = "ada", *, track: str = "chat", body: str = '"hi"', at: int = 5
) -> LineRow:
    """A line of the record of a person's conversation."""
    return LineRow(conv(user), track, name, body, at)


def sent(row: OutboxRow, *, ref: str = "77") -> SendResult:
    """The message has arrived."""
    return SendResult(conv=row.conv, turn=row.turn, n=row.n, state="sent", slot=row.slot, ref=ref)


async def pending(storage: FlowStorage, fence: Fence, limit: int = 100) -> Sequence[PendingRow]:
    """All that is undone."""
    return await storage.pending(fence, NOBODY, limit)
