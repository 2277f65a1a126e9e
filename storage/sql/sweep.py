"""What has ended is removed after its time; what is live or undone never."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Delete, Table, delete, exists, select, tuple_

from flows.ports import Swept
from storage.sql.cold import ColdConnections
from storage.sql.tables import inbox, instances, messages, outbox, transitions


async def sweep(connections: ColdConnections, before: int, limit: int) -> Swept:
    """Removes at most ``limit`` rows of each table, a transaction each."""
    rows = {}
    # Instances last: their log goes by whether they live.
    for table, ended in _ended(before).items():
        async with connections.writing() as connection:
            result = await connection.execute(_oldest(table, ended, limit))
            rows[table.name] = result.rowcount
    return Swept(rows=rows)


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


def _oldest(table: Table, ended: ColumnElement[bool], limit: int) -> Delete:
    key = list(table.primary_key.columns)
    chosen = select(*key).where(ended).order_by(*key).limit(limit)
    return delete(table).where(tuple_(*key).in_(chosen))
