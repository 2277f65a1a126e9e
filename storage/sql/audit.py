"""What operators did, kept for good."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.ports import AuditRow
from storage.sql.cold import Cold
from storage.sql.tables import audit


async def keep(cold: Cold, row: AuditRow) -> None:
    """Adds a row."""
    adding = insert(audit).values(
        at=row.at,
        who=row.who,
        what=row.what,
        target=row.target,
        detail=row.detail,
        conv=row.conv,
    )

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(adding)

    await cold.write(write)
