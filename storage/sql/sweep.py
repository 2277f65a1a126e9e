"""What has ended is removed after its time; what is live or undone never."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Delete, Table, delete, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.ports import Swept
from storage.sql.cold import Cold, ColdWork
from storage.sql.tables import inbox, instances, messages, outbox, transcripts, transitions

AT_ONCE = 500
"""How many rows one transaction removes."""


async def sweep(cold: Cold, before: int, limit: int) -> Swept:
    """Removes at most ``limit`` rows of each table."""
    # Instances last: their log goes by whether they live.
    rows = {
        table.name: await _sweep(cold, table, ended, limit)
        for table, ended in _ended(before).items()
    }
    return Swept(rows=rows)


async def _sweep(cold: Cold, table: Table, ended: ColumnElement[bool], limit: int) -> int:
    """Looks for the rows first, which may take long and needs no lock."""
    key = list(table.primary_key.columns)
    oldest = select(*key).where(ended).order_by(*key).limit(limit)

    async def find(connection: AsyncConnection) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in (await connection.execute(oldest)).all()]

    found = await cold.read(find)
    rows = 0
    for start in range(0, len(found), AT_ONCE):
        some = tuple_(*key).in_(found[start : start + AT_ONCE])
        # A row may have come to life again meanwhile.
        rows += await cold.write(_deletion(delete(table).where(some, ended)))
    return rows


def _deletion(statement: Delete) -> ColdWork[int]:
    async def write(connection: AsyncConnection) -> int:
        return (await connection.execute(statement)).rowcount

    return write


def _ended(before: int) -> dict[Table, ColumnElement[bool]]:
    return {
        inbox: inbox.c.done < before,
        outbox: outbox.c.todo.is_(None) & (outbox.c.due < before) & ~_lives(outbox),
        messages: (messages.c.at < before) & ~_lives(messages),
        transitions: (transitions.c.at < before) & ~_lives(transitions),
        transcripts: (transcripts.c.at < before) & ~_lives(transcripts),
        instances: instances.c.ended < before,
    }


def _lives(table: Table) -> ColumnElement[bool]:
    """Whether the row's instance lives; where it names none, any of its conversation."""
    live = instances.alias("live")
    same = (live.c.conv == table.c.conv) & live.c.ended.is_(None)
    if "instance" in table.c:
        same &= live.c.id == table.c.instance
    return exists(select(live.c.id).where(same))
