"""Chats that go by another id."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from storage.sql.cold import ColdConnections
from storage.sql.dialects import SqliteDialect
from storage.sql.tables import chat_aliases


async def alias(
    cold: ColdConnections, sql: SqliteDialect, *, source: str, chat: str, canonical: str
) -> None:
    """``chat`` is another name of ``canonical`` from now on."""
    statement = sql.upsert(chat_aliases, values=("canonical",))
    async with cold.writing() as connection:
        await connection.execute(statement.values(source=source, chat=chat, canonical=canonical))


async def aliases(cold: ColdConnections) -> Mapping[tuple[str, str], str]:
    """All aliases: (source, chat) to the canonical chat."""
    async with cold.reading() as connection:
        rows = (await connection.execute(select(chat_aliases))).all()
    return {(row.source, row.chat): row.canonical for row in rows}
