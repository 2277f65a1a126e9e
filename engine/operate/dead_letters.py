"""Dead letters: what was given up, to be looked at and put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.errors import UnknownDeadLetter
from flows.ports import FlowStorage, Query


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterRow:
    """An update or a message that was given up. It is kept until it is replayed or its person
    erased.

    Attributes:
        id: its number.
        conversation: whose it is; None: nobody's.
        origin: ``inbox`` for what came in and could not be handled, ``outbox`` for a message that
            could not be sent.
        error: why it was given up.
        tries: how often it was tried.
        at: when it was given up, milliseconds since the epoch.
        body: what it says, as JSON text: people's words.
    """

    id: int
    conversation: str | None
    origin: str
    error: str
    tries: int
    at: int
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """Dead letters, the newest first; ``next`` is where to go on, or None."""

    rows: tuple[DeadLetterRow, ...]
    next: str | None


async def page(storage: FlowStorage, query: Query) -> DeadLetterPage:
    """A page of dead letters."""
    found = await storage.inspect(query)
    return DeadLetterPage(tuple(map(_row, found.rows)), found.next)


async def one(storage: FlowStorage, letter: int) -> DeadLetterRow:
    """One of them. Raises UnknownDeadLetter."""
    found = await storage.inspect(Query(what="dead_letters", letter=letter, limit=1))
    if not found.rows:
        raise UnknownDeadLetter(letter)
    return _row(found.rows[0])


async def replay(storage: FlowStorage, letter: int) -> None:
    """Puts one back where it came from, once. Raises UnknownDeadLetter."""
    if await storage.replay(letter) is None:
        raise UnknownDeadLetter(letter)


def _row(row: Mapping[str, Any]) -> DeadLetterRow:
    return DeadLetterRow(
        id=row["id"],
        conversation=row["conv"],
        origin=row["origin"],
        error=row["error"],
        tries=row["tries"],
        at=row["at"],
        body=row["body"],
    )
