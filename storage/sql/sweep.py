"""What has ended is removed after its time; what is live or undone never."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, delete, exists, select, tuple_

from flows.ports import Swept
from storage.sql.cold import ColdConnections
from storage.sql.tables import inbox, instances, messages, outbox, transitions

AT_ONCE = 500
"""How many rows one transaction removes."""


async def sweep(connections: ColdConnections, before: int, limit: int) -> Swept:
    """Removes at most ``limit`` rows of each table."""
    # Instances last: their log goes by whether they live.
    rows = {
        table.name: await _sweep(connections, table, ended, limit)
        for table, ended in _ended(before).items()
    }
    return Swept(rows=rows)


async def _sweep(
    connections: ColdConnections, table: Table, ended: ColumnElement[bool], limit: int
) -> int:
    """Looks for the rows first, which may take long and needs no lock."""
    key = list(table.primary_key.columns)
    oldest = select(*key).where(ended).order_by(*key).limit(limit)
    async with connections.reading() as connection:
        found = [tuple(row) for row in (await connection.execute(oldest)).all()]
    rows = 0
    for start in range(0, len(found), AT_ONCE):
        some = tuple_(*key).in_(found[start : start + AT_ONCE])
        async with connections.writing() as connection:
            # A row may have come to life again meanwhile.
            result = await connection.execute(delete(table).where(some, ended))
            rows += result.rowcount
    return rows


def _ended(before: int) -> dict[Table, ColumnElement[bool]]:
    return {
        inbox: inbox.c.done < before,
        outbox: outbox.c.todo.is_(None) & (outbox.c.due < before) & ~_lives(outbox),
        messages: (messages.c.at < before) & ~_lives(messages),
        transitions: (transitions.c.at < before) & ~_lives(transitions),
        instances: instances.c.ended < before,
    }


def _lives(table: Table) -> ColumnElement[bool]:
    """Whether the row's instance lives; where it names none, any of its conversation."""
    live = instances.alias("live")
    same = (live.c.conv == table.c.conv) & live.c.ended.is_(None)
    if "instance" in table.c:
        same &= live.c.id == table.c.instance
    return exists(select(live.c.id).where(same))
