"""Marks of sent messages ride along in the transaction of the next write to an SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flows.errors import OutcomeUnknown, StorageDown
from storage.sql.connect import patient_engine
from storage.sql.dialects import Cursor
from storage.sql.hot import HotConnection
from storage.sql.riders import SEATS

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a table of numbers, none twice."""
    path = tmp_path / "numbers.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE numbers (number INTEGER NOT NULL UNIQUE)")
    return path


@pytest.fixture
async def hot(path: Path) -> AsyncIterator[HotConnection]:
    engine = patient_engine(path, synchronous="NORMAL", patience=0.05)
    hot = HotConnection(engine, path, patience=0.05, synchronous="NORMAL")
    yield hot
    await hot.close()


@pytest.fixture
def begun(hot: HotConnection) -> list[str]:
    """The transactions that were begun."""
    begun: list[str] = []

    def asked(statement: str) -> None:
        if statement.startswith("BEGIN"):
            begun.append(statement)

    hot._driver.set_trace_callback(asked)
    return begun


@pytest.fixture
def intruder(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection to the same file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def put(number: int | None) -> Callable[[Cursor], str]:
    """Writes a number."""

    def work(cursor: Cursor) -> str:
        cursor.execute("INSERT INTO numbers VALUES (?)", (number,))
        return f"put {number}"

    return work


async def kept(hot: HotConnection) -> list[int]:
    """The numbers that are written."""
    rows = await hot.read(lambda cursor: cursor.execute("SELECT number FROM numbers").fetchall())
    return sorted(number for (number,) in rows)


def riding(hot: HotConnection, number: int | None, marks: int = 1) -> asyncio.Future[str]:
    """A mark that waits."""
    return asyncio.ensure_future(hot.write(put(number), marks=marks))


async def test_a_mark_and_the_next_write_are_one_transaction(
    hot: HotConnection, begun: list[str]
) -> None:
    first, second = riding(hot, 1), riding(hot, 2)
    await asyncio.sleep(0)
    assert await hot.write(put(3)) == "put 3"
    assert await first == "put 1"
    assert await second == "put 2"
    assert await kept(hot) == [1, 2, 3]
    assert len(begun) == 1


async def test_a_mark_after_which_nothing_is_written_leaves_by_itself(hot: HotConnection) -> None:
    assert await riding(hot, 1) == "put 1"
    assert await kept(hot) == [1]


async def test_many_marks_wait_for_nobody_and_take_along_who_waits(
    hot: HotConnection, begun: list[str]
) -> None:
    few = riding(hot, 1)
    await asyncio.sleep(0)
    await hot.write(put(2), marks=SEATS)
    assert await kept(hot) == [1, 2]
    assert await few == "put 1"
    assert len(begun) == 1


async def test_a_write_that_fails_keeps_no_mark_from_being_written(hot: HotConnection) -> None:
    mark = riding(hot, 1)
    await asyncio.sleep(0)
    with pytest.raises(sqlite3.IntegrityError):
        await hot.write(put(None))
    assert await mark == "put 1"
    assert await kept(hot) == [1]


async def test_a_mark_that_fails_keeps_nothing_else_from_being_written(hot: HotConnection) -> None:
    bad, good = riding(hot, None), riding(hot, 1)
    await asyncio.sleep(0)
    assert await hot.write(put(2)) == "put 2"
    with pytest.raises(sqlite3.IntegrityError):
        await bad
    assert await good == "put 1"
    assert await kept(hot) == [1, 2]


async def test_a_mark_that_nobody_waits_for_any_more_is_not_written(hot: HotConnection) -> None:
    mark = riding(hot, 1)
    await asyncio.sleep(0)
    mark.cancel()
    await asyncio.wait([mark])
    await hot.write(put(2))
    assert await kept(hot) == [2]


async def test_what_waits_is_written_before_the_connection_closes(
    path: Path, intruder: sqlite3.Connection
) -> None:
    engine = patient_engine(path, synchronous="NORMAL", patience=0.05)
    hot = HotConnection(engine, path, patience=0.05, synchronous="NORMAL")
    mark = riding(hot, 1)
    await asyncio.sleep(0)
    await hot.close()
    assert await mark == "put 1"
    assert intruder.execute("SELECT number FROM numbers").fetchall() == [(1,)]


async def test_all_of_them_wait_for_another_programs_transaction(
    path: Path, intruder: sqlite3.Connection
) -> None:
    engine = patient_engine(path, synchronous="NORMAL", patience=30)
    hot = HotConnection(engine, path, patience=30, synchronous="NORMAL")
    intruder.execute("BEGIN IMMEDIATE")
    mark = riding(hot, 1)
    await asyncio.sleep(0)
    write = asyncio.ensure_future(hot.write(put(2)))
    await asyncio.sleep(0)
    assert not write.done()
    intruder.execute("COMMIT")
    assert [await mark, await write] == ["put 1", "put 2"]
    assert await kept(hot) == [1, 2]
    await hot.close()


async def test_a_lock_that_stays_is_told_to_all_of_them_and_nothing_is_written(
    hot: HotConnection, intruder: sqlite3.Connection
) -> None:
    intruder.execute("BEGIN IMMEDIATE")
    mark = riding(hot, 1)
    await asyncio.sleep(0)
    with pytest.raises(StorageDown, match="locked by another program"):
        await hot.write(put(2))
    with pytest.raises(StorageDown, match="locked by another program"):
        await mark
    intruder.execute("COMMIT")
    assert await kept(hot) == []


async def test_who_rides_with_a_write_that_is_given_up_is_told_that_nobody_knows(
    hot: HotConnection, intruder: sqlite3.Connection
) -> None:
    intruder.execute("BEGIN IMMEDIATE")
    mark = riding(hot, 1)
    await asyncio.sleep(0)
    write = asyncio.ensure_future(hot.write(put(2)))
    await asyncio.sleep(0)
    write.cancel()
    with pytest.raises(OutcomeUnknown, match="Read again before anything is repeated"):
        await mark
    intruder.execute("COMMIT")
