"""Every text that people may have said, coded anew: page by page, each in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, Update, bindparam, literal, select, true, tuple_, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.sql.cold import Cold, ColdWork
from storage.sql.tables import (
    conversations,
    dead_letters,
    inbox,
    instances,
    messages,
    outbox,
    timers,
    transcripts,
)

PAGE = 100
"""How many rows one transaction reads and writes."""

Change = Callable[[str], str]

TEXTS: Mapping[Table, Sequence[Column[Any]]] = {
    conversations: [conversations.c.state],
    instances: [instances.c.result],
    inbox: [inbox.c.body, inbox.c.notes],
    outbox: [outbox.c.body],
    messages: [messages.c.ref],
    timers: [timers.c.body],
    transcripts: [transcripts.c.body],
    dead_letters: [dead_letters.c.body, dead_letters.c.error],
}
"""The columns of each table that may hold what people have said."""


@dataclass(frozen=True, slots=True)
class _Done:
    """A page: how many rows it changed, and the key of its last one; None: there was none."""

    changed: int
    last: Sequence[object] | None


class _Failed(Exception):
    """``change`` has raised ``reason``, which is not to be taken for an error of the database."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


async def recode(cold: Cold, change: Change) -> int:
    """Puts ``change(text)`` in place of every text. Answers how many rows it changed."""
    changed = 0
    for table in TEXTS:
        last: Sequence[object] | None = ()
        while last is not None:
            try:
                page = await cold.write(_page(table, last, change))
            except _Failed as failed:
                raise failed.reason from None
            changed, last = changed + page.changed, page.last
    return changed


def _page(table: Table, after: Sequence[object], change: Change) -> ColdWork[_Done]:
    async def write(connection: AsyncConnection) -> _Done:
        return await _recode(connection, table, after, change)

    return write


async def _recode(
    connection: AsyncConnection, table: Table, after: Sequence[object], change: Change
) -> _Done:
    """The rows that follow ``after``: locked while they are changed, as turns lock them."""
    key = list(table.primary_key.columns)
    place = [literal(value, column.type) for value, column in zip(after, key, strict=False)]
    begin = tuple_(*key) > tuple_(*place) if after else true()
    query = select(*key, *TEXTS[table]).where(begin).order_by(*key).limit(PAGE)
    rows = (await connection.execute(query.with_for_update())).mappings().all()
    changed = [new for row in rows if (new := _changes(row, table, change))]
    if changed:
        await connection.execute(_update(table), changed)
    return _Done(len(changed), [rows[-1][column.name] for column in key] if rows else None)


def _changes(row: RowMapping, table: Table, change: Change) -> dict[str, Any]:
    """The row with new texts, as ``_update`` takes it; empty where they are as they were."""
    said = {text.name: row[text.name] for text in TEXTS[table]}
    # What was emptied has no text.
    try:
        new = {name: None if text is None else change(text) for name, text in said.items()}
    except Exception as error:
        raise _Failed(error) from error
    if new == said:
        return {}
    at = {f"at_{column.name}": row[column.name] for column in table.primary_key}
    return at | {f"new_{name}": text for name, text in new.items()}


def _update(table: Table) -> Update:
    here = [column == bindparam(f"at_{column.name}") for column in table.primary_key]
    new: dict[str, Any] = {text.name: bindparam(f"new_{text.name}") for text in TEXTS[table]}
    return update(table).where(*here).values(new)
