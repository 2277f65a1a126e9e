"""Several workers on one database: everybody has a share, and nothing is lost, done twice or
out of order when shares change hands.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from itertools import groupby

import pytest

from engine.app import App
from flows import Action, FlowBuilder, Turn
from flows.conversation import partition_of
from flows.updates import Command
from storage import MemoryStorage
from tests.fleet import SOURCE, Fleet, Member
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


def counting(runs: Counter[str] | None = None) -> App:
    """Answers every text with its number and itself."""

    async def step(turn: Turn[One, Names]) -> Action[One]:
        if turn.input is None:
            turn.reply("Go on.")
            return turn.wait()
        said = str(turn.input)
        if runs is not None:
            runs[said] += 1
        turn.data.count += 1
        turn.reply(f"{said}!")
        return turn.wait()

    return app_of(FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY))


def heard(fleet: Fleet, by: str) -> list[str]:
    """What a person was told; what was sent twice in a row, once."""
    return [text for text, _ in groupby(fleet.service.texts(by))]


def said(number: int) -> list[str]:
    """What everybody is told who has said so much."""
    return ["Go on.", *(f"{n}!" for n in range(number))]


async def begin(fleet: Fleet, people: int) -> list[str]:
    """So many people, each at its question."""
    names = [str(n) for n in range(100, 100 + people)]
    for name in names:
        fleet.service.write(Command("start"), by=name)
    await fleet.over()
    return names


# --- shares -----------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [2, 3, 5, 8, 9])
async def test_workers_that_start_together_soon_have_equal_shares(workers: int) -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(workers, balanced=False)
        assert await fleet.until(fleet.balanced) < 12
        parts = [part for member in fleet.members for part in member.parts]
        assert sorted(parts) == list(range(64))


async def test_a_worker_that_comes_has_its_share_within_two_renewals_of_the_others() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        await fleet.clock.advance(60)
        newcomer = await fleet.start(balanced=False)
        assert await fleet.until(lambda: len(newcomer.parts) >= 20) < 10


async def test_the_share_of_one_that_stops_is_taken_within_a_renewal() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(3)
        await fleet.clock.advance(60)
        await fleet.members[0].stop()
        assert await fleet.until(fleet.balanced) < 6


async def test_the_share_of_one_that_is_killed_is_taken_after_its_lease() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(3)
        await fleet.clock.advance(60)
        fleet.members[0].freeze()
        passed = await fleet.until(fleet.balanced)
        assert 9 < passed < 22


async def test_a_share_that_is_reached_is_renewed_every_five_seconds_and_no_more() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(3)
        await fleet.clock.advance(60)
        before = [member.storage.calls["lease"] for member in fleet.members]
        await fleet.clock.advance(60)
        after = [member.storage.calls["lease"] for member in fleet.members]
        assert [b - a for a, b in zip(before, after, strict=True)] == [12, 12, 12]


async def test_every_worker_tells_its_channel_and_the_log_which_share_it_has(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "handrail.partitions")
    async with Fleet(counting) as fleet:
        await fleet.start(1)
        await fleet.start(1)
        assert [member.channel.shares[-1:] for member in fleet.members] == [[0.5], [0.5]]
        await fleet.members[0].stop()
        await fleet.until(fleet.balanced)
        assert fleet.members[1].channel.shares[-1] == 1
    assert "this worker holds 32 of 64 partitions; workers: 2" in caplog.text


async def test_an_idle_worker_asks_the_storage_a_few_times_a_second() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        await fleet.clock.advance(60)
        member = fleet.members[1]
        member.storage.calls.clear()
        await fleet.clock.advance(100)
        assert member.storage.calls["lease"] == 20
        assert sum(member.storage.calls.values()) <= 340


# --- one receives -----------------------------------------------------------------------


async def test_of_several_workers_one_receives_and_all_run_turns_and_send() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(3)
        names = await begin(fleet, 60)
        assert len(fleet.receivers()) == 1
        assert {sent.worker for sent in fleet.service.sent} == {"w1", "w2", "w3"}
        assert all(heard(fleet, name) == ["Go on."] for name in names)


async def test_another_one_receives_when_the_receiver_stops() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        names = await begin(fleet, 10)
        (receiver,) = fleet.receivers()
        await next(one for one in fleet.members if one.name == receiver).stop()
        for name in names:
            fleet.service.write("0", by=name)
        await fleet.over()
        assert all(heard(fleet, name) == said(1) for name in names)
        assert len(fleet.receivers()) == 1


async def test_another_one_receives_when_the_receiver_is_killed() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        names = await begin(fleet, 10)
        receiver = holder(fleet, "")
        receiver.freeze()
        for name in names:
            fleet.service.write("0", by=name)
        await fleet.over()
        assert all(heard(fleet, name) == said(1) for name in names)
        assert receiver.name not in fleet.receivers()


async def test_a_receiver_that_wakes_up_hands_in_nothing_more() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        names = await begin(fleet, 10)
        receiver = holder(fleet, "")
        receiver.freeze()
        await fleet.until(lambda: any(one.channel.receiving for one in fleet.alive))
        for n in range(30):
            for name in names:
                fleet.service.write(str(n), by=name)
            if n == 10:
                receiver.thaw()
            await fleet.clock.advance(0.2)
        await fleet.over()
        assert all(heard(fleet, name) == said(30) for name in names)
        await fleet.until(fleet.balanced)
        assert len(fleet.receivers()) == 1


# --- handing over under load ------------------------------------------------------------


async def test_shares_change_hands_under_load_and_nothing_is_lost_doubled_or_run_again() -> None:
    """Workers come and go in good order: not one turn runs twice, and no message comes twice."""
    runs: Counter[str] = Counter()
    async with Fleet(lambda: counting(runs)) as fleet:
        await fleet.start(1)
        names = await begin(fleet, 40)
        for n in range(30):
            for name in names:
                fleet.service.write(str(n), by=name)
            if n in (4, 8, 12):
                await fleet.start(balanced=False)
            if n in (18, 24):
                stopping = asyncio.ensure_future(fleet.alive[0].stop())
            await fleet.clock.advance(0.7)
        await fleet.over()
        await stopping
        assert all(fleet.service.texts(name) == said(30) for name in names)
        assert set(runs.values()) == {40}
        assert len({sent.worker for sent in fleet.service.sent}) == 4


async def test_slow_sends_end_where_they_were_begun_before_their_partition_changes_hands() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(1)
        names = await begin(fleet, 64)
        fleet.service.latency = 0.9
        for n in range(5):
            for name in names:
                fleet.service.write(str(n), by=name)
        await fleet.start(1)
        await fleet.over()
        assert all(fleet.service.texts(name) == said(5) for name in names)
        assert {sent.worker for sent in fleet.service.sent} == {"w1", "w2"}


async def test_a_turn_that_takes_longer_than_a_handover_waits_is_run_by_the_next_owner() -> None:
    begun: list[str] = []
    release = asyncio.Event()

    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Go on.")
        begun.append(said)
        if len(begun) == 1:
            await release.wait()
        turn.reply(f"done {said}")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Fleet(lambda: app_of(flow, handler_timeout=1e9)) as fleet:
        await fleet.start(1)
        by = next(str(n) for n in range(1000) if partition_of(SOURCE, str(n)) == 63)
        fleet.service.write(Command("start"), by=by)
        await fleet.over()
        fleet.service.write("slow", by=by)
        await fleet.until(lambda: begun == ["slow"])
        newcomer = await fleet.start()
        await fleet.over()
        assert fleet.service.texts(by) == ["Go on.", "done slow"]
        assert fleet.service.sent[-1].worker == newcomer.name
        assert begun == ["slow", "slow"]


async def test_kills_under_load_lose_and_disorder_nothing() -> None:
    """1,600 updates, 4 workers, two of which are killed; at most what was in flight comes twice."""
    async with Fleet(counting) as fleet:
        await fleet.start(4)
        names = await begin(fleet, 40)
        for n in range(40):
            for name in names:
                fleet.service.write(str(n), by=name)
            if n in (10, 25):
                fleet.alive[-1].freeze()
            await fleet.clock.advance(1)
        await fleet.over()
        assert all(heard(fleet, name) == said(40) for name in names)
        doubled = len(fleet.service.sent) - 41 * len(names)
        assert doubled <= 2 * 32
        await fleet.until(fleet.balanced)


async def test_a_worker_that_was_frozen_past_its_lease_commits_and_sends_nothing_stale() -> None:
    """1,200 updates, while one of three workers stands still for 20 seconds, again and again."""
    async with Fleet(counting) as fleet:
        await fleet.start(3)
        names = await begin(fleet, 30)
        frozen: list[Member] = []
        for n in range(40):
            for name in names:
                fleet.service.write(str(n), by=name)
            if n in (5, 27):
                frozen.append(fleet.alive[-1])
                frozen[-1].freeze()
            if n in (20, 38):
                woken, since = frozen[-1], len(fleet.service.sent)
                owned = {row.part for row in fleet.database.partitions if row.owner}
                woken.thaw()
                await asyncio.sleep(0)
                assert owned
                late = fleet.service.sent[since:]
                assert woken.name not in {sent.worker for sent in late}
            await fleet.clock.advance(1)
        await fleet.over()
        assert all(heard(fleet, name) == said(40) for name in names)
        assert len(fleet.service.sent) - 41 * len(names) <= 2 * 32
        await fleet.until(fleet.balanced)


async def test_what_came_while_a_partition_was_nobodys_goes_before_what_comes_then() -> None:
    """Its worker is dead; the receiver takes it over while its person goes on writing."""
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        (receiver,) = fleet.receivers()
        by = next(n for n in map(str, range(1000)) if holder(fleet, n).name != receiver)
        fleet.service.write(Command("start"), by=by)
        await fleet.over()
        holder(fleet, by).freeze()
        for n in range(500):
            fleet.service.write(str(n), by=by)
            await fleet.clock.advance(0.05)
        await fleet.over()
        assert heard(fleet, by) == said(500)


async def test_a_turn_whose_partition_was_lost_is_given_up_and_not_run_to_its_end() -> None:
    begun: list[str] = []
    ended: list[str] = []
    release = asyncio.Event()

    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Go on.")
        begun.append(said)
        await release.wait()
        ended.append(said)
        turn.reply("done")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Fleet(lambda: app_of(flow, handler_timeout=1e9)) as fleet:
        await fleet.start(2)
        fleet.service.write(Command("start"), by="1")
        await fleet.over()
        fleet.service.write("x", by="1")
        await fleet.until(lambda: begun == ["x"])
        frozen = holder(fleet, "1")
        frozen.freeze()
        await fleet.until(lambda: begun == ["x", "x"])
        frozen.thaw()
        await fleet.clock.advance(0.5)
        release.set()
        await fleet.over()
        assert ended == ["x"]
        assert fleet.service.texts("1") == ["Go on.", "done"]


async def test_what_was_sent_by_others_is_not_sent_again_by_a_worker_that_gets_its_share_back() -> (
    None
):
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        by = next(n for n in map(str, range(1000)) if holder(fleet, n) is fleet.members[1])
        first, second = fleet.members
        fleet.service.latency = 2
        fleet.service.write(Command("start"), by=by)
        fleet.service.write("0", by=by)
        await fleet.clock.advance(1)
        second.freeze()
        await fleet.over()
        second.thaw()
        await fleet.until(fleet.balanced)
        await first.stop()
        await fleet.until(fleet.balanced)
        fleet.service.write("1", by=by)
        await fleet.over()
        await fleet.clock.advance(30)
        told = Counter(fleet.service.texts(by))
        assert (told["0!"], told["1!"]) == (1, 1)
        assert told["Go on."] <= 2  # it was in flight


# --- a storage in trouble ---------------------------------------------------------------


async def test_a_storage_that_cannot_be_reached_for_longer_than_the_lease_stops_nobody() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        names = await begin(fleet, 10)
        lonely = fleet.members[0]
        lonely.storage.down["lease"] = 40
        await fleet.until(lambda: not lonely.parts)
        for name in names:
            fleet.service.write("0", by=name)
        await fleet.over()
        assert all(heard(fleet, name) == said(1) for name in names)
        await fleet.until(lambda: not lonely.storage.down["lease"])
        await fleet.until(fleet.balanced)


@pytest.mark.parametrize("call", ["inspect", "aliases", "lease", "pending", "release"])
async def test_a_storage_that_fails_while_shares_change_hands_delays_and_loses_nothing(
    call: str,
) -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        names = await begin(fleet, 20)
        first, second = fleet.members
        second.storage.down[call] = first.storage.down[call] = 3
        await first.stop()
        for name in names:
            fleet.service.write("0", by=name)
        await fleet.over()
        assert all(heard(fleet, name) == said(1) for name in names)


async def test_one_that_cannot_renew_begins_nothing_after_its_deadline_and_takes_up_again() -> None:
    """Nobody else is there: the partitions stay its own, with their epochs."""
    async with Fleet(counting) as fleet:
        member = await fleet.start(1)
        await begin(fleet, 1)
        member.storage.down["lease"] = 1000
        await fleet.clock.advance(12)
        fleet.service.write("0", by="100")
        beside = MemoryStorage(database=fleet.database)
        async with counting().operator(beside, sources=(SOURCE,)) as operator:
            await operator.start("one", user="100")
        await fleet.clock.advance(15)
        assert fleet.service.texts("100") == ["Go on."]
        assert len(fleet.database.undone) == 1
        member.storage.down["lease"] = 0
        await fleet.over()
        assert fleet.service.texts("100").count("0!") == 1
        assert len(fleet.service.texts("100")) == 3


def holder(fleet: Fleet, chat: str) -> Member:
    """The worker whose chat it is."""
    part = partition_of(SOURCE, chat)
    return next(one for one in fleet.members if part in one.parts)
