"""What is PostgreSQL's own: hints by NOTIFY, encodings, and a server that takes no writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

pytest.importorskip("asyncpg", reason="asyncpg is not installed")

import asyncpg

from flows.errors import SchemaMismatch, StorageDown
from flows.ports import DeadLetter, FlowStorage, TurnCommit
from storage import SqlStorage
from storage.sql import migrate
from storage.sql.dialects.postgresql import CHANNEL
from storage.sql.location import Server, locate
from storage.sql.servers.listen import APPLICATION
from storage.testing.rows import accepted, cause, conv, part
from tests.contract.backends.server import empty
from tests.servers import database, execute_on

pytestmark = pytest.mark.anyio

EVERYTHING, TTL = 64, 15_000


@pytest.fixture(scope="module")
def whole_url() -> Iterator[str]:
    with database("postgresql") as url:
        migrate.upgrade(url)
        yield url


@pytest.fixture
async def url(whole_url: str) -> str:
    await empty(whole_url)
    return whole_url


def server_of(url: str) -> Server:
    place = locate(url)
    assert isinstance(place, Server)
    return place


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[SqlStorage]:
    storage = SqlStorage(url)
    await storage.open()
    yield storage
    await storage.close()


@asynccontextmanager
async def overheard(url: str) -> AsyncIterator[list[str]]:
    """What is said on the channel, partitions joined by commas."""
    said: list[str] = []
    ended = asyncio.Event()

    def heard(_connection: object, _pid: int, _channel: str, parts: str) -> None:
        if parts == "the end":
            ended.set()
        else:
            said.append(parts)

    plain = server_of(url).url.set(drivername="postgresql")
    connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
    await connection.add_listener(CHANNEL, heard)
    yield said
    # Everybody hears everything in the same order.
    await execute_on(server_of(url).url, f"SELECT pg_notify('{CHANNEL}', 'the end')")
    await asyncio.wait_for(ended.wait(), 20)
    await connection.close()


async def _hint(storage: FlowStorage) -> None:
    await asyncio.wait_for(anext(storage.wakes()), 20)


async def test_causes_for_others_wake_them_once_a_page(url: str) -> None:
    async with opened(url) as storage, opened(url) as other:
        await storage.lease("first", EVERYTHING, TTL)
        async with overheard(url) as said:
            await storage.accept([cause("1"), cause("2", "bob")])
            await other.accept([cause("3"), cause("4", "bob"), cause("5")])
        both = sorted([part("ada"), part("bob")])
        assert said == [",".join(map(str, both))]


async def test_whoever_listens_is_woken(url: str) -> None:
    async with opened(url) as storage, opened(url) as other:
        await storage.lease("first", EVERYTHING, TTL)
        await _hint(storage)  # it listens now
        await other.accept([cause("1")])
        await _hint(storage)


async def test_a_replayed_cause_wakes_its_owner(url: str) -> None:
    async with opened(url) as storage, opened(url) as other:
        fence = await storage.lease("first", EVERYTHING, TTL)
        (seq,) = await accepted(storage, "ada")
        letter = DeadLetter(conv=conv("ada"), origin="inbox", body="1", error="e", tries=5, at=9)
        await storage.commit(fence, [TurnCommit(cause=seq, part=part("ada"), dead=letter)])
        await _hint(storage)
        async with overheard(url) as said:
            assert await other.replay(1) is not None
        assert said == [str(part("ada"))]
        await _hint(storage)


async def test_a_listener_whose_connection_is_lost_listens_again(url: str) -> None:
    async with opened(url) as storage:
        await storage.lease("first", EVERYTHING, TTL)
        await _hint(storage)
        for _ in range(2):
            ended = await execute_on(
                server_of(url).url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "  # noqa: S608
                f"WHERE datname = current_database() AND application_name = '{APPLICATION}'",
            )
            assert ended == [(True,)]
            await _hint(storage)


async def test_a_database_that_cannot_hold_every_text_is_refused(url: str) -> None:
    server = server_of(url).url
    name = f"handrail_test_{uuid4().hex}"
    maintenance = server.set(database="postgres")
    await execute_on(
        maintenance,
        f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' "
        "TEMPLATE template0",
    )
    try:
        ascii_url = server.set(database=name).render_as_string(hide_password=False)
        with pytest.raises(SchemaMismatch, match=r"is encoded in SQL_ASCII.* ENCODING 'UTF8'"):
            await asyncio.to_thread(migrate.upgrade, ascii_url)
    finally:
        await execute_on(maintenance, f"DROP DATABASE {name} WITH (FORCE)")


async def test_a_database_that_takes_no_writes_is_told(url: str) -> None:
    place = server_of(url).url
    setting = f"ALTER DATABASE {place.database} SET default_transaction_read_only ="
    await execute_on(place, f"{setting} on")
    try:
        async with opened(url) as storage:
            with pytest.raises(StorageDown, match=r"It takes no writes: name the primary server"):
                await storage.accept([cause("1")])
            with pytest.raises(StorageDown, match=r"It takes no writes"):
                await storage.alias("contract:bot", "1", "2")
            assert await storage.load([conv("ada")]) == {}
    finally:
        reset = f"ALTER DATABASE {place.database} RESET default_transaction_read_only"
        await execute_on(place, "SET default_transaction_read_only = off", reset)


async def test_durability_is_said_as_it_is_set(url: str) -> None:
    place = server_of(url).url
    storage = SqlStorage(url)
    assert "a crash of the server and a power cut there" in (await storage.open()).durability
    await storage.close()
    await execute_on(place, f"ALTER DATABASE {place.database} SET synchronous_commit = off")
    try:
        assert "may take those of the last moments" in (await storage.open()).durability
        await storage.close()
    finally:
        await execute_on(place, f"ALTER DATABASE {place.database} RESET synchronous_commit")


async def test_new_versions_of_a_conversation_find_room_beside_the_old(url: str) -> None:
    from storage.testing.rows import turn

    async with opened(url) as storage:
        fence = await storage.lease("first", EVERYTHING, TTL)
        version = None
        for _ in range(30):
            (seq,) = await accepted(storage, "ada")
            (done,) = await storage.commit(fence, [turn(seq, version=version)])
            (version,) = done.versions
    await execute_on(server_of(url).url, "SELECT pg_stat_force_next_flush()")
    ((updates, hot),) = await execute_on(
        server_of(url).url,
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'conversations'",
    )
    assert updates == hot
    assert isinstance(hot, int)
    assert hot >= 29
