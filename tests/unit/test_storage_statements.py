"""How statements are written for each kind of database."""

from __future__ import annotations

from typing import Any

import pytest

from storage.sql.dialects import Dialect, Row
from storage.sql.dialects.mysql import NONE, MysqlDialect, Several, unfolded
from storage.sql.dialects.postgresql import PostgresqlDialect
from storage.sql.dialects.sqlite import SqliteDialect
from storage.sql.tables import conversations, instances


class Recorder:
    """A cursor that writes down what it is told."""

    rowcount = 0
    lastrowid = None

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []

    def execute(self, statement: str, parameters: Any = (), /) -> Recorder:
        self.said.append((statement, parameters))
        self.rowcount = len(parameters[0]) if parameters and isinstance(parameters[0], list) else 2
        return self

    def executemany(self, statement: str, parameters: Any, /) -> None:
        self.said.append((statement, parameters))

    def fetchall(self) -> list[Any]:
        return []


def test_lists_are_unfolded_where_they_stand() -> None:
    text = "UPDATE t SET a = %s WHERE b IN %s AND c IN %s"
    assert unfolded(text, (1, Several(["x", "y"]), Several([3]))) == (
        "UPDATE t SET a = %s WHERE b IN (%s, %s) AND c IN (%s)",
        [1, "x", "y", 3],
    )


def test_a_text_without_lists_is_left_alone() -> None:
    assert unfolded("SELECT %s", (1,)) == ("SELECT %s", (1,))


def test_an_empty_list_holds_what_no_column_holds() -> None:
    assert MysqlDialect().listed([]) == (NONE,)


@pytest.mark.parametrize("sql", [SqliteDialect(), PostgresqlDialect(), MysqlDialect()])
def test_parameters_in_another_order_are_a_mistake(sql: Dialect) -> None:
    from sqlalchemy import bindparam, select

    query = select(conversations.c.key).where(
        conversations.c.version == bindparam("a"), conversations.c.cause == bindparam("b")
    )
    assert sql.compile(query, "a", "b")
    with pytest.raises(AssertionError, match="takes"):
        sql.compile(query, "b", "a")


@pytest.mark.parametrize("sql", [SqliteDialect(), PostgresqlDialect(), MysqlDialect()])
def test_no_rows_are_no_statement(sql: Dialect) -> None:
    cursor = Recorder()
    columns = ("conv", "id", "flow")
    for write in (
        sql.inserts(instances, *columns),
        sql.upserts(instances, *columns),
        sql.updates(instances, "flow", key=("conv", "id")),
        sql.deletes(instances, "conv", "id"),
    ):
        write(cursor, [])
    assert sql.finds(instances, "flow", key=("conv", "id"))(cursor, []) == []
    assert sql.numbers(conversations, "key", "part", unique=("key",))(cursor, []) == []
    assert cursor.said == []


@pytest.mark.parametrize("sql", [PostgresqlDialect(), MysqlDialect()])
def test_servers_get_rows_in_the_order_of_their_keys_and_the_last_of_each(sql: Dialect) -> None:
    cursor = Recorder()
    rows: list[Row] = [("b", "1", "old"), ("a", "1", "x"), ("b", "1", "new")]
    sql.upserts(instances, "conv", "id", "flow")(cursor, rows)
    ((_, parameters),) = cursor.said
    if sql.name == "postgresql":
        parameters = list(zip(*parameters, strict=True))
    assert parameters == [("a", "1", "x"), ("b", "1", "new")]


def test_two_updates_of_a_row_are_compared_with_the_first_and_leave_the_last() -> None:
    cursor = Recorder()
    write = PostgresqlDialect().updates(
        conversations, "version", "state", key=("key",), loaded=("version",)
    )
    write(cursor, [(11, "a", "k", 10), (5, "z", "j", 4), (12, "b", "k", 11)])
    ((text, parameters),) = cursor.said
    assert parameters == [[5, 12], ["z", "b"], ["j", "k"], [4, 10]]
    assert "unnest" in text
