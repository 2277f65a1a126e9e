"""Where SQL databases differ, as far as statements go. One class each, with the same methods.

SQLite is the only one yet. PostgreSQL will say ``= ANY(:list)`` where SQLite unfolds a JSON
list, and lock the rows that SQLite guards by its one writer.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVarTuple

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Executable,
    Select,
    Table,
    Text,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.sql import dml
from sqlalchemy.sql.expression import ClauseElement

Columns = TypeVarTuple("Columns")

ONE: ColumnElement[int] = literal_column("1")
"""The number itself: a plain 1 would become a parameter."""


class SqliteDialect:
    """SQLite, by way of the ``sqlite3`` module: question marks and tuples."""

    def __init__(self) -> None:
        self._dialect = sqlite.dialect(paramstyle="qmark")

    def compile(self, statement: Executable, *names: str) -> str:
        """The text of a statement, to be executed with tuples of the parameters ``names``.

        The names are given in the order that the text wants them, so that whoever fills the
        tuples reads the order where the statement is; another order is an error.
        """
        assert isinstance(statement, ClauseElement)  # noqa: S101 -- for the type checkers only
        compiled = statement.compile(dialect=self._dialect, column_keys=_columns(statement, names))
        wanted = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]  # SQLCompiler has it
        if wanted != names:
            raise AssertionError(f"{compiled}\ntakes {wanted}, not {names}")
        return str(compiled)

    def any_of(self, column: ColumnElement[object], name: str) -> ColumnElement[bool]:
        """``column`` is in the list of parameter ``name``, which goes in through ``listed``."""
        unfolded = func.json_each(bindparam(name, type_=Text)).table_valued("value")
        return column.in_(select(unfolded.c.value))

    def listed(self, values: Collection[int] | Collection[str]) -> str:
        """The parameter for ``any_of``."""
        return orjson.dumps(list(values)).decode()

    def limited(self, query: Select[*Columns], name: str) -> Select[*Columns]:
        """The first rows of a query, as many as the parameter ``name`` says; -1 is all."""
        # Without an offset of its own the compiler adds one as a parameter.
        return query.limit(bindparam(name)).offset(literal_column("0"))

    def insert_new(self, table: Table, *unique: str) -> Insert:
        """An insert that does nothing where a row with the same ``unique`` columns is."""
        return sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)

    def upsert(self, table: Table, *, values: Collection[str]) -> Insert:
        """An insert that writes over the columns ``values`` of the row with the same key."""
        insert = sqlite.insert(table)
        changes = {name: insert.excluded[name] for name in values}
        key: list[Column[object]] = list(table.primary_key.columns)
        return insert.on_conflict_do_update(index_elements=key, set_=changes)


def _columns(statement: ClauseElement, names: Collection[str]) -> list[str] | None:
    """For an insert of values: the columns that it fills."""
    fills = isinstance(statement, dml.Insert) and statement.select is None
    return list(names) if fills else None
