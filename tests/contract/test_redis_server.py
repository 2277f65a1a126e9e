"""What is Redis's own: eviction, scripts that fail, restarts, formats, addresses, hints."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from flows.errors import OutcomeUnknown, SchemaMismatch, StorageDown, StorageError
from flows.ports import Outcome, Query
from storage import open_storage
from storage.redis import RedisStorage
from storage.redis.keys import KEYS, number_of, ordered
from storage.redis.scripts import PIECES, source_of
from storage.testing.rows import (
    accepted,
    cause,
    conv,
    full_turn,
    message,
    pending,
    person,
    sent,
    turn,
)
from tests.redis_server import RedisDatabase, RedisServer, own_server, redis_database

pytestmark = pytest.mark.anyio

EVERYTHING, TTL = 64, 15_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[RedisDatabase]:
    with redis_database(tmp_path) as database:
        yield database


@pytest.fixture
def client(database: RedisDatabase) -> Iterator[Redis]:
    """Another program's connection to the same keys."""
    with closing(database.client()) as client:
        yield client


@pytest.fixture
async def storage(database: RedisDatabase) -> AsyncIterator[RedisStorage]:
    storage = RedisStorage(database.url)
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of our own, empty, which keeps nothing."""
    with own_server(tmp_path) as server:
        yield server


async def _refused(url: str, error: type[StorageError] = StorageError) -> str:
    storage = RedisStorage(url, patience=2)
    with pytest.raises(error) as refusal:
        await storage.open()
    await storage.close()
    return str(refusal.value)


def _content(client: Redis, database: RedisDatabase) -> dict[str, object]:
    return {name: client.dump(database.key(name)) for name in KEYS}


# --- a script is all or nothing ---------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in KEYS if name != "aliases"])
async def test_a_key_of_another_type_fails_a_commit_before_its_first_write(
    storage: RedisStorage, database: RedisDatabase, client: Redis, name: str
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    first, second = await accepted(storage, "ada", "bob")
    key = database.key(name)
    client.delete(key)
    client.rpush(key, "somebody else's")
    before = _content(client, database)
    whole = [full_turn(first), full_turn(second, "bob")]
    with pytest.raises(StorageError, match=r"a key of the database .* has another type"):
        await storage.commit(fence, whole)
    assert _content(client, database) == before


@pytest.mark.parametrize("name", ["rows", "posted"])
async def test_a_key_of_another_type_fails_other_scripts_before_their_first_write(
    storage: RedisStorage, database: RedisDatabase, client: Redis, name: str
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    await storage.commit(fence, [replace(turn(seq), outbox=[message(seq)])])
    client.delete(database.key(name))
    client.rpush(database.key(name), "somebody else's")
    before = _content(client, database)
    for call in (
        storage.accept([cause("1")]),
        storage.sent(fence, [sent(message(seq))]),
        storage.erase(person("ada")),
        storage.lease("second", EVERYTHING, TTL),
        storage.release("first"),
    ):
        with pytest.raises(StorageError, match=r"has another type"):
            await call
    assert _content(client, database) == before


async def test_a_full_memory_refuses_a_commit_and_keeps_the_cause(server: RedisServer) -> None:
    storage = RedisStorage(server.url)
    await storage.open()
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    with closing(server.client()) as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(StorageDown, match=r"its memory is full\. Raise maxmemory"):
            await storage.commit(fence, [full_turn(seq)])
        client.config_set("maxmemory", 0)
    (done,) = await storage.commit(fence, [full_turn(seq)])
    assert done.outcome is Outcome.DONE
    await storage.close()


@pytest.mark.parametrize("name", PIECES)
def test_no_script_is_too_large_for_lua(client: Redis, name: str) -> None:
    client.script_load(source_of(name))


async def test_a_server_that_has_forgotten_the_scripts_is_given_them_again(
    server: RedisServer,
) -> None:
    storage = RedisStorage(server.url)
    await storage.open()
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    with closing(server.client()) as client:
        client.script_flush()
    (done,) = await storage.commit(fence, [turn(seq)])
    assert done.outcome is Outcome.DONE
    await storage.close()


async def test_all_keys_are_in_one_slot(
    storage: RedisStorage, database: RedisDatabase, client: Redis
) -> None:
    await accepted(storage, "ada")
    names = {key.decode() for key in client.scan_iter(f"*{database.prefix}*", 1000)}
    assert names
    assert names <= {f"{{{database.prefix}}}:{name}" for name in KEYS}


# --- what is kept -----------------------------------------------------------------------------


async def test_causes_and_messages_are_emptied_when_they_are_done(
    storage: RedisStorage, database: RedisDatabase
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await storage.accept([cause("1", body='"the words"')])
    assert seq is not None
    await storage.note(fence, seq, '"the words"')
    rows = [message(seq, body='"the words"'), message(seq, n=1, body='"other words"')]
    await storage.commit(fence, [replace(turn(seq), outbox=rows)])
    await storage.sent(fence, [sent(rows[0])])
    assert database.traces("the words") == []
    assert database.traces("other words") == [database.key("texts")]


async def test_nothing_is_left_when_all_has_ended_and_is_swept(
    storage: RedisStorage, client: Redis, database: RedisDatabase
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    whole = full_turn(seq)
    over = [replace(row, ended=5) for row in whole.instances]
    await storage.commit(fence, [replace(whole, instances=over, timers=[], scopes=[])])
    await storage.sent(fence, [sent(whole.outbox[0])])
    await storage.sweep(1 << 50, 100)
    left = {name for name in KEYS if client.exists(database.key(name))}
    assert left == {"meta", "parts", "leases", "workers"}


async def test_a_person_is_erased_from_the_file_as_well(tmp_path: Path) -> None:
    with own_server(tmp_path, appendonly="yes", appendfsync="always") as server:
        storage = RedisStorage(server.url)
        await storage.open()
        await storage.accept([cause("1", "canary-4f1c")])
        assert _files_with(tmp_path, b"canary-4f1c")
        await storage.erase(person("canary-4f1c"))
        await _until(lambda: not _files_with(tmp_path, b"canary-4f1c"))
        await storage.close()


def _files_with(folder: Path, text: bytes) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and text in _read(file)]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # the server has just replaced it
        return b""


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        # Another process makes it true.
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


# --- restarts ---------------------------------------------------------------------------------


async def test_a_killed_server_has_everything_that_it_answered(tmp_path: Path) -> None:
    with own_server(tmp_path, appendonly="yes", appendfsync="always") as server:
        storage = RedisStorage(server.url)
        limits = await storage.open()
        assert "survives the end of this process and of the server, and a power cut" in (
            limits.durability
        )
        fence = await storage.lease("first", EVERYTHING, TTL)
        answered: list[int] = []
        writing = asyncio.ensure_future(_write(storage, answered))
        await _until(lambda: len(answered) >= 50)
        await asyncio.to_thread(server.kill)
        with pytest.raises((StorageDown, OutcomeUnknown)):
            await writing
        await asyncio.to_thread(server.start)
        # The same handle: it connects again by itself.
        undone = [row.seq for row in await pending(storage, fence, limit=100_000)]
        assert undone[: len(answered)] == answered
        assert len(undone) - len(answered) in (0, 1)
        await storage.close()


async def _write(storage: RedisStorage, answered: list[int]) -> None:
    while True:
        answered.extend(await accepted(storage, "ada"))


async def test_a_server_that_stops_in_between_is_told_and_comes_back(server: RedisServer) -> None:
    storage = RedisStorage(server.url)
    await storage.open()
    await asyncio.to_thread(server.kill)
    with pytest.raises(StorageDown, match=r"cannot be reached .* goes on by itself"):
        await storage.load([conv("ada")])
    await asyncio.to_thread(server.start)
    assert await storage.load([conv("ada")]) == {}
    await storage.close()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"appendonly": "yes"}, "A power cut may take those of the last two seconds"),
        ({"appendonly": "yes", "appendfsync": "no"}, "(appendfsync no)"),
        ({"save": "3600 1"}, "everything since its last snapshot (appendonly no, save 3600 1"),
        ({}, "Nothing survives the end of the server"),
    ],
    ids=["everysec", "no", "snapshots", "nothing"],
)
async def test_durability_is_said_as_the_server_is_set(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    with own_server(tmp_path, **settings) as server:
        storage = RedisStorage(server.url)
        limits = await storage.open()
        await storage.close()
    assert sentence in limits.durability
    assert "a failover may take commits that were answered" in limits.durability
    assert limits.shared


# --- what cannot be opened --------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_a_server_that_throws_data_away_is_refused(tmp_path: Path, policy: str) -> None:
    with own_server(tmp_path, maxmemory_policy=policy) as server:
        refusal = await _refused(server.url)
    assert f"maxmemory-policy is {policy}" in refusal
    assert "Set maxmemory-policy to noeviction" in refusal


async def test_where_config_is_forbidden_the_policy_is_known_and_the_rest_is_said(
    tmp_path: Path,
) -> None:
    with own_server(tmp_path, appendonly="yes", rename_command="CONFIG nothing") as server:
        storage = RedisStorage(server.url)
        limits = await storage.open()
        await storage.close()
        assert "What a power cut may take could not be read" in limits.durability


async def test_a_replica_is_refused(tmp_path: Path, server: RedisServer) -> None:
    (tmp_path / "replica").mkdir()
    with own_server(tmp_path / "replica", replicaof=f"127.0.0.1 {server.port}") as replica:
        refusal = await _refused(replica.url)
    assert "is a replica, which takes no writes. Name the primary" in refusal


async def test_keys_of_somebody_else_are_left_alone(database: RedisDatabase, client: Redis) -> None:
    client.set(database.key("meta"), "mine")
    assert "belong to another program" in await _refused(database.url, SchemaMismatch)
    assert client.get(database.key("meta")) == b"mine"


async def test_keys_without_a_format_are_left_alone(database: RedisDatabase, client: Redis) -> None:
    client.hset(database.key("inbox"), "1", "mine")
    assert "belong to another program" in await _refused(database.url, SchemaMismatch)
    assert not client.exists(database.key("meta"))


@pytest.mark.parametrize(
    ("written", "sentence"), [("2", "newer than this version"), ("0", "works with 1")]
)
async def test_another_format_is_refused(
    storage: RedisStorage, database: RedisDatabase, client: Redis, written: str, sentence: str
) -> None:
    client.hset(database.key("meta"), "format", written)
    assert sentence in await _refused(database.url, SchemaMismatch)


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://:secret@127.0.0.1:port/0",
        "redis://:secret@127.0.0.1/kitchen",
        "redis://:secret@127.0.0.1/0?prefx=a",
        "redis://:secret@127.0.0.1/0?prefix={a}",
        "rediss://:secret@127.0.0.1/0?ssl_cert=a",
        "redis://:sec/ret@127.0.0.1:6379/0",
    ],
)
def test_a_url_that_names_no_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(StorageError) as refusal:
        open_storage(url)
    assert "secret" not in str(refusal.value)
    assert "sec" not in str(refusal.value)


async def test_a_closed_port_is_told_without_the_password() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refusal = await _refused(f"redis://ada:secret@127.0.0.1:{port}/0", StorageDown)
    assert f"Redis at redis://127.0.0.1:{port}/0 cannot be reached" in refusal
    assert "Look whether it runs" in refusal
    assert "secret" not in refusal


async def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    with own_server(tmp_path, requirepass="right") as server:
        assert "it wants a password" in await _refused(server.url, StorageDown)
        wrong = await _refused(f"redis://:secret@127.0.0.1:{server.port}/0", StorageDown)
        assert "refuses the name and password" in wrong
        assert "secret" not in wrong
        storage = RedisStorage(f"redis://:right@127.0.0.1:{server.port}/0")
        await storage.open()
        await storage.close()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("MOVED 3999 10.0.0.7:6381", "3999 10.0.0.7:6381): it is a node of a cluster"),
        ("LOADING Redis is loading the dataset in memory", "still reading its data"),
        ("READONLY You can't write against a read only replica.", "it is a replica"),
        ("MISCONF Redis is configured to save RDB snapshots", "cannot write to its disk"),
        ("NOPERM this user has no permissions", "its user may not do that"),
        ("ERR script: 1: -OOM command not allowed when used memory > 'maxmemory'.", "is full"),
    ],
)
async def test_what_the_server_refuses_is_down_with_a_sentence(answer: str, sentence: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):
            while data := await reader.read(1 << 16):
                # Each command begins with one asterisk.
                writer.write(f"-{answer}\r\n".encode() * data.count(b"*"))
        writer.close()

    listening = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    assert sentence in await _refused(f"redis://127.0.0.1:{port}/0", StorageDown)
    listening.close()


def test_a_missing_driver_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("storage.redis")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(StorageError, match=r"pip install 'handrail\[redis\]'"):
        open_storage("redis://127.0.0.1:6379/0")


# --- hints ------------------------------------------------------------------------------------


async def test_another_handle_is_woken_once_a_page_and_the_own_is_not(
    storage: RedisStorage, database: RedisDatabase, client: Redis
) -> None:
    channel = database.key("wakes")
    other = RedisStorage(database.url)
    await other.open()
    own = asyncio.ensure_future(anext(storage.wakes()))
    theirs = other.wakes()
    # The first hint is that it listens at all.
    await asyncio.wait_for(asyncio.gather(own, anext(theirs)), 10)
    with closing(client.pubsub()) as heard:  # type: ignore[no-untyped-call]  # the driver's own
        heard.subscribe(channel)
        heard.get_message(timeout=5)
        await storage.accept([cause("1"), cause("2")])
        await asyncio.wait_for(anext(theirs), 10)
        assert heard.get_message(timeout=5) is not None
        assert heard.get_message(timeout=0.05) is None
    await other.close()


async def test_hints_come_again_after_a_restart(server: RedisServer) -> None:
    storage = RedisStorage(server.url)
    await storage.open()
    hints = storage.wakes()
    await asyncio.wait_for(anext(hints), 10)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    await asyncio.wait_for(anext(hints), 30)
    await storage.close()


# --- numbers ----------------------------------------------------------------------------------


def test_numbers_sort_as_texts_do() -> None:
    numbers = [-(1 << 63), -5, -1, 0, 1, 1 << 40, (1 << 63) - 1]
    assert sorted(map(ordered, reversed(numbers))) == [ordered(number) for number in numbers]
    assert [number_of(ordered(number)) for number in numbers] == numbers


async def test_versions_rise_over_an_erasure_across_handles_and_a_standing_clock(
    database: RedisDatabase,
) -> None:
    versions: list[int] = []
    for name in ("first", "second"):
        storage = RedisStorage(database.url, clock=lambda: 1_700_000_000_000)
        await storage.open()
        fence = await storage.lease(name, EVERYTHING, -1)
        (seq,) = await accepted(storage, "ada")
        (done,) = await storage.commit(fence, [turn(seq)])
        versions.extend(done.versions)
        await storage.erase(person("ada"))
        await storage.close()
    assert versions == [1_700_000_000_000_000, 1_700_000_000_000_001]


async def test_the_clock_is_the_servers(storage: RedisStorage, client: Redis) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    seconds, micros = client.time()
    (done,) = await storage.commit(fence, [turn(seq)])
    assert done.versions[0] >= seconds * 1_000_000 + micros


async def test_many_rows_of_one_class_are_listed_in_pages(storage: RedisStorage) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    seqs = await accepted(storage, *["ada"] * 2)
    rows = [message(seqs[0], n=n) for n in range(30)]
    await storage.commit(fence, [replace(turn(seqs[0]), outbox=rows)])
    await storage.sent(fence, [replace(sent(row), state="later", due=5) for row in rows[:10]])
    query = Query(what="outbox", status="later", limit=4)
    found: list[object] = []
    after: str | None = None
    for _ in range(3):
        page = await storage.inspect(replace(query, after=after))
        found += [row["n"] for row in page.rows]
        after = page.next
    assert found == list(range(10))
    assert after is None


def test_lua_is_refused_what_it_does_not_know(client: Redis) -> None:
    # What the suite above relies on: a misspelt name is an error, never nil.
    with pytest.raises(ResponseError, match="nonexistent global variable"):
        client.eval("return misspelt", 0)
