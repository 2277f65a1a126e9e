"""Rows for people to read, a page at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from flows.conversation import PARTITIONS
from flows.ports import Page, Query, Tally
from storage.listings import Look, look, page
from storage.sql.cold import Cold
from storage.sql.tables import conversations, inbox, instances, metadata, outbox

UNDONE = {"inbox": inbox.c.todo.is_not(None), "outbox": outbox.c.todo.is_not(None)}


async def inspect(cold: Cold, query: Query) -> Page:
    """A page of a listing."""
    looked = look(query)

    async def read(connection: AsyncConnection) -> list[dict[str, Any]]:
        asked = _select(query.what, looked, connection.dialect.name)
        return [dict(row) for row in (await connection.execute(asked)).mappings().all()]

    return page(await cold.read(read), looked)


async def tally(cold: Cold) -> list[Tally]:
    """How many instances there are of each flow, step and status."""
    named = (instances.c.flow, instances.c.step, instances.c.status)
    counting = select(*named, func.count()).group_by(*named)

    async def read(connection: AsyncConnection) -> list[Tally]:
        return [Tally(*row) for row in (await connection.execute(counting)).all()]

    return await cold.read(read)


def contains(dialect: str, column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether a text stands in a column, letter for letter: LIKE takes upper and lower case for
    the same on some databases.
    """
    place = func.strpos if dialect == "postgresql" else func.instr
    return place(column, text) > 0


def _select(what: str, looked: Look, dialect: str) -> Select[Any]:
    columns = metadata.tables[what].c
    listing = looked.listing
    order = [columns[name] for name in listing.order]
    query = select(*(columns[name] for name in listing.columns))
    if what in UNDONE:
        query = query.where(UNDONE[what])
        if "part" not in looked.matches:
            # names each partition, so that what is undone is found by the index of it, and not
            # by going through all that is done
            query = query.where(columns.todo.in_(range(PARTITIONS)))
    for name, value in looked.matches.items():
        # what is undone has its partition in ``todo``, which is what the index is of
        indexed = "todo" if name == "part" and what in UNDONE else name
        query = query.where(columns[indexed] == value)
    if looked.live is not None:
        query = query.where(columns.ended.is_(None) if looked.live else columns.ended.is_not(None))
    if looked.step is not None:
        among = literal(" ") + columns.step + literal(" ")
        # most stand at one step, which is told at a glance
        several = contains(dialect, columns.step, " ")
        beside = several & contains(dialect, among, f" {looked.step} ")
        query = query.where((columns.step == looked.step) | beside)
    if looked.before is not None:
        query = query.where(columns.updated < looked.before)
    if looked.text is not None:
        inside = (contains(dialect, columns[name], looked.text) for name in ("id", "conv"))
        query = query.where(or_(*inside))
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
