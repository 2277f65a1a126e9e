"""Who can be written to, and which messages have not gone yet: what a broadcast goes by."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.ports import ChatPage, MessageName
from storage.people import new_chats_of, prefix_of
from storage.sql.cold import Cold
from storage.sql.tables import conversations, outbox

AFTER_SLASH = "0"
"""The character that follows the slash, in bytes: where the keys of a prefix end."""


async def private_chats(cold: Cold, source: str, after: str | None, limit: int) -> ChatPage:
    """The private chats of a bot, a page at a time."""
    prefix, key = prefix_of(source), conversations.c.key
    begin = key >= prefix if after is None else key > after
    end = key < prefix[:-1] + AFTER_SLASH
    query = select(key).where(begin, end).order_by(key).limit(limit)

    async def read(connection: AsyncConnection) -> list[str]:
        return list((await connection.execute(query)).scalars())

    keys = await cold.read(read)
    return ChatPage(new_chats_of(keys, after), keys[-1] if len(keys) == limit else None)


async def waiting(cold: Cold, names: Collection[MessageName]) -> dict[MessageName, int]:
    """Which messages still wait to be delivered, and how often each was tried."""
    wanted, row = set(names), outbox.c
    # By the turns, which the index of names begins with; each has a few messages.
    query = select(row.conv, row.turn, row.n, row.tries).where(
        row.turn.in_({turn for _, turn, _ in wanted}),
        row.conv.in_({conv for conv, _, _ in wanted}),
        row.todo.is_not(None),
    )

    async def read(connection: AsyncConnection) -> dict[MessageName, int]:
        found = (await connection.execute(query)).all()
        return {(conv, turn, n): tries for conv, turn, n, tries in found}

    if not wanted:
        return {}
    return {name: tries for name, tries in (await cold.read(read)).items() if name in wanted}
