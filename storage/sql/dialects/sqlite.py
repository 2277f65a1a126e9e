"""SQLite, by way of the ``sqlite3`` module: question marks and tuples, one writer, row by row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVarTuple

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Executable,
    LargeBinary,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.sql.expression import ClauseElement

from storage.sql.dialects.base import (
    Among,
    Cursor,
    Find,
    Number,
    Row,
    Write,
    checked,
    fills,
    listed_among,
)

Columns = TypeVarTuple("Columns")


class SqliteDialect:
    """SQLite. Locks are those of its one writer, so rows need none."""

    name = "sqlite"
    concurrent = False
    everything: int | None = -1
    notify: str | None = None
    moment: ColumnElement[int] = literal_column(
        "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)", BigInteger
    )

    def __init__(self) -> None:
        self._dialect = sqlite.dialect(paramstyle="qmark")

    def compile(self, statement: Executable, *names: str) -> str:
        assert isinstance(statement, ClauseElement)  # noqa: S101 -- for the type checkers only
        compiled = statement.compile(dialect=self._dialect, column_keys=fills(statement, names))
        return checked(compiled, names)

    def any_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        unfolded = func.json_each(bindparam(name, type_=Text)).table_valued("value")
        return column.in_(select(unfolded.c.value))

    def listed(self, values: Collection[int] | Collection[str]) -> object:
        return orjson.dumps(list(values)).decode()

    def among(
        self,
        column: ColumnElement[Any],
        statement: Callable[[ColumnElement[bool]], Executable],
        *before: str,
    ) -> Among:
        # Taking a list apart costs as much as finding the row of one value.
        only = self.compile(statement(column == bindparam("only")), *before, "only")
        several = listed_among(self, column, statement, before)

        def ask(
            cursor: Cursor, values: Collection[int] | Collection[str], /, *given: object
        ) -> Cursor:
            if len(values) != 1:
                return several(cursor, values, *given)
            (value,) = values
            return cursor.execute(only, (*given, value))

        return ask

    def limited(self, query: Select[*Columns], name: str) -> Select[*Columns]:
        # Without an offset of its own the compiler adds one as a parameter.
        return query.limit(bindparam(name)).offset(literal_column("0"))

    def stored(self, column: Column[str]) -> ColumnElement[Any]:
        # As bytes: a text that is no UTF-8 would fail in the driver, without its key.
        return cast(column, LargeBinary)

    def locked(self, query: Select[*Columns]) -> Select[*Columns]:
        return query

    def shared(self, query: Select[*Columns]) -> Select[*Columns]:
        return query

    def spare(self, query: Select[*Columns]) -> Select[*Columns]:
        return query

    def inserts(self, table: Table, *columns: str) -> Write:
        return _each(self.compile(insert(table), *columns))

    def upserts(self, table: Table, *columns: str) -> Write:
        key = set(table.primary_key.columns.keys())
        values = [name for name in columns if name not in key]
        return _each(self.compile(self.upsert(table, values=values), *columns))

    def updates(
        self,
        table: Table,
        *given: str,
        key: Sequence[str],
        loaded: Sequence[str] = (),
        also: Mapping[str, ColumnElement[Any]] | None = None,
    ) -> Write:
        names = [f"{name}_" for name in given]
        compared = [f"{name}_was" for name in (*key, *loaded)]
        statement = (
            update(table)
            .ordered_values(
                *((table.c[name], bindparam(f"{name}_")) for name in given),
                *((table.c[name], value) for name, value in (also or {}).items()),
            )
            .where(
                *(
                    table.c[name] == bindparam(parameter)
                    for name, parameter in zip((*key, *loaded), compared, strict=True)
                )
            )
        )
        return _each(self.compile(statement, *names, *compared))

    def deletes(self, table: Table, *key: str) -> Write:
        names = [f"{name}_" for name in key]
        same = and_(*(table.c[name] == bindparam(f"{name}_") for name in key))
        return _each(self.compile(delete(table).where(same), *names))

    def finds(self, table: Table, *columns: str, key: Sequence[str]) -> Find:
        query = select(*(table.c[name] for name in columns)).where(
            *(table.c[name] == bindparam(f"{name}_") for name in key)
        )
        text = self.compile(query, *(f"{name}_" for name in key))

        def find(cursor: Cursor, keys: Sequence[Row]) -> list[Row]:
            return [
                (*names, *row) for names in keys for row in cursor.execute(text, names).fetchall()
            ]

        return find

    def numbers(self, table: Table, *columns: str, unique: Sequence[str]) -> Number:
        statement = sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)
        text = self.compile(statement, *columns)

        def number(cursor: Cursor, rows: Sequence[Row]) -> list[int | None]:
            answer = []
            for row in rows:
                cursor.execute(text, row)
                answer.append(cursor.lastrowid if cursor.rowcount else None)
            return answer

        return number

    def upsert(self, table: Table, *, values: Collection[str]) -> Insert:
        statement = sqlite.insert(table)
        changes = {name: statement.excluded[name] for name in values}
        key: list[Column[object]] = list(table.primary_key.columns)
        return statement.on_conflict_do_update(index_elements=key, set_=changes)


def _each(text: str) -> Write:
    def write(cursor: Cursor, rows: Sequence[Row]) -> None:
        if rows:
            cursor.executemany(text, rows)

    return write
