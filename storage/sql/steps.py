"""The steps of migrations, for every kind of database, each of which may be taken again.

On MySQL and MariaDB a table that was created stays, also when the migration is killed after
it: so a step that was taken is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

NAME_CHARS = 191


def collation(dialect: sa.Dialect) -> str:
    """How names compare on MySQL and MariaDB: by their bytes, blanks at the end included."""
    return "utf8mb4_nopad_bin" if getattr(dialect, "is_mariadb", False) else "utf8mb4_0900_bin"


class Steps:
    """What migrations do, by way of Alembic's ``op``, which only exists while they run."""

    name = sa.String(NAME_CHARS).with_variant(sa.String(NAME_CHARS, collation="C"), "postgresql")
    text = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")

    def __init__(self, op: ModuleType) -> None:
        self._op = op
        self._bind: sa.Connection = op.get_bind()

    def create_table(self, name: str, *columns: Any, **options: Any) -> None:
        """Creates a table unless it is there."""
        if sa.inspect(self._bind).has_table(name):
            return
        mysql_options = {
            "mysql_engine": "InnoDB",
            "mysql_charset": "utf8mb4",
            "mysql_collate": collation(self._bind.dialect),
        }
        self._op.create_table(name, *columns, **mysql_options, **options)

    def create_index(self, name: str, table: str, columns: Sequence[str], **options: Any) -> None:
        """Creates an index unless it is there."""
        there = {index["name"] for index in sa.inspect(self._bind).get_indexes(table)}
        if name not in there:
            self._op.create_index(name, table, columns, **options)

    def drop_index(self, name: str, table: str) -> None:
        """Drops an index if it is there."""
        there = {index["name"] for index in sa.inspect(self._bind).get_indexes(table)}
        if name in there:
            self._op.drop_index(name, table)

    def primary_key(self, table: str) -> list[str]:
        """The columns of a table's primary key, in its order."""
        return list(sa.inspect(self._bind).get_pk_constraint(table)["constrained_columns"])

    def fill(self, name: str, rows: Sequence[dict[str, Any]]) -> None:
        """Inserts those rows whose first column is not there yet."""
        key = next(iter(rows[0]))
        table = sa.table(name, *(sa.column(column) for column in rows[0]))
        there = set(self._bind.execute(sa.select(table.c[key])).scalars())
        if new := [row for row in rows if row[key] not in there]:
            self._op.bulk_insert(table, new)
