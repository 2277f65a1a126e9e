"""Dead letters are put back where they came from, once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.sql.cold import Cold
from storage.sql.tables import dead_letters, inbox, outbox


async def replay(cold: Cold, dead: int) -> tuple[int | None, int | None]:
    """Puts a dead letter back: answers its new inbox number, or the turn of its message; and
    its partition, where it went into the inbox.
    """

    async def write(connection: AsyncConnection) -> tuple[int | None, int | None]:
        return await _replay(connection, dead)

    return await cold.write(write)


async def _replay(connection: AsyncConnection, dead: int) -> tuple[int | None, int | None]:
    this = dead_letters.c.id == dead
    # Locked where several may come at once: of them one finds it.
    found = await connection.execute(select(dead_letters).where(this).with_for_update())
    letter = found.mappings().first()
    if letter is None:
        return None, None
    await connection.execute(delete(dead_letters).where(this))
    if letter["origin"] == "outbox":
        return await _send_again(connection, letter), None
    return await _run_again(connection, letter), int(letter["part"])


async def _run_again(connection: AsyncConnection, letter: RowMapping) -> int:
    values = {
        **_same(letter, "source", "part", "conv", "kind", "body", "at"),
        # The first row of this name is kept for a while, so that it is not accepted again.
        "ext": f"replay:{letter['id']}",
        "tries": 0,
        "todo": letter["part"],
    }
    result = await connection.execute(insert(inbox).values(values))
    key = result.inserted_primary_key
    assert key is not None  # noqa: S101 -- an insert of one row has it
    return int(key.seq)


async def _send_again(connection: AsyncConnection, letter: RowMapping) -> int:
    name = _same(letter, "conv", "turn", "n")
    await connection.execute(
        delete(outbox).where(*(outbox.c[column] == value for column, value in name.items()))
    )
    values = {
        **name,
        **_same(letter, "part", "chat", "slot", "body"),
        "state": "new",
        "tries": 0,
        "due": 0,
        "todo": letter["part"],
    }
    await connection.execute(insert(outbox).values(values))
    return int(letter["turn"])


def _same(letter: RowMapping, *columns: str) -> dict[str, Any]:
    return {column: letter[column] for column in columns}
