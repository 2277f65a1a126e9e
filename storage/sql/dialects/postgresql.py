"""PostgreSQL, by way of asyncpg: all rows of a table in one statement, as arrays side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVarTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Executable,
    Integer,
    Select,
    Table,
    TableValuedAlias,
    Text,
    and_,
    any_,
    bindparam,
    column,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, asyncpg, insert
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.types import TypeEngine

from storage.sql.dialects.base import (
    Among,
    Cursor,
    Find,
    Number,
    Race,
    Row,
    Write,
    checked,
    fills,
    listed_among,
)

Columns = TypeVarTuple("Columns")

PLACE = "place"

CHANNEL = "handrail"
"""The channel of NOTIFY; it belongs to one database."""


class PostgresqlDialect:
    """PostgreSQL. Rows are locked in the order of their keys: two that lock never wait in a ring.

    Rows that are written come in arrays, one a column, and are put side by side by ``unnest``.
    """

    name = "postgresql"
    concurrent = True
    everything: int | None = None
    notify: str | None = f"SELECT pg_notify('{CHANNEL}', $1::TEXT)"
    # Not now(): that is when the transaction began, before it waited for locks.
    moment: ColumnElement[int] = literal_column(
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", BigInteger
    )

    def __init__(self) -> None:
        self._dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]

    def compile(self, statement: Executable, *names: str) -> str:
        assert isinstance(statement, ClauseElement)  # noqa: S101 -- for the type checkers only
        compiled = statement.compile(dialect=self._dialect, column_keys=fills(statement, names))
        return checked(compiled, names)

    def any_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        return column == any_(bindparam(name, type_=ARRAY(_plain(column))))

    def listed(self, values: Collection[int] | Collection[str]) -> object:
        return list(values)

    def among(
        self,
        column: ColumnElement[Any],
        statement: Callable[[ColumnElement[bool]], Executable],
        *before: str,
    ) -> Among:
        return listed_among(self, column, statement, before)

    def limited(self, query: Select[*Columns], name: str) -> Select[*Columns]:
        return query.limit(bindparam(name, type_=BigInteger))

    def stored(self, column: Column[str]) -> ColumnElement[Any]:
        return column

    def locked(self, query: Select[*Columns]) -> Select[*Columns]:
        return query.with_for_update()

    def shared(self, query: Select[*Columns]) -> Select[*Columns]:
        return query.with_for_update(read=True)

    def spare(self, query: Select[*Columns]) -> Select[*Columns]:
        return query.with_for_update(skip_locked=True)

    def inserts(self, table: Table, *columns: str) -> Write:
        rows = _side_by_side(table, columns)
        text = self.compile(_insert(table, columns, rows), *columns)
        return _ordered(_as_arrays(text), table, columns)

    def upserts(self, table: Table, *columns: str) -> Write:
        key = list(table.primary_key.columns.keys())
        statement = _insert(table, columns, _side_by_side(table, columns))
        changes = {name: statement.excluded[name] for name in columns if name not in key}
        statement = statement.on_conflict_do_update(index_elements=key, set_=changes)
        places = [columns.index(name) for name in key]
        return _last_of_each(_as_arrays(self.compile(statement, *columns)), places)

    def updates(
        self,
        table: Table,
        *given: str,
        key: Sequence[str],
        loaded: Sequence[str] = (),
        also: Mapping[str, ColumnElement[Any]] | None = None,
    ) -> Write:
        names = [*(f"{name}_" for name in given), *(f"{name}_was" for name in (*key, *loaded))]
        rows = _side_by_side(table, (*given, *key, *loaded), names)
        values: dict[str, ColumnElement[Any]] = {name: rows.c[f"{name}_"] for name in given}
        same = and_(*(table.c[name] == rows.c[f"{name}_was"] for name in (*key, *loaded)))
        statement = update(table).values({**values, **(also or {})}).where(same)
        text = self.compile(statement, *names)
        start = len(given)
        end = start + len(key)

        def write(cursor: Cursor, rows: Sequence[Row]) -> None:
            if not rows:
                return
            merged: dict[Row, Row] = {}
            for row in rows:
                name = row[start:end]
                before = merged.get(name)
                merged[name] = row if before is None else row[:end] + before[end:]
            ordered = [merged[name] for name in sorted(merged)]
            cursor.execute(text, _arrays(ordered))
            if cursor.rowcount != len(ordered):
                raise Race(f"{cursor.rowcount} of {len(ordered)} rows of {table.name} were there")

        return write

    def deletes(self, table: Table, *key: str) -> Write:
        rows = _side_by_side(table, key)
        same = and_(*(table.c[name] == rows.c[name] for name in key))
        text = self.compile(delete(table).where(same), *key)
        return _last_of_each(_as_arrays(text), range(len(key)))

    def finds(self, table: Table, *columns: str, key: Sequence[str]) -> Find:
        rows = _side_by_side(table, key)
        same = and_(*(table.c[name] == rows.c[name] for name in key))
        query = (
            select(*(table.c[name] for name in (*key, *columns)))
            .join_from(rows, table, same)
            .order_by(*table.primary_key.columns)
            .with_for_update(of=table)
        )
        text = self.compile(query, *key)

        def find(cursor: Cursor, keys: Sequence[Row]) -> list[Row]:
            if not keys:
                return []
            return cursor.execute(text, _arrays(list(dict.fromkeys(keys)))).fetchall()

        return find

    def numbers(self, table: Table, *columns: str, unique: Sequence[str]) -> Number:
        (number,) = table.primary_key.columns
        statement = (
            _insert(table, columns, _side_by_side(table, columns))
            .on_conflict_do_nothing(index_elements=unique)
            .returning(number, *(table.c[name] for name in unique))
        )
        text = self.compile(statement, *columns)
        places = [columns.index(name) for name in unique]

        def insert_new(cursor: Cursor, rows: Sequence[Row]) -> list[int | None]:
            if not rows:
                return []
            found = cursor.execute(text, _arrays(rows)).fetchall()
            given = {tuple(name): seq for seq, *name in found}
            # Of a name that comes twice only the first has the number.
            return [given.pop(tuple(row[place] for place in places), None) for row in rows]

        return insert_new

    def upsert(self, table: Table, *, values: Collection[str]) -> Insert:
        statement = insert(table)
        changes = {name: statement.excluded[name] for name in values}
        key: list[Column[object]] = list(table.primary_key.columns)
        return statement.on_conflict_do_update(index_elements=key, set_=changes)


def _plain(column: ColumnElement[Any]) -> TypeEngine[Any]:
    """The type of an array's members. Not VARCHAR(191): a cast to that cuts in silence."""
    return BigInteger() if isinstance(column.type, Integer) else Text()


def _side_by_side(
    table: Table, columns: Sequence[str], names: Sequence[str] | None = None
) -> TableValuedAlias:
    """The arrays of the parameters ``names``, as the columns of a table."""
    names = names or columns
    types = [_plain(table.c[name]) for name in columns]
    arrays = [bindparam(name, type_=ARRAY(type_)) for name, type_ in zip(names, types, strict=True)]
    members: list[ColumnElement[Any]] = [
        column(name, type_) for name, type_ in zip(names, types, strict=True)
    ]
    unfolded = func.unnest(*arrays).table_valued(*members, with_ordinality=PLACE, name="given")
    return unfolded.render_derived()


def _insert(table: Table, columns: Sequence[str], rows: TableValuedAlias) -> Insert:
    """An insert of the rows, numbered in their order."""
    ordered = select(*(rows.c[name] for name in columns)).order_by(rows.c[PLACE])
    return insert(table).from_select(list(columns), ordered)


def _arrays(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(values) for values in zip(*rows, strict=True)]


def _as_arrays(text: str) -> Write:
    def write(cursor: Cursor, rows: Sequence[Row]) -> None:
        if rows:
            cursor.execute(text, _arrays(rows))

    return write


def _ordered(write: Write, table: Table, columns: Sequence[str]) -> Write:
    """Rows that are named by their sender go in the order of their names; numbered ones in that
    of the sender.
    """
    places = [columns.index(column.name) for column in table.primary_key if column.name in columns]
    if not places:
        return write
    name = _name(places)
    return lambda cursor, rows: write(cursor, sorted(rows, key=name))


def _last_of_each(write: Write, places: Sequence[int]) -> Write:
    """Of rows with one name the last is written, in the order of the names."""
    name = _name(places)

    def write_last(cursor: Cursor, rows: Sequence[Row]) -> None:
        last = {name(row): row for row in rows}
        write(cursor, [last[key] for key in sorted(last)])

    return write_last


def _name(places: Sequence[int]) -> Callable[[Row], Row]:
    return lambda row: tuple([row[place] for place in places])
