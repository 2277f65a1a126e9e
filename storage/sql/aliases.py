"""Chats that go by another id."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.sql.cold import Cold
from storage.sql.dialects import Dialect
from storage.sql.tables import chat_aliases


async def alias(cold: Cold, sql: Dialect, *, source: str, chat: str, canonical: str) -> None:
    """``chat`` is another name of ``canonical`` from now on."""
    row = {"source": source, "chat": chat, "canonical": canonical}
    statement = sql.upsert(chat_aliases, values=("canonical",)).values(row)

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(statement)

    await cold.write(write)


async def aliases(cold: Cold) -> Mapping[tuple[str, str], str]:
    """All aliases: (source, chat) to the canonical chat."""

    async def read(connection: AsyncConnection) -> dict[tuple[str, str], str]:
        rows = (await connection.execute(select(chat_aliases))).all()
        return {(row.source, row.chat): row.canonical for row in rows}

    return await cold.read(read)
