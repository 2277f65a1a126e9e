"""What is SQLite's own: one file, other processes, locks, a full disk, a death in the middle."""

# ruff: noqa: ASYNC240 -- a test may block its own loop for a moment

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from flows.errors import AlreadyOwned, SchemaMismatch, StorageDown, StorageError
from flows.ports import Outcome, Query
from storage import SqlStorage
from storage.sql.hot import MARKS, HotConnection
from storage.testing.rows import accepted, cause, conv, message, pending, person, sent, turn

pytestmark = pytest.mark.anyio

EVERYTHING, TTL = 64, 15_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "handrail.db"


@pytest.fixture
async def storage(path: Path) -> AsyncIterator[SqlStorage]:
    """An opened storage with little patience, so that tests of locks do not take long."""
    storage = SqlStorage(f"sqlite:///{path}", patience=0.05)
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
def intruder(path: Path, storage: SqlStorage) -> Iterator[sqlite3.Connection]:
    """Another program's connection to the same file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def _driver(storage: SqlStorage) -> sqlite3.Connection:
    hot = storage._opened.hot
    assert isinstance(hot, HotConnection)
    return hot._driver


def _python(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# --- one worker, many visitors ------------------------------------------------------------


async def test_a_second_worker_in_this_process_is_refused(path: Path, storage: SqlStorage) -> None:
    await storage.lease("first", EVERYTHING, TTL)
    other = SqlStorage(f"sqlite:///{path}")
    await other.open()
    with pytest.raises(AlreadyOwned, match=r"Stop that one first"):
        await other.lease("second", EVERYTHING, TTL)
    await other.close()


LEASE_AND_DIE = """
import asyncio, os, signal, sys
from storage import SqlStorage
from storage.testing.rows import accepted, full_turn

async def main():
    storage = SqlStorage("sqlite:///" + sys.argv[1])
    await storage.open()
    fence = await storage.lease("second", 64, 15_000)
    first, second = await accepted(storage, "ada", "bob")
    await storage.commit(fence, [full_turn(first)])
    print(sorted(fence.epochs.items())[0], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_second_worker_in_another_process_is_refused(
    path: Path, storage: SqlStorage
) -> None:
    await storage.lease("first", EVERYTHING, TTL)
    ended = await asyncio.to_thread(_python, LEASE_AND_DIE, path)
    assert ended.returncode == 1
    assert "AlreadyOwned: another worker runs on the database" in ended.stderr


async def test_a_killed_worker_leaves_its_work_and_its_partitions(path: Path) -> None:
    ended = await asyncio.to_thread(_python, LEASE_AND_DIE, path)
    assert ended.stdout == "(0, 1)\n", ended.stderr
    storage = SqlStorage(f"sqlite:///{path}")
    await storage.open()
    fence = await storage.lease("first", EVERYTHING, TTL)
    assert fence.epochs[0] == 2
    assert conv("ada") in await storage.load([conv("ada")])
    assert [row.conv for row in await pending(storage, fence)] == [conv("bob")]
    await storage.close()


OPERATE = """
import asyncio, sys
from flows.ports import Query
from storage import SqlStorage
from storage.testing.rows import cause

async def main():
    storage = SqlStorage("sqlite:///" + sys.argv[1])
    await storage.open()
    print(len((await storage.inspect(Query(what="inbox"))).rows))
    print(*await storage.accept([cause("resume", "bob")]))
    await storage.close()

asyncio.run(main())
"""


async def test_operators_look_and_add_causes_beside_a_worker(
    path: Path, storage: SqlStorage
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (own,) = await accepted(storage, "ada")
    ended = await asyncio.to_thread(_python, OPERATE, path)
    seen, added = map(int, ended.stdout.split())
    assert seen == 1
    assert [row.seq for row in await pending(storage, fence)] == [own, added]


async def test_after_release_another_worker_may_come(path: Path, storage: SqlStorage) -> None:
    first = await storage.lease("first", EVERYTHING, TTL)
    await storage.release("first")
    other = SqlStorage(f"sqlite:///{path}")
    await other.open()
    second = await other.lease("second", EVERYTHING, TTL)
    assert all(second.epochs[part] > epoch for part, epoch in first.epochs.items())
    await other.close()


async def test_a_worker_that_leaves_one_of_two_names_keeps_the_file(
    path: Path, storage: SqlStorage
) -> None:
    await storage.lease("one", 10, TTL)
    await storage.lease("two", 10, TTL)
    await storage.release("one")
    other = SqlStorage(f"sqlite:///{path}")
    await other.open()
    with pytest.raises(AlreadyOwned):
        await other.lease("third", EVERYTHING, TTL)
    await other.close()


# --- what is kept ---------------------------------------------------------------------------


async def test_causes_and_messages_are_emptied_when_they_are_done(
    storage: SqlStorage, intruder: sqlite3.Connection
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    await storage.note(fence, seq, '"notes"')
    rows = [message(seq), message(seq, n=1)]
    await storage.commit(fence, [replace(turn(seq), outbox=rows)])
    refused = replace(sent(rows[1]), state="dead", slot=None, ref=None)
    await storage.sent(fence, [sent(rows[0]), refused])
    cause_ = intruder.execute("SELECT body, notes, todo FROM inbox").fetchall()
    assert cause_ == [(None, None, None)]
    messages = intruder.execute("SELECT body, todo, state FROM outbox ORDER BY seq").fetchall()
    assert messages == [(None, None, "sent"), (None, None, "dead")]


# --- locks ---------------------------------------------------------------------------------


async def test_a_call_waits_for_another_programs_transaction(
    path: Path, intruder: sqlite3.Connection
) -> None:
    storage = SqlStorage(f"sqlite:///{path}", patience=30)
    await storage.open()
    intruder.execute("BEGIN IMMEDIATE")
    call = asyncio.ensure_future(storage.accept([cause("1")]))
    await asyncio.sleep(0)
    assert not call.done()
    intruder.execute("COMMIT")
    assert None not in await call
    await storage.close()


async def test_calls_behind_a_waiting_one_wait_too_and_keep_their_order(
    path: Path, intruder: sqlite3.Connection
) -> None:
    storage = SqlStorage(f"sqlite:///{path}", patience=30)
    await storage.open()
    intruder.execute("BEGIN IMMEDIATE")
    calls = [asyncio.ensure_future(storage.accept([cause(f"{n}")])) for n in range(5)]
    await asyncio.sleep(0)
    intruder.execute("COMMIT")
    pages = await asyncio.gather(*calls)
    seqs = [seq for page in pages for seq in page]
    assert seqs == sorted(seqs, key=lambda seq: seq or 0)
    assert None not in seqs
    await storage.close()


async def test_a_cancelled_caller_leaves_the_connection_to_its_work(
    path: Path, intruder: sqlite3.Connection
) -> None:
    storage = SqlStorage(f"sqlite:///{path}", patience=30)
    await storage.open()
    intruder.execute("BEGIN IMMEDIATE")
    cancelled = asyncio.ensure_future(storage.accept([cause("1")]))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    behind = asyncio.ensure_future(storage.accept([cause("1"), cause("2")]))
    await asyncio.sleep(0)
    intruder.execute("COMMIT")
    # The cancelled call was under way and ran to its end, before the next one.
    duplicate, new = await behind
    assert duplicate is None
    assert new is not None
    await storage.close()


async def test_a_lock_that_stays_is_told_with_the_file_and_what_to_do(
    path: Path, storage: SqlStorage, intruder: sqlite3.Connection
) -> None:
    intruder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageDown, match=r"handrail\.db has been locked by another program"):
        await storage.accept([cause("1")])
    with pytest.raises(StorageDown, match=r"locked by another program"):
        await storage.erase(person("ada"))
    intruder.execute("COMMIT")
    assert None not in await storage.accept([cause("1")])


async def test_reading_needs_no_lock(storage: SqlStorage, intruder: sqlite3.Connection) -> None:
    intruder.execute("BEGIN IMMEDIATE")
    assert await storage.load([conv("ada")]) == {}
    assert (await storage.inspect(Query(what="inbox"))).rows == []
    intruder.execute("COMMIT")


async def test_a_long_reader_holds_up_neither_turns_nor_the_log_for_ever(
    path: Path, storage: SqlStorage, intruder: sqlite3.Connection
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    intruder.execute("BEGIN")
    intruder.execute("SELECT count(*) FROM inbox").fetchall()
    (seq,) = await accepted(storage, "ada")
    (done,) = await storage.commit(fence, [turn(seq)])
    assert done.outcome is Outcome.DONE
    intruder.execute("COMMIT")
    await storage.erase(person("ada"))
    assert path.with_name(path.name + "-wal").stat().st_size == 0


async def test_erasing_beside_a_reader_says_that_the_log_is_left(
    path: Path, storage: SqlStorage, intruder: sqlite3.Connection
) -> None:
    await storage.accept([cause("1")])
    intruder.execute("BEGIN")
    intruder.execute("SELECT count(*) FROM inbox").fetchall()
    with pytest.raises(StorageDown, match=r"End that program and erase again"):
        await storage.erase(person("ada"))
    intruder.execute("COMMIT")
    await storage.erase(person("ada"))
    assert path.with_name(path.name + "-wal").stat().st_size == 0


# --- the disk ------------------------------------------------------------------------------


async def test_a_full_disk_loses_nothing_and_heals(storage: SqlStorage) -> None:
    driver = _driver(storage)
    (pages,) = driver.execute("PRAGMA page_count").fetchone()
    driver.execute(f"PRAGMA max_page_count = {pages}")
    large = cause("1", body=f'"{"x" * 100_000}"')
    with pytest.raises(StorageDown, match=r"disk is full"):
        await storage.accept([large])
    driver.execute("PRAGMA max_page_count = 1000000")
    assert None not in await storage.accept([large])


async def test_a_damaged_file_is_told_as_such(path: Path, storage: SqlStorage) -> None:
    await storage.accept([cause(f"{n}", body='"x"' * 1000) for n in range(100)])
    await storage.close()
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\xff" * (len(content) - 4096 * 2)
    path.write_bytes(content)
    damaged = SqlStorage(f"sqlite:///{path}")
    with pytest.raises(StorageError, match=r"damaged .* Restore it from a backup"):
        await damaged.open()


async def test_durability_is_said_as_it_is_set(path: Path) -> None:
    full, normal = (
        SqlStorage(f"sqlite:///{path}"),
        SqlStorage(f"sqlite:///{path}?synchronous=normal"),
    )
    assert "a power cut." in (await full.open()).durability
    assert "a power cut may take" in (await normal.open()).durability
    for storage, level in ((full, 2), (normal, 1)):
        driver = _driver(storage)
        assert driver.execute("PRAGMA synchronous").fetchone() == (level,)
        await storage.close()


# --- what cannot be opened -----------------------------------------------------------------


async def _refused(path: Path) -> str:
    storage = SqlStorage(f"sqlite:///{path}", patience=0.05)
    with pytest.raises(StorageError) as refusal:
        await storage.open()
    assert isinstance(refusal.value, SchemaMismatch | StorageDown)
    return str(refusal.value)


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert "does not exist. Create it" in await _refused(tmp_path / "none" / "handrail.db")


async def test_a_folder_is_no_database(tmp_path: Path) -> None:
    assert "is a folder, not a database" in await _refused(tmp_path)


async def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_text("Dear diary, " * 1000)
    assert "is no SQLite database" in await _refused(path)
    assert path.read_text().startswith("Dear diary")


async def test_a_database_of_somebody_else_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title)")
        connection.commit()
    before = path.read_bytes()
    assert "belongs to another program (it has the tables songs)" in await _refused(path)
    assert path.read_bytes() == before


async def test_another_program_with_alembic_is_not_ours(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.execute("CREATE TABLE meta (name, value)")
        connection.execute("INSERT INTO meta VALUES ('application', 'jukebox')")
        connection.commit()
    assert "belongs to another program" in await _refused(path)


async def test_a_newer_schema_is_refused(path: Path, storage: SqlStorage) -> None:
    await storage.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert "is at revision 9999, which is newer than this version" in await _refused(path)


async def test_a_locked_database_is_not_opened(path: Path, storage: SqlStorage) -> None:
    await storage.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert "has been locked by another program" in await _refused(path)


async def test_a_read_only_database_is_refused(
    path: Path, storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await storage.close()
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def read_only(database: str, **options: object) -> sqlite3.Connection:
        return connect(f"file:{database}?mode=ro", uri=True, **options)

    # Not by the mode of the file: who runs the tests may be somebody whom no mode keeps out.
    monkeypatch.setattr(sqlite3.dbapi2, "connect", read_only)
    assert "it may not be written" in await _refused(path)


async def test_only_every_33rd_mark_of_a_sent_message_waits_for_the_disk(
    storage: SqlStorage,
) -> None:
    fence = await storage.lease("me", EVERYTHING, TTL)
    users = [f"user{number}" for number in range(MARKS + 1)]
    seqs = await accepted(storage, *users)
    rows = [message(seq, user) for seq, user in zip(seqs, users, strict=True)]
    turns = [
        replace(turn(row.turn, user), outbox=[row]) for row, user in zip(rows, users, strict=True)
    ]
    await storage.commit(fence, turns)
    asked: list[str] = []
    _driver(storage).set_trace_callback(asked.append)
    waited = []
    for row in rows:
        asked.clear()
        await storage.sent(fence, [sent(row)])
        waited.append("PRAGMA synchronous = NORMAL" not in asked)
    assert waited == [False] * MARKS + [True]
