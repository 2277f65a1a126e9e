"""What the tables ask of a kind of SQL database: statements as text, and many rows at once.

The tables are written once, against ``Dialect``. What they get from it are texts for a driver's
cursor, or functions that take a cursor and rows: SQLite answers in microseconds and is asked
row by row; a server is far away and gets all rows of a table in one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar, TypeVarTuple

from sqlalchemy import Column, ColumnElement, Executable, Select, Table, literal_column
from sqlalchemy.sql import dml

Columns = TypeVarTuple("Columns")
Answer = TypeVar("Answer")

ONE: ColumnElement[int] = literal_column("1")
"""The number itself: a plain 1 would become a parameter."""

Row = tuple[Any, ...]


class Cursor(Protocol):
    """A driver's cursor, as ``sqlite3`` has it. Parameters are tuples, in the text's order."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        ...

    @property
    def lastrowid(self) -> int | None:
        """The number that the last insert gave, where the driver tells."""
        ...

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Cursor:
        """Runs a statement and answers the cursor itself."""
        ...

    def executemany(self, statement: str, parameters: Sequence[Sequence[Any]], /) -> object:
        """Runs a statement for each tuple."""
        ...

    def fetchall(self) -> list[Any]:
        """The rows that the last statement answered."""
        ...


class Among(Protocol):
    """A statement about the rows in which one column has one of some values."""

    def __call__(
        self, cursor: Cursor, values: Collection[int] | Collection[str], /, *before: object
    ) -> Cursor:
        """Runs it; ``before`` are its other parameters, which come first in its text."""
        ...


Work = Callable[[Cursor], Answer]
"""A unit of work: what happens in one transaction. It may be run again from its beginning."""

Write = Callable[[Cursor, Sequence[Row]], None]
"""Writes rows; none are no statement."""

Find = Callable[[Cursor, Sequence[Row]], list[Row]]
"""Finds the rows that have one of the keys given."""

Number = Callable[[Cursor, Sequence[Row]], list[int | None]]
"""Inserts rows and answers their numbers, which ascend; None for a row that was there."""


class Race(Exception):
    """Somebody else wrote a row between our look and our write: run the unit of work again."""


class Refused(Exception):
    """A row cannot be stored; the statement as such is right. Nothing was written.

    ``is_duplicate``: one with the same unique columns is there.
    """

    def __init__(self, reason: str, *, is_duplicate: bool = False) -> None:
        super().__init__(reason)
        self.is_duplicate = is_duplicate


class Dialect(Protocol):
    """One kind of SQL database.

    Attributes:
        name: as SQLAlchemy calls it.
        concurrent: whether several transactions write at once, so that rows have to be locked.
        everything: the limit that is none.
        moment: the database's clock, in microseconds since the epoch.
        notify: a statement that tells other handles of causes in the partitions that its
            parameter names, joined by commas; None: there is no way to.
    """

    name: str
    concurrent: bool
    everything: int | None
    moment: ColumnElement[int]
    notify: str | None

    def compile(self, statement: Executable, *names: str) -> str:
        """The text of a statement, to be executed with tuples of the parameters ``names``.

        The names are given in the order that the text wants them, so that whoever fills the
        tuples reads the order where the statement is; another order is an error.
        """
        ...

    def any_of(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """``column`` is in the list of parameter ``name``, which goes in through ``listed``."""
        ...

    def listed(self, values: Collection[int] | Collection[str]) -> object:
        """The parameter for ``any_of``."""
        ...

    def among(
        self,
        column: ColumnElement[Any],
        statement: Callable[[ColumnElement[bool]], Executable],
        *before: str,
    ) -> Among:
        """The statement that ``statement`` makes of the condition on ``column``.

        Args:
            before: its other parameters, in the order of the text, which come first.
        """
        ...

    def limited(self, query: Select[*Columns], name: str) -> Select[*Columns]:
        """The first rows of a query, as many as the parameter ``name`` says."""
        ...

    def stored(self, column: Column[str]) -> ColumnElement[Any]:
        """A text as it lies in the database, in bytes where it might be no text at all."""
        ...

    def locked(self, query: Select[*Columns]) -> Select[*Columns]:
        """The query, its rows locked against everybody's writing until the transaction ends."""
        ...

    def shared(self, query: Select[*Columns]) -> Select[*Columns]:
        """The query, its rows locked so that nobody changes them but others lock them too."""
        ...

    def spare(self, query: Select[*Columns]) -> Select[*Columns]:
        """``locked``, without the rows that others have locked."""
        ...

    def inserts(self, table: Table, *columns: str) -> Write:
        """Inserts rows of ``columns``; they are numbered in their order."""
        ...

    def upserts(self, table: Table, *columns: str) -> Write:
        """Inserts rows of ``columns``, or writes over the ones with the same primary key."""
        ...

    def updates(
        self,
        table: Table,
        *given: str,
        key: Sequence[str],
        loaded: Sequence[str] = (),
        also: Mapping[str, ColumnElement[Any]] | None = None,
    ) -> Write:
        """Updates rows by their ``key``. A tuple has the new values of ``given``, the key, and
        the values of ``loaded`` as they were.

        Of several tuples with one key the last counts, compared with the first's ``loaded``.
        ``also`` are columns that get the same in every row. Raises Race, where that can be
        told, when a row is not there or not as it was loaded.
        """
        ...

    def deletes(self, table: Table, *key: str) -> Write:
        """Deletes the rows with these keys; those that are not there do not matter."""
        ...

    def finds(self, table: Table, *columns: str, key: Sequence[str]) -> Find:
        """The ``key`` and the ``columns`` of the rows with these keys, locked, in no order."""
        ...

    def numbers(self, table: Table, *columns: str, unique: Sequence[str]) -> Number:
        """Inserts rows unless one with the same ``unique`` columns is there, in the table or
        earlier among them.
        """
        ...

    def upsert(self, table: Table, *, values: Collection[str]) -> dml.Insert:
        """An insert of one row that writes over the columns ``values`` of the one there."""
        ...


def listed_among(
    sql: Dialect,
    column: ColumnElement[Any],
    statement: Callable[[ColumnElement[bool]], Executable],
    before: Sequence[str],
) -> Among:
    """``Dialect.among`` in one text, whatever the number of values."""
    text = sql.compile(statement(sql.any_of(column, "among")), *before, "among")

    def ask(cursor: Cursor, values: Collection[int] | Collection[str], /, *given: object) -> Cursor:
        return cursor.execute(text, (*given, sql.listed(values)))

    return ask


def fills(statement: object, names: Collection[str]) -> list[str] | None:
    """For an insert of values: the columns that it fills."""
    filling = isinstance(statement, dml.Insert) and statement.select is None
    return list(names) if filling else None


def checked(compiled: Any, names: Sequence[str]) -> str:
    """The text of a compiled statement whose parameters are ``names``, in this order."""
    wanted = tuple(compiled.positiontup or ())
    if wanted != tuple(names):
        raise AssertionError(f"{compiled}\ntakes {wanted}, not {tuple(names)}")
    return str(compiled)
