"""A person is removed from every table, from the file and from its log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import filterfalse, islice

from sqlalchemy import Column, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.people import ERASED, belongs, is_conversation, private_chat
from storage.sql.cold import Cold
from storage.sql.tables import (
    audit,
    conversations,
    dead_letters,
    inbox,
    instances,
    messages,
    outbox,
    timers,
    transcripts,
    transitions,
)

NAMING = (outbox, timers, inbox, messages, dead_letters, transitions, transcripts, instances)
"""The tables whose rows name their conversation, in the order that they are emptied in.

What turns into something else comes before what it turns into: a message may become a cause
or a dead letter, a timer a cause, a cause anything.
"""

SOURCES = (outbox, timers, inbox)
"""Those whose rows turn into others."""

AT_ONCE = 500
"""How many conversations one statement names."""


async def erase(cold: Cold, person: str) -> int:
    """Removes the person and answers how many scopes there were."""

    async def write(connection: AsyncConnection) -> int:
        if cold.concurrent:
            # Whoever is in the middle of writing about the person has locked one of these:
            # after this they are through, or will find that it is gone.
            await _empty(connection, person, SOURCES)
        convs = await _empty(connection, person, NAMING)
        await _scrub(connection, person, convs)
        await _delete(connection, conversations.c.key, filterfalse(is_conversation, convs))
        return await _delete(connection, conversations.c.key, filter(is_conversation, convs))

    scopes = await cold.write(write)
    await cold.clean((*NAMING, conversations, audit))
    return scopes


async def _empty(connection: AsyncConnection, person: str, tables: Iterable[Table]) -> list[str]:
    """Removes the rows that name a conversation of the person; answers those conversations."""
    convs = await _convs(connection, person)
    chats = [chat for chat in map(private_chat, convs) if chat]
    await _delete(connection, outbox.c.chat, chats)
    for table in tables:
        await _delete(connection, table.c.conv, convs)
    return convs


async def _scrub(connection: AsyncConnection, person: str, convs: Iterable[str]) -> None:
    """What operators did stays, and not whom it was about."""
    scrubbed = update(audit).values(target=ERASED, detail="", conv=None)
    for some in _batches(convs):
        await connection.execute(scrubbed.where(audit.c.conv.in_(some)))
    await connection.execute(scrubbed.where(audit.c.target == person))


async def _convs(connection: AsyncConnection, person: str) -> list[str]:
    """The person's scopes, and every conversation key of theirs that any row names."""
    own = select(conversations.c.key).where(conversations.c.person == person)
    found = set((await connection.execute(own)).scalars())
    channel, _, user = person.partition("/")
    for table in (conversations, audit, *NAMING):
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
