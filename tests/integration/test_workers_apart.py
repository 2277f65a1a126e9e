"""What one worker does and another has to know: every one of these was true of one process."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from io import StringIO

import pytest

from engine.app import App
from engine.channels.console import ConsoleChannel
from flows import Action, FlowBuilder, Text, Turn
from flows.conversation import partition_of
from flows.errors import AlreadyOwned, ChatMoved, SendLater
from flows.ports import Delivery
from flows.updates import ChatMigrated, Command
from storage import MemoryStorage
from tests.fleet import SOURCE, Fleet, Member
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio


def three() -> App:
    builder = FlowBuilder("three", Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")
    builder.ask(Three.SECOND, "Second?", Text(), into="second")
    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    return app_of(builder.build(initial=Three.FIRST))


def hasty() -> App:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        name = await turn.ask("Name?", timeout=timedelta(minutes=1))
        turn.reply(f"Hello {name}.")
        return turn.complete()

    return app_of(FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY))


def owner(fleet: Fleet, chat: str) -> Member:
    """The worker whose chat it is."""
    part = partition_of(SOURCE, chat)
    return next(one for one in fleet.members if part in one.parts)


def elsewhere(fleet: Fleet, sign: int = 1) -> str:
    """A chat that is not the receiver's."""
    (receiver,) = fleet.receivers()
    names = (str(sign * n) for n in range(1, 1000))
    return next(name for name in names if owner(fleet, name).name != receiver)


# --- chats that move --------------------------------------------------------------------


async def test_a_chat_that_the_sender_finds_moved_is_known_to_the_receiver_soon() -> None:
    async with Fleet(three) as fleet:
        await fleet.start(2)
        chat = elsewhere(fleet, -1)

        def moved(delivery: Delivery) -> None:
            if delivery.chat == chat:
                raise ChatMoved("-1001")

        fleet.service.refuse = moved
        fleet.service.write(Command("start"), by="7", chat=chat)
        await fleet.over()
        assert fleet.service.texts("-1001") == ["First?"]
        await fleet.clock.advance(6)
        fleet.service.write("a", by="7", chat="-1001")
        await fleet.over()
        assert fleet.service.texts("-1001") == ["First?", "Second?"]


async def test_a_chat_that_moved_while_another_one_received_keeps_its_conversations() -> None:
    async with Fleet(three) as fleet:
        await fleet.start(2)
        fleet.service.write(Command("start"), by="7", chat="-1")
        fleet.service.write(ChatMigrated("-1001"), by="7", chat="-1")
        await fleet.over()
        await owner(fleet, "").stop()
        fleet.service.write("a", by="7", chat="-1001")
        await fleet.over()
        assert fleet.service.texts("-1001") == ["Second?"]


# --- messages that wait -----------------------------------------------------------------


async def test_a_message_that_waits_goes_before_newer_ones_when_its_partition_changes_hands() -> (
    None
):
    """Its service asked to wait for a while, and meanwhile another worker came."""
    async with Fleet(three) as fleet:
        await fleet.start(1)
        by = next(str(n) for n in range(1000) if partition_of(SOURCE, str(n)) == 63)
        until = fleet.clock.monotonic() + 30

        def busy(delivery: Delivery) -> None:
            if delivery.chat == by and (left := until - fleet.clock.monotonic()) > 0:
                raise SendLater(left)

        fleet.service.refuse = busy
        fleet.service.write(Command("start"), by=by)
        await fleet.clock.advance(1)
        newcomer = await fleet.start()
        fleet.service.write("a", by=by)
        await fleet.over()
        assert fleet.service.texts(by) == ["First?", "Second?"]
        assert {sent.worker for sent in fleet.service.sent} == {newcomer.name}
        assert fleet.clock.monotonic() >= until


async def test_what_a_killed_worker_has_left_unsent_is_sent_in_order_by_the_next() -> None:
    async with Fleet(three) as fleet:
        await fleet.start(2)
        by = elsewhere(fleet)
        member = owner(fleet, by)
        fleet.service.latency = 3
        fleet.service.write(Command("start"), by=by)
        await fleet.clock.advance(1)
        member.freeze()
        fleet.service.latency = 0
        fleet.service.write("a", by=by)
        fleet.service.write("b", by=by)
        await fleet.over()
        assert fleet.service.texts(by) == ["First?", "Second?", "Third?"]


# --- time -------------------------------------------------------------------------------


async def test_a_timer_of_a_killed_worker_fires_once_at_the_next() -> None:
    async with Fleet(hasty) as fleet:
        await fleet.start(2)
        by = elsewhere(fleet)
        fleet.service.write(Command("start"), by=by)
        await fleet.over()
        begun = fleet.clock.monotonic()
        await fleet.clock.advance(50)
        owner(fleet, by).freeze()
        await fleet.until(lambda: len(fleet.service.texts(by)) == 2)
        assert fleet.clock.monotonic() - begun >= 60
        assert fleet.service.texts(by)[1].startswith("That took too long")
        await fleet.clock.advance(120)
        assert len(fleet.service.texts(by)) == 2


async def test_a_timer_that_a_frozen_worker_wakes_up_to_fires_once() -> None:
    async with Fleet(hasty) as fleet:
        await fleet.start(2)
        by = elsewhere(fleet)
        fleet.service.write(Command("start"), by=by)
        await fleet.over()
        member = owner(fleet, by)
        await fleet.clock.advance(50)
        member.freeze()
        await fleet.clock.advance(60)
        member.thaw()
        await fleet.clock.advance(60)
        assert len(fleet.service.texts(by)) == 2


async def test_one_worker_sweeps_for_all() -> None:
    async with Fleet(three) as fleet:
        await fleet.start(3)
        before = {member.name: member.storage.calls["sweep"] for member in fleet.members}
        await fleet.clock.advance(1200)
        swept = [member.storage.calls["sweep"] - before[member.name] for member in fleet.members]
        assert sorted(swept) == [0, 0, 2]


# --- from outside -----------------------------------------------------------------------


async def test_orders_from_any_process_are_carried_out_by_the_owner() -> None:
    async with Fleet(three) as fleet:
        await fleet.start(2)
        by = elsewhere(fleet)
        other = next(one for one in fleet.members if one is not owner(fleet, by))
        await other.app.start("three", user=by)
        await fleet.over()
        assert fleet.service.sent[-1].worker == owner(fleet, by).name
        (row,) = (await other.app.running.instances(live=True)).rows
        beside = MemoryStorage(database=fleet.database)
        async with three().operator(beside, sources=(SOURCE,)) as operator:
            await operator.goto(row.id, "THIRD")
            await fleet.over()
            await operator.cancel(row.id)
            await fleet.over()
        assert fleet.service.texts(by)[:2] == ["First?", "Third?"]
        (ended,) = fleet.database.instances.values()
        assert ended.status == "cancelled"


async def test_a_person_who_was_erased_by_another_process_starts_anew() -> None:
    """The owner still has the old state in memory; it is never written back."""
    async with Fleet(three) as fleet:
        await fleet.start(2)
        by = elsewhere(fleet)
        fleet.service.write(Command("start"), by=by)
        fleet.service.write("a", by=by)
        await fleet.over()
        storage = MemoryStorage(database=fleet.database)
        await storage.open()
        assert await storage.erase(f"fleet/{by}") == 1
        fleet.service.write("b", by=by)
        await fleet.over()
        assert fleet.service.texts(by)[:2] == ["First?", "Second?"]
        assert "Third?" not in fleet.service.texts(by)
        assert '"a"' not in "".join(one.snapshot.state for one in fleet.database.scopes.values())
        await storage.close()


async def test_what_is_kept_in_memory_of_a_person_erased_elsewhere_is_dropped_soon() -> None:
    async with Fleet(three) as fleet:
        member = await fleet.start(1)
        fleet.service.write(Command("start"), by="1")
        fleet.service.write("secret", by="1")
        await fleet.over()
        assert member.app._at_work is not None
        cache = member.app._at_work.worker._turns._snapshots._cache
        assert "secret" in repr(cache)
        storage = MemoryStorage(database=fleet.database)
        await storage.open()
        await storage.erase("fleet/1")
        await storage.close()
        await fleet.clock.advance(600)
        assert "secret" not in repr(cache)


# --- who may share ----------------------------------------------------------------------


async def test_a_terminal_does_not_join_the_workers_of_a_database() -> None:
    """It would take conversations away from them, and answer nobody."""
    async with Fleet(three) as fleet:
        await fleet.start(2)
        shares = [sorted(member.parts) for member in fleet.members]
        storage = MemoryStorage(database=fleet.database)
        channel = ConsoleChannel(stdin=StringIO(""))
        running = three().run(channel=channel, storage=storage, clock=fleet.clock)
        task = asyncio.ensure_future(running)
        await fleet.until(task.done)
        with pytest.raises(AlreadyOwned, match="2 other workers"):
            task.result()
        assert [sorted(member.parts) for member in fleet.members] == shares
