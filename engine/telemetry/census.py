"""Counting what is in a storage: live conversations, and what waits or was given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flows.ports import FlowStorage, Query
from flows.turns.instance import Status

MOST = 10_000
"""Rows of each kind that are counted at the most, unless it is said."""

PAGE = 1000

LIVE = frozenset({Status.ACTIVE, Status.ESCALATED, Status.QUARANTINED})
"""How an instance is that has not ended."""

What = Literal["inbox", "outbox", "dead_letters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What there is. Of what waits and was given up, a number that has come to the limit of the
    count means: so many or more.

    Attributes:
        live: instances that have not ended, by flow and status.
        inbox: updates that are accepted and not done.
        inbox_age: seconds since the oldest of them came in; 0: there is none.
        outbox: messages that are not sent.
        outbox_age: seconds for which the one that has waited longest could have gone; 0: none is
            due.
        dead_letters: what was given up and is kept.
    """

    live: Mapping[tuple[str, str], int] = field(default_factory=dict)
    inbox: int = 0
    inbox_age: float = 0.0
    outbox: int = 0
    outbox_age: float = 0.0
    dead_letters: int = 0


async def take_census(storage: FlowStorage, *, now: int, limit: int = MOST) -> Census:
    """Counts, page by page.

    Args:
        now: milliseconds since the epoch.
        limit: waiting and given up rows of each kind that are counted at the most.

    Raises:
        StorageDown: the storage does not answer.
    """
    live: Counter[tuple[str, str]] = Counter()
    for group in await storage.tally():
        if group.status in LIVE:
            live[group.flow, group.status] += group.count
    came = [int(row["at"]) async for row in _rows(storage, "inbox", limit)]
    due = [int(row["due"]) async for row in _rows(storage, "outbox", limit)]
    return Census(
        live=dict(live),
        inbox=len(came),
        inbox_age=_age(came, now),
        outbox=len(due),
        outbox_age=_age(due, now),
        dead_letters=len([row async for row in _rows(storage, "dead_letters", limit)]),
    )


async def _rows(storage: FlowStorage, what: What, limit: int) -> AsyncIterator[Mapping[str, Any]]:
    after: str | None = None
    while limit > 0:
        size = min(limit, PAGE)
        page = await storage.inspect(Query(what=what, after=after, limit=size))
        for row in page.rows:
            yield row
        limit -= len(page.rows)
        after = page.next
        if after is None:
            return


def _age(times: list[int], now: int) -> float:
    """Seconds since the earliest time, if that is over."""
    return max(now - min(times, default=now), 0) / 1000
