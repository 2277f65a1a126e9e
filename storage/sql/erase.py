"""A person is removed from every table, from the file and from its log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import Column, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.people import belongs, private_chat
from storage.sql.cold import ColdConnections
from storage.sql.tables import (
    conversations,
    dead_letters,
    inbox,
    instances,
    messages,
    outbox,
    timers,
    transitions,
)

NAMING = (instances, inbox, outbox, messages, timers, transitions, dead_letters)
"""The tables whose rows name their conversation."""

AT_ONCE = 500
"""How many conversations one statement names."""


async def erase(connections: ColdConnections, person: str) -> int:
    """Removes the person and answers how many scopes there were."""
    async with connections.writing() as connection:
        convs = await _convs(connection, person)
        chats = [chat for chat in map(private_chat, convs) if chat]
        await _delete(connection, outbox.c.chat, chats)
        for table in NAMING:
            await _delete(connection, table.c.conv, convs)
        scopes = await _delete(connection, conversations.c.key, convs)
    # The connections overwrite what they delete, so the file is clean; the log still has the
    # pages as they were before.
    await connections.empty_log()
    return scopes


async def _convs(connection: AsyncConnection, person: str) -> list[str]:
    """The person's scopes, and every conversation key of theirs that any row names."""
    own = select(conversations.c.key).where(conversations.c.person == person)
    found = set((await connection.execute(own)).scalars())
    channel, _, user = person.partition("/")
    for table in (conversations, *NAMING):
        named = _name(table)
        like = named.startswith(f"{channel}/", autoescape=True) & named.endswith(
            f"/{user}", autoescape=True
        )
        # LIKE does not tell upper from lower case; belongs() does.
        keys = (await connection.execute(select(named).where(like).distinct())).scalars()
        found.update(key for key in keys if belongs(key, person))
    return sorted(found)


def _name(table: Table) -> Column[str]:
    return table.c.key if table is conversations else table.c.conv


async def _delete(connection: AsyncConnection, column: Column[str], names: Iterable[str]) -> int:
    rows = 0
    for some in _batches(names):
        result = await connection.execute(delete(column.table).where(column.in_(some)))
        rows += result.rowcount
    return rows


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    left = iter(names)
    while some := list(islice(left, AT_ONCE)):
        yield some
