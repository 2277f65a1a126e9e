"""MySQL and MariaDB, by way of aiomysql, which writes the parameters into the text itself.

So a text may have as many places as there are rows: what PostgreSQL gets as arrays comes here
as a small table of literals, or as an insert of many rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVarTuple, cast

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Executable,
    Select,
    Table,
    bindparam,
    insert,
    literal_column,
)
from sqlalchemy.dialects.mysql import Insert, aiomysql
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.sql.expression import ClauseElement

from storage.sql.dialects.base import (
    Among,
    Cursor,
    Find,
    Number,
    Race,
    Refused,
    Row,
    Write,
    checked,
    fills,
    listed_among,
)

Columns = TypeVarTuple("Columns")

AT_ONCE = 1 << 20
"""How many characters of texts one statement holds: servers refuse what is many times that."""

NONE = "\0"
"""What no column holds: it stands for the list that is empty, which the server does not know."""


class Several(tuple[Any, ...]):
    """The values of a list, for one place of a text."""


def unfolded(statement: str, parameters: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """The text with as many places as lists have values: the driver knows no lists."""
    if not any(isinstance(value, Several) for value in parameters):
        return statement, parameters
    text, *rest = statement.split("%s")
    flat: list[Any] = []
    for value, following in zip(parameters, rest, strict=True):
        if isinstance(value, Several):
            text += f"({', '.join(['%s'] * len(value))}){following}"
            flat += value
        else:
            text += f"%s{following}"
            flat.append(value)
    return text, flat


class MysqlDialect:
    """MySQL and MariaDB. Rows are locked in the order of their keys, as in PostgreSQL."""

    name = "mysql"
    concurrent = True
    everything: int | None = (1 << 64) - 1
    notify: str | None = None
    # When the statement began. Who has waited for a lock believes it to be earlier than it is:
    # no timer is early by that, and no lease too long.
    moment: ColumnElement[int] = literal_column(
        "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))", BigInteger
    )

    def __init__(self) -> None:
        self._dialect = aiomysql.dialect()
        self._quote = self._dialect.identifier_preparer.quote

    def compile(self, statement: Executable, *names: str) -> str:
        assert isinstance(statement, ClauseElement)  # noqa: S101 -- for the type checkers only
        compiled = statement.compile(dialect=self._dialect, column_keys=fills(statement, names))
        return checked(compiled, names)

    def any_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        return cast("ColumnElement[bool]", column.bool_op("IN")(bindparam(name)))

    def listed(self, values: Collection[int] | Collection[str]) -> object:
        return Several(values) or Several([NONE])

    def among(
        self,
        column: ColumnElement[Any],
        statement: Callable[[ColumnElement[bool]], Executable],
        *before: str,
    ) -> Among:
        return listed_among(self, column, statement, before)

    def limited(self, query: Select[*Columns], name: str) -> Select[*Columns]:
        return query.limit(bindparam(name))

    def stored(self, column: Column[str]) -> ColumnElement[Any]:
        return column

    def locked(self, query: Select[*Columns]) -> Select[*Columns]:
        # Small tables would be read, and locked, from end to end.
        table = query.get_final_froms()[0]
        return query.with_hint(table, "FORCE INDEX (PRIMARY)", "mysql").with_for_update()

    def shared(self, query: Select[*Columns]) -> Select[*Columns]:
        return query.with_for_update(read=True)

    def spare(self, query: Select[*Columns]) -> Select[*Columns]:
        return query.with_for_update(skip_locked=True)

    def inserts(self, table: Table, *columns: str) -> Write:
        text = self.compile(insert(table), *columns)
        places = [
            columns.index(column.name) for column in table.primary_key if column.name in columns
        ]

        def write(cursor: Cursor, rows: Sequence[Row]) -> None:
            if rows:
                ordered = sorted(rows, key=lambda row: _name(row, places)) if places else rows
                cursor.executemany(text, ordered)

        return write

    def upserts(self, table: Table, *columns: str) -> Write:
        key = [column.name for column in table.primary_key]
        values = [name for name in columns if name not in key]
        text = self.compile(self.upsert(table, values=values), *columns)
        places = [columns.index(name) for name in key]

        def write(cursor: Cursor, rows: Sequence[Row]) -> None:
            last = {_name(row, places): row for row in rows}
            if last:
                cursor.executemany(text, [last[name] for name in sorted(last)])

        return write

    def updates(
        self,
        table: Table,
        *columns: str,
        key: Sequence[str],
        loaded: Sequence[str] = (),
        also: Mapping[str, ColumnElement[Any]] | None = None,
    ) -> Write:
        names = [*(f"{name}_" for name in columns), *(f"{name}_was" for name in (*key, *loaded))]
        quoted = self._quote(table.name)
        same = " AND ".join(
            f"{quoted}.{self._quote(name)} = given.{name}_was" for name in (*key, *loaded)
        )
        changes = [f"{quoted}.{self._quote(name)} = given.{name}_" for name in columns]
        for name, value in (also or {}).items():
            changes.append(f"{quoted}.{self._quote(name)} = {value.compile(dialect=self._dialect)}")
        start, end = len(columns), len(columns) + len(key)

        def write(cursor: Cursor, rows: Sequence[Row]) -> None:
            merged: dict[Row, Row] = {}
            for row in rows:
                name = row[start:end]
                before = merged.get(name)
                merged[name] = row if before is None else row[:end] + before[end:]
            for some in _parts([merged[name] for name in sorted(merged)]):
                given = _literals(names, some)
                text = f"UPDATE {given} STRAIGHT_JOIN {quoted} ON {same} SET {', '.join(changes)}"  # noqa: S608
                cursor.execute(text, _flat(some))
                if cursor.rowcount != len(some):
                    raise Race(f"{cursor.rowcount} of {len(some)} rows of {table.name} were there")

        return write

    def deletes(self, table: Table, *key: str) -> Write:
        quoted = self._quote(table.name)
        same = self._same(table, key)

        def write(cursor: Cursor, rows: Sequence[Row]) -> None:
            for some in _parts(sorted(set(rows))):
                given = _literals([f"{name}_was" for name in key], some)
                text = f"DELETE {quoted} FROM {given} STRAIGHT_JOIN {quoted} ON {same}"
                cursor.execute(text, _flat(some))

        return write

    def finds(self, table: Table, *columns: str, key: Sequence[str]) -> Find:
        return self._finds(table, *columns, key=key, locking=" FOR UPDATE")

    def numbers(self, table: Table, *columns: str, unique: Sequence[str]) -> Number:
        (number,) = table.primary_key.columns
        text = self.compile(insert(table), *columns)
        find = self._finds(table, number.name, key=unique, locking="")
        places = [columns.index(name) for name in unique]

        def insert_new(cursor: Cursor, rows: Sequence[Row]) -> list[int | None]:
            names = [_name(row, places) for row in rows]
            there = {tuple(name) for *name, _ in find(cursor, names)}
            new = {
                name: row
                for name, row in zip(reversed(names), reversed(rows), strict=True)
                if name not in there
            }
            if not new:
                return [None] * len(rows)
            try:
                cursor.executemany(text, list(reversed(new.values())))
            except Refused as error:
                if error.is_duplicate:
                    raise Race(str(error)) from error
                raise
            given = {tuple(name): seq for *name, seq in find(cursor, list(new))}
            # Of a name that comes twice only the first has the number.
            return [given.pop(name, None) for name in names]

        return insert_new

    def upsert(self, table: Table, *, values: Collection[str]) -> Insert:
        statement = mysql_insert(table)
        return statement.on_duplicate_key_update(
            {name: statement.inserted[name] for name in values}
        )

    def _finds(self, table: Table, *columns: str, key: Sequence[str], locking: str) -> Find:
        quoted = self._quote(table.name)
        shown = ", ".join(f"{quoted}.{self._quote(name)}" for name in (*key, *columns))
        same = self._same(table, key)

        def find(cursor: Cursor, keys: Sequence[Row]) -> list[Row]:
            found: list[Row] = []
            for some in _parts(sorted(set(keys))):
                given = _literals([f"{name}_was" for name in key], some)
                text = f"SELECT {shown} FROM {given} STRAIGHT_JOIN {quoted} ON {same}{locking}"  # noqa: S608
                found += cursor.execute(text, _flat(some)).fetchall()
            return found

        return find

    def _same(self, table: Table, key: Sequence[str]) -> str:
        quoted = self._quote(table.name)
        return " AND ".join(f"{quoted}.{self._quote(name)} = given.{name}_was" for name in key)


def _name(row: Row, places: Sequence[int]) -> Row:
    return tuple([row[place] for place in places])


def _literals(names: Sequence[str], rows: Sequence[Row]) -> str:
    """A table of as many rows as there are, with a place for each value."""
    first = ", ".join(f"%s AS {name}" for name in names)
    other = " UNION ALL SELECT " + ", ".join(["%s"] * len(names))
    return f"(SELECT {first}{other * (len(rows) - 1)}) AS given"


def _flat(rows: Sequence[Row]) -> Row:
    return tuple([value for row in rows for value in row])


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows, in parts of which each is no larger than a statement may be."""
    begin, size = 0, 0
    for place, row in enumerate(rows):
        size += sum([len(value) for value in row if isinstance(value, str)])
        if size > AT_ONCE and place > begin:
            yield rows[begin:place]
            begin, size = place, 0
    if rows:
        yield rows[begin:]
