"""Rows for people to read, a page at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, literal, select, tuple_

from flows.ports import Page, Query
from storage.listings import Look, look, page
from storage.sql.cold import ColdConnections
from storage.sql.tables import conversations, inbox, metadata, outbox

UNDONE = {"inbox": inbox.c.todo.is_not(None), "outbox": outbox.c.todo.is_not(None)}


async def inspect(connections: ColdConnections, query: Query) -> Page:
    """A page of a listing."""
    looked = look(query)
    async with connections.reading() as connection:
        found = (await connection.execute(_select(query.what, looked))).mappings().all()
    return page([dict(row) for row in found], looked)


def _select(what: str, looked: Look) -> Select[Any]:
    columns = metadata.tables[what].c
    listing = looked.listing
    order = [columns[name] for name in listing.order]
    query = select(*(columns[name] for name in listing.columns))
    if what in UNDONE:
        query = query.where(UNDONE[what])
    for name, value in looked.matches.items():
        query = query.where(columns[name] == value)
    if looked.live is not None:
        query = query.where(columns.ended.is_(None) if looked.live else columns.ended.is_not(None))
    if looked.person is not None:
        own = select(conversations.c.key).where(conversations.c.person == looked.person)
        query = query.where(columns.conv.in_(own))
    if looked.after is not None:
        place: ColumnElement[Any] = tuple_(*order)
        after = tuple_(
            *(
                literal(value, column.type)
                for value, column in zip(looked.after, order, strict=True)
            )
        )
        query = query.where(place < after if listing.newest_first else place > after)
    sorting = [column.desc() if listing.newest_first else column.asc() for column in order]
    return query.order_by(*sorting).limit(looked.limit + 1)
