"""What servers have in common: others who lock, hang and erase, and a network that breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from sqlalchemy import ColumnElement, Connection, Table, event, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only

from flows.errors import BadRow, OutcomeUnknown, StorageDown
from flows.ports import FlowStorage, Outcome, Query
from storage import SqlStorage
from storage.sql import migrate
from storage.sql.location import Server, locate
from storage.sql.servers.connections import ServerConnections
from storage.sql.tables import conversations, inbox
from storage.testing.rows import (
    accepted,
    cause,
    conv,
    full_turn,
    message,
    part,
    pending,
    person,
    scope,
    sent,
    timer,
    turn,
)
from storage.testing.wire import Wire
from tests.contract.backends.server import empty
from tests.servers import DATABASES, database, execute_on

pytestmark = pytest.mark.anyio

EVERYTHING, TTL = 64, 15_000


@pytest.fixture(scope="module", params=DATABASES)
def whole_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with database(request.param) as url:
        migrate.upgrade(url)
        yield url


@pytest.fixture
async def url(whole_url: str) -> str:
    await empty(whole_url)
    return whole_url


@pytest.fixture
async def storage(url: str) -> AsyncIterator[SqlStorage]:
    """An opened storage with little patience, so that tests of locks do not take long."""
    storage = SqlStorage(url, patience=0.2)
    await storage.open()
    yield storage
    await storage.close()


def server_of(url: str) -> Server:
    place = locate(url)
    assert isinstance(place, Server)
    return place


def is_postgresql(url: str) -> bool:
    return server_of(url).kind == "postgresql"


@asynccontextmanager
async def intruder(url: str) -> AsyncIterator[AsyncConnection]:
    """Another program's connection, in a transaction that is rolled back at the end."""
    engine = create_async_engine(server_of(url).url, poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()


def connections_of(storage: SqlStorage) -> ServerConnections:
    hot = storage._opened.hot
    assert isinstance(hot, ServerConnections)
    return hot


class HeldCommit:
    """The next transaction of a handle stops right before its commit, until it is let go."""

    def __init__(self, storage: SqlStorage) -> None:
        self._reached, self._gate = asyncio.Event(), asyncio.Event()
        event.listen(connections_of(storage).engine.sync_engine, "commit", self._wait)

    def _wait(self, _connection: Connection) -> None:
        if not self._reached.is_set():
            self._reached.set()
            await_only(self._gate.wait())

    async def reached(self) -> None:
        await asyncio.wait_for(self._reached.wait(), 20)

    def let_go(self) -> None:
        self._gate.set()


async def _lock(connection: AsyncConnection, table: Table, *which: ColumnElement[bool]) -> None:
    await connection.execute(select(table).where(*which).with_for_update())


async def rows_of(storage: FlowStorage, user: str) -> list[object]:
    """All that is stored of a person."""
    found: list[object] = list(await storage.load([conv(user), f"contract//{user}"]))
    for query in (
        Query(what="instances", conv=conv(user)),
        Query(what="transitions", conv=conv(user)),
        Query(what="dead_letters", conv=conv(user)),
        Query(what="inbox", conv=conv(user)),
        Query(what="outbox", conv=conv(user)),
        Query(what="timers", conv=conv(user)),
    ):
        found += (await storage.inspect(query)).rows
    return found


# --- others who lock and hang --------------------------------------------------------------


async def test_a_lock_that_lasts_is_told_and_nothing_is_lost(url: str, storage: SqlStorage) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    async with intruder(url) as other:
        await _lock(other, inbox, inbox.c.seq == seq)
        with pytest.raises(StorageDown, match="is held up by other transactions") as down:
            await storage.commit(fence, [full_turn(seq)])
    assert "nothing was written" in str(down.value)
    (done,) = await storage.commit(fence, [full_turn(seq)])
    assert done.outcome is Outcome.DONE


async def test_reading_waits_for_nobody(url: str, storage: SqlStorage) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    await storage.commit(fence, [full_turn(seq)])
    async with intruder(url) as other:
        await _lock(other, conversations)
        assert list(await storage.load([conv("ada")])) == [conv("ada")]
        assert len((await storage.inspect(Query(what="outbox"))).rows) == 1


async def test_two_commits_of_one_handle_are_in_flight_at_once(storage: SqlStorage) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    first, second = await accepted(storage, "ada", "bob")
    held = HeldCommit(storage)
    waiting = asyncio.ensure_future(storage.commit(fence, [full_turn(first)]))
    await held.reached()
    (done,) = await storage.commit(fence, [full_turn(second, "bob")])
    assert done.outcome is Outcome.DONE
    assert await storage.accept([cause("beside")]) != [None]
    assert not waiting.done()
    held.let_go()
    assert (await waiting)[0].outcome is Outcome.DONE


async def test_who_hangs_in_a_commit_keeps_its_partition_from_nobody_elses_lease(
    url: str, storage: SqlStorage
) -> None:
    frozen = await storage.lease("frozen", EVERYTHING, 1)
    (seq,) = await accepted(storage, "ada")
    held = HeldCommit(storage)
    hanging = asyncio.ensure_future(storage.commit(frozen, [full_turn(seq)]))
    await held.reached()
    other = SqlStorage(url, patience=0.2)
    await other.open()
    fence = await other.lease("other", EVERYTHING, TTL)
    assert sorted(fence.epochs) == [place for place in range(64) if place != part("ada")]
    held.let_go()
    # It was in time: nobody had its partition.
    assert (await hanging)[0].outcome is Outcome.DONE
    fence = await other.lease("other", EVERYTHING, TTL)
    assert len(fence.epochs) == EVERYTHING
    (late,) = await storage.commit(frozen, [full_turn(seq)])
    assert late.outcome is Outcome.FENCED
    await other.close()


async def test_of_two_that_create_a_scope_at_once_the_second_conflicts(
    url: str, storage: SqlStorage
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    first, second = await accepted(storage, "ada", "ada")
    held = HeldCommit(storage)
    winner = asyncio.ensure_future(storage.commit(fence, [turn(first)]))
    await held.reached()
    patient = SqlStorage(url)
    await patient.open()
    loser = asyncio.ensure_future(patient.commit(fence, [turn(second)]))
    await asyncio.sleep(0.05)
    held.let_go()
    assert (await winner)[0].outcome is Outcome.DONE
    assert (await loser)[0].outcome is Outcome.CONFLICT
    await patient.close()


async def test_a_scope_that_was_found_absent_is_not_created_meanwhile(
    url: str, storage: SqlStorage
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    first, second = await accepted(storage, "ada", "ada")
    held = HeldCommit(storage)
    looking = asyncio.ensure_future(storage.commit(fence, [turn(first, state=None)]))
    await held.reached()
    patient = SqlStorage(url)
    await patient.open()
    creating = asyncio.ensure_future(patient.commit(fence, [turn(second)]))
    _, waiting = await asyncio.wait([creating], timeout=0.1)
    assert waiting
    held.let_go()
    assert (await looking)[0].outcome is Outcome.DONE
    assert (await creating)[0].outcome is Outcome.DONE
    await patient.close()


async def test_erasing_waits_for_a_turn_in_flight_and_takes_all_of_it(
    url: str, storage: SqlStorage
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    own = scope("ada", key="contract//ada")
    whole = replace(full_turn(seq), scopes=[scope("ada"), own])
    held = HeldCommit(storage)
    committing = asyncio.ensure_future(storage.commit(fence, [whole]))
    await held.reached()
    operator = SqlStorage(url)
    await operator.open()
    erasing = asyncio.ensure_future(operator.erase(person("ada")))
    _, waiting = await asyncio.wait([erasing], timeout=0.1)
    assert waiting
    held.let_go()
    assert (await committing)[0].outcome is Outcome.DONE
    assert await erasing == 2
    assert await rows_of(operator, "ada") == []
    await operator.close()


async def test_erasing_takes_what_a_timer_and_a_message_turn_into_meanwhile(
    url: str, storage: SqlStorage
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    row = message(seq)
    due = timer("ada", due=1)
    await storage.commit(fence, [replace(turn(seq), timers=[due], outbox=[row])])
    operator = SqlStorage(url)
    await operator.open()
    dead = replace(sent(row), state="dead", slot=None, ref=None, inform=cause("failed"))
    for call in (lambda: storage.fire(fence, 10), lambda: storage.sent(fence, [dead])):
        held = HeldCommit(storage)
        calling = asyncio.ensure_future(call())
        await held.reached()
        erasing = asyncio.ensure_future(operator.erase(person("ada")))
        await asyncio.wait([erasing], timeout=0.1)
        held.let_go()
        await asyncio.gather(calling, erasing)
        assert await rows_of(operator, "ada") == []
    await operator.close()


async def test_a_ring_of_locks_is_tried_again_and_nobody_hears_of_it(
    url: str, storage: SqlStorage
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    (seq,) = await accepted(storage, "ada")
    (new,) = await storage.commit(fence, [turn(seq)])
    (again,) = await accepted(storage, "ada")
    patient = SqlStorage(url)
    await patient.open()
    async with intruder(url) as other:
        # It holds what the commit wants second, and wants what the commit holds.
        await _lock(other, conversations, conversations.c.key == conv("ada"))
        committing = asyncio.ensure_future(
            patient.commit(fence, [turn(again, version=new.versions[0])])
        )
        await asyncio.sleep(0.2)
        # One of the two is chosen to give way.
        with suppress(DBAPIError):
            await _lock(other, inbox, inbox.c.seq == again)
        await other.rollback()
    assert (await committing)[0].outcome is Outcome.DONE
    await patient.close()


# --- a network that breaks -----------------------------------------------------------------


async def test_a_server_that_is_away_is_told(url: str) -> None:
    place = server_of(url).url
    if place.host is None or place.port is None:
        pytest.skip("this server is reached by a file, and not over a wire")
    wire = Wire(host=place.host, port=place.port, commit=b"COMMIT")
    detour = place.set(host="127.0.0.1", port=await wire.open())
    storage = SqlStorage(detour.render_as_string(hide_password=False))
    await storage.open()
    await wire.close()
    with pytest.raises(StorageDown, match=r"cannot be reached now .*Look whether the server"):
        await storage.accept([cause("1")])
    with pytest.raises(StorageDown, match="cannot be reached now"):
        await storage.load([conv("ada")])
    with pytest.raises(StorageDown, match="cannot be reached now"):
        await storage.aliases()
    await storage.close()


async def _kill_connections(url: str) -> None:
    """As an operator, or a server that stops, ends them."""
    place = server_of(url).url
    if is_postgresql(url):
        await execute_on(
            place,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid != pg_backend_pid()",
        )
        return
    found = await execute_on(
        place,
        "SELECT id FROM information_schema.processlist "
        "WHERE db = DATABASE() AND id != CONNECTION_ID()",
    )
    for (number,) in found:
        with suppress(DBAPIError):  # it may have ended by itself
            await execute_on(place, f"KILL {number}")


async def test_connections_that_are_killed_all_the_time_lose_and_repeat_nothing(
    url: str, storage: SqlStorage
) -> None:
    """Until ten turns were cut off: one that is takes its time to connect again."""
    fence = await storage.lease("first", EVERYTHING, 3_600_000)
    seqs = await accepted(storage, *["ada"] * 30)
    ended = asyncio.Event()
    cut_off = 0

    async def kill() -> None:
        while not ended.is_set() and cut_off < 10:
            await _kill_connections(url)

    async def count(seq: int) -> None:
        """A turn that adds 1, run until it is known to be done."""
        nonlocal cut_off
        while True:
            try:
                found = (await storage.load([conv("ada")])).get(conv("ada"))
                state = str(int(found.state) + 1) if found else "1"
                whole = turn(seq, version=found.version if found else None, state=state)
                (committed,) = await storage.commit(fence, [whole])
                assert committed.outcome in {Outcome.DONE, Outcome.GONE}
                return
            except (StorageDown, OutcomeUnknown):
                cut_off += 1

    async def write() -> None:
        for seq in seqs:
            await count(seq)
        ended.set()

    await asyncio.gather(kill(), write())
    assert (await storage.load([conv("ada")]))[conv("ada")].state == "30"
    assert list(await pending(storage, fence)) == []


# --- what cannot be opened -----------------------------------------------------------------


async def _refused(url: str) -> str:
    storage = SqlStorage(url)
    with pytest.raises(StorageDown) as refusal:
        await storage.open()
    await storage.close()
    return str(refusal.value)


async def test_nobody_at_that_port_is_told_without_the_password(url: str) -> None:
    place = server_of(url).url.set(host="127.0.0.1", port=1, password="s3cret")
    said = await _refused(place.render_as_string(hide_password=False))
    assert f"the database {place.database} on 127.0.0.1:1 cannot be reached now" in said
    assert "s3cret" not in said


async def test_a_database_that_is_not_there_is_told(url: str) -> None:
    place = server_of(url).url.set(database="handrail_nowhere")
    said = await _refused(place.render_as_string(hide_password=False))
    assert "Create that database, or name another one" in said


async def test_a_user_who_may_only_read_is_told(url: str) -> None:
    user = f"reader_{url[-12:]}"
    place = server_of(url).url
    if is_postgresql(url):
        await execute_on(
            place,
            f"CREATE ROLE {user} LOGIN PASSWORD 's3cret'",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}",
        )
        leave = [f"DROP OWNED BY {user}", f"DROP ROLE {user}"]
    else:
        account = f"'{user}'@'%%'"
        await execute_on(
            place,
            f"CREATE USER {account} IDENTIFIED BY 's3cret'",
            f"GRANT SELECT ON {place.database}.* TO {account}",
        )
        leave = [f"DROP USER {account}"]
    reader = place.set(username=user, password="s3cret")
    storage = SqlStorage(reader.render_as_string(hide_password=False))
    try:
        await storage.open()
        with pytest.raises(StorageDown, match="right to read and write the tables") as down:
            await storage.accept([cause("1")])
        assert "s3cret" not in str(down.value)
    finally:
        await storage.close()
        await execute_on(place, *leave)


async def test_a_row_that_the_database_alone_refuses_is_named(
    url: str, storage: SqlStorage
) -> None:
    fence = await storage.lease("first", EVERYTHING, TTL)
    users = [f"user{number}" for number in range(9)]
    seqs = await accepted(storage, *users)
    turns = [full_turn(seq, user) for seq, user in zip(seqs, users, strict=True)]
    await execute_on(
        server_of(url).url, "ALTER TABLE outbox ADD CONSTRAINT short CHECK (length(body) < 20)"
    )
    try:
        turns[6] = replace(turns[6], outbox=[message(seqs[6], users[6], body='"' + "x" * 30 + '"')])
        with pytest.raises(BadRow) as refusal:
            await storage.commit(fence, turns)
        assert refusal.value.index == 6
        assert len(await pending(storage, fence)) == 9
        del turns[6]
        assert {done.outcome for done in await storage.commit(fence, turns)} == {Outcome.DONE}
    finally:
        await execute_on(server_of(url).url, "ALTER TABLE outbox DROP CONSTRAINT short")


async def test_the_clock_is_the_servers(url: str, storage: SqlStorage) -> None:
    now = (
        "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
        if is_postgresql(url)
        else "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"
    )
    ((before,),) = await execute_on(server_of(url).url, now)
    await storage.lease("first", EVERYTHING, TTL)
    ((after,),) = await execute_on(server_of(url).url, now)
    ((until,),) = await execute_on(server_of(url).url, "SELECT DISTINCT until FROM partitions")
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert isinstance(until, int)
    assert before <= until - TTL <= after + 1
