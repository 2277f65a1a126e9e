"""The sender by itself: how many sends at once, under which lease, and what is found again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from engine.delivery import Sender, backlog
from engine.intake.aliases import Aliases
from engine.testing.clock import VirtualClock
from engine.workers.partitions import LEASE_TTL, MARGIN, Partitions
from flows.conversation import Address
from flows.errors import SendLater, SendRefused
from flows.messages.attachments import Dice
from flows.messages.replies import Delete, Edit, Reply, Send, send_to_json
from flows.ports import (
    Delivery,
    Fence,
    InboxRow,
    Intake,
    OutboxRow,
    Outcome,
    OutgoingRow,
    Page,
    Pause,
    Query,
    SendResult,
    TurnCommit,
)
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

SOURCE = "test:local"


@dataclass
class Wire:
    """A channel whose sends end when the test says so."""

    open_: bool = True
    sent: list[Delivery] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    limits: dict[str, Pause] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0

    source = SOURCE
    shared = False
    everywhere = False
    catch_up = 0.0

    async def open(self, commands: Sequence[tuple[str, str]], kinds: Collection[str] = ()) -> None:
        """Nothing is needed."""

    async def receive(self, intake: Intake) -> None:
        """Nothing comes in."""

    def allot(self, share: float) -> None:
        """Nothing depends on it."""

    def admit(self, chat: str) -> Pause | None:
        self.asked.append(chat)
        return self.limits.get(chat)

    async def send(self, delivery: Delivery) -> str | None:
        self.under_way += 1
        try:
            if not self.open_:
                await self.gate.wait()
            if self.errors:
                raise self.errors.pop(0)
        finally:
            self.under_way -= 1
        self.sent.append(delivery)
        return f"m{len(self.sent)}"

    async def answer(self, press: str, notice: str | None) -> None:
        """Nobody presses."""

    async def close(self) -> None:
        """Nothing is held."""

    def let_go(self) -> None:
        self.open_ = True
        self.gate.set()

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.sent]


class Slow(MemoryStorage):
    """A storage that records when the test says so, and counts."""

    held: asyncio.Event | None = None
    commits: int = 0
    looked: int = 0

    async def sent(self, fence: Fence, results: Sequence[SendResult]) -> Sequence[Outcome]:
        self.commits += 1
        if self.held is not None:
            await self.held.wait()
        return await super().sent(fence, results)

    async def outgoing(
        self, fence: Fence, skip: Collection[str], limit: int
    ) -> Sequence[OutgoingRow]:
        self.looked += 1
        return await super().outgoing(fence, skip, limit)


class Bench:
    """A sender with its surroundings."""

    def __init__(
        self,
        storage: Slow | None = None,
        clock: VirtualClock | None = None,
        wire: Wire | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.storage = storage or Slow(self.clock.now)
        self.wire = wire or Wire()
        self.stopped: list[BaseException] = []
        self.informed = 0
        self.partitions = Partitions(self.storage, self.clock)
        self.sender = Sender(
            self.storage, self.partitions, {SOURCE: self.wire}, self.clock,
            aliases=Aliases(self.storage), stopped=self.stopped.append, informed=self._inform,
        )  # fmt: skip
        self._turn = 0

    def _inform(self) -> None:
        self.informed += 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Bench]:
        await self.storage.open()
        await self.partitions.lease(64)
        await self.sender.recover(self.partitions.fence.epochs)
        recording = asyncio.ensure_future(self.sender.record())
        try:
            yield self
        finally:
            self.wire.let_go()
            await self.sender.drain(5)
            recording.cancel()
            await self.partitions.give_back()
        assert self.stopped == []

    async def commit(
        self, *rows: tuple[str, Send], slot: str | None = None, convs: Sequence[str] = ()
    ) -> list[OutboxRow]:
        """Commits a turn that says these things to these chats; nothing hears of it.

        Args:
            convs: the conversations that say it; else they go by the names of the chats.
        """
        self._turn += 1
        cause = InboxRow(
            source="t", ext=str(self._turn), part=0, conv=None, kind="text", body="{}", at=0
        )
        (seq,) = await self.storage.accept([cause])
        assert seq is not None
        outbox = [
            OutboxRow(
                part=Address(SOURCE, chat).partition, chat=str(Address(SOURCE, chat)),
                conv=convs[n] if convs else chat, turn=seq, n=n, slot=slot, body=send_to_json(send),
            )
            for n, (chat, send) in enumerate(rows)
        ]  # fmt: skip
        fence = self.partitions.fence
        await self.storage.commit(fence, [TurnCommit(cause=seq, part=0, outbox=outbox)])
        return outbox

    async def say(self, *rows: tuple[str, Send], slot: str | None = None) -> None:
        """Commits a turn, and hands its messages over."""
        outbox = await self.commit(*rows, slot=slot)
        self.sender.add(zip(outbox, [send for _, send in rows], strict=True))

    async def unsent(self) -> list[str]:
        rows = (await self.storage.inspect(Query(what="outbox", limit=1000))).rows
        return [row["chat"].rpartition("/")[0] for row in rows]


def reply(text: str) -> Reply:
    return Reply(text=text)


async def rounds() -> None:
    """Lets everything run that can."""
    for _ in range(50):
        await asyncio.sleep(0)


# --- how many at once -----------------------------------------------------------------------


async def test_no_more_than_32_sends_are_in_flight() -> None:
    bench = Bench()
    async with bench.running():
        bench.wire.open_ = False
        await bench.say(*((str(chat), reply("a")) for chat in range(100)))
        await rounds()
        assert bench.wire.under_way == 32
        bench.wire.let_go()
        await bench.sender.idle.wait()
        assert len(bench.wire.sent) == 100


async def test_no_more_than_32_sends_are_done_and_not_recorded() -> None:
    bench = Bench()
    async with bench.running():
        bench.storage.held = asyncio.Event()
        await bench.say(*((str(chat), reply("a")) for chat in range(100)))
        await rounds()
        assert len(bench.wire.sent) == 32
        bench.storage.held.set()
        await bench.sender.idle.wait()
        assert len(bench.wire.sent) == 100
        assert await bench.unsent() == []


async def test_results_that_come_together_are_recorded_in_one_commit() -> None:
    bench = Bench()
    async with bench.running():
        await bench.say(*((str(chat), reply("a")) for chat in range(32)))
        await bench.sender.idle.wait()
        assert bench.storage.commits == 1


async def test_recording_holds_up_no_send_that_may_be_begun() -> None:
    bench = Bench()
    async with bench.running():
        bench.storage.held = asyncio.Event()
        for chat in range(10):
            await bench.say((str(chat), reply("a")))
            await rounds()
        assert (len(bench.wire.sent), bench.storage.commits) == (10, 1)
        bench.storage.held.set()


async def test_what_was_just_committed_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(body: str) -> Send:
        raise AssertionError("what it says is known")

    monkeypatch.setattr("engine.delivery.attempts.send_from_json", read)
    bench = Bench()
    async with bench.running():
        await bench.say(("1", reply("a")), ("1", reply("b")), ("2", reply("c")))
        await bench.sender.idle.wait()
        assert bench.storage.looked == 0
    assert sorted(bench.wire.texts) == ["a", "b", "c"]


# --- limits ---------------------------------------------------------------------------------


async def test_chats_that_wait_for_their_limits_take_no_place_of_others() -> None:
    bench = Bench()
    async with bench.running():
        bench.wire.limits = {str(chat): Pause(5) for chat in range(40)}
        await bench.say(*((str(chat), reply(str(chat))) for chat in range(41)))
        await bench.sender.idle.wait()
        assert bench.wire.texts == ["40"]
        bench.wire.limits = {}
        await bench.clock.advance(4.9)
        assert bench.wire.texts == ["40"]
        await bench.clock.advance(0.1)
        await bench.sender.idle.wait()
        assert len(bench.wire.sent) == 41


async def test_a_limit_of_all_is_waited_for_by_one_and_asked_for_once() -> None:
    bench = Bench()
    async with bench.running():
        bench.wire.limits = {str(chat): Pause(2, everybody=True) for chat in range(40)}
        await bench.say(*((str(chat), reply(str(chat))) for chat in range(40)))
        await bench.clock.advance(1.9)
        assert bench.wire.asked == ["0"]
        bench.wire.limits = {}
        await bench.clock.advance(0.1)
        await bench.sender.idle.wait()
        assert bench.wire.texts == [str(chat) for chat in range(40)]


async def test_while_a_limit_of_all_lasts_the_sender_is_idle() -> None:
    """Seen in a test of a broadcast: whoever waited for the bot to settle waited for ever, where
    nobody moved the clock.
    """
    bench = Bench()
    async with bench.running():
        bench.wire.limits = {str(chat): Pause(2, everybody=True) for chat in range(40)}
        await bench.say(*((str(chat), reply(str(chat))) for chat in range(40)))
        await bench.sender.idle.wait()
        assert bench.wire.sent == []
        bench.wire.limits = {}
        await bench.clock.advance(2)
        await bench.sender.idle.wait()
        assert len(bench.wire.sent) == 40


async def test_who_went_elsewhere_while_a_limit_of_all_lasted_hides_no_send_that_is_under_way() -> (
    None
):
    bench = Bench()
    async with bench.running():
        bench.wire.open_ = False
        await bench.say(("slow", reply("a")))
        bench.wire.limits = {str(chat): Pause(2, everybody=True) for chat in range(40)}
        await bench.say(*((str(chat), reply(str(chat))) for chat in range(40)))
        bench.sender.forget(set(range(64)) - {Address(SOURCE, "slow").partition})
        assert not bench.sender.idle.is_set()
        bench.wire.let_go()
        await bench.sender.idle.wait()
        assert bench.wire.texts == ["a"]


# --- leases ---------------------------------------------------------------------------------


async def test_no_send_begins_after_the_lease_is_used_up_and_all_do_when_it_is_renewed() -> None:
    bench = Bench()
    async with bench.running():
        bench.clock.skip(LEASE_TTL / 1000 - MARGIN)
        await bench.say(("1", reply("a")))
        await bench.clock.advance(1)
        assert bench.wire.sent == []
        await bench.partitions.lease(64)
        await bench.clock.advance(1)
        assert bench.wire.texts == ["a"]


async def test_an_edit_whose_lookup_outlasts_the_lease_is_not_begun() -> None:
    bench = Bench()

    async with bench.running():
        await bench.say(("1", reply("a")), slot="board")
        await bench.sender.idle.wait()
        refs = bench.storage.refs

        async def slow(conv: str, slots: Collection[str]) -> object:
            bench.clock.skip(LEASE_TTL / 1000)
            return await refs(conv, slots)

        bench.storage.refs = slow  # type: ignore[method-assign, assignment]
        await bench.say(("1", Edit(slot="board", text="b")))
        await rounds()
        assert bench.wire.texts == ["a"]


async def test_a_worker_that_froze_between_the_check_and_the_send_begins_it_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seen with a worker that was stopped: where tasks are not eager, its send began when it
    went on, although its lease was over by then.
    """
    monkeypatch.setattr("engine.delivery.sender.eager", asyncio.ensure_future)
    bench = Bench()
    async with bench.running():
        bench.sender.add([(row, None) for row in await bench.commit(("1", reply("a")))])
        bench.clock.skip(LEASE_TTL / 1000)
        await rounds()
        assert bench.wire.texts == []


async def test_a_send_that_hangs_is_cut_off_before_the_lease_can_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("engine.delivery.sender.SEND_SECONDS", 0.01)
    bench = Bench()
    async with bench.running():
        bench.wire.open_ = False
        await bench.say(("1", reply("a")), ("1", reply("b")))
        await bench.sender.idle.wait()
        assert bench.wire.under_way == 0
        assert "was cut off" in caplog.text
        bench.wire.open_ = True
        await bench.clock.advance(2)
        await bench.sender.idle.wait()
    assert bench.wire.texts == ["a", "b"]


async def test_a_send_that_goes_on_has_all_of_its_time_again() -> None:
    class Uploading(Wire):
        async def send(self, delivery: Delivery) -> str | None:
            await asyncio.sleep(0)  # it was begun, and is watched
            assert delivery.go_on is not None
            (queue,) = bench.sender._chats
            before = queue.watch
            assert delivery.go_on()
            assert before is not None
            assert before.cancelled()
            assert queue.watch is not before
            return await super().send(delivery)

    bench = Bench(wire=Uploading())
    async with bench.running():
        await bench.say(("1", Reply(text="a", attachment=Dice())))
        await bench.sender.idle.wait()
    assert bench.wire.texts == ["a"]


async def test_a_send_does_not_go_on_when_the_lease_is_over() -> None:
    answers: list[bool] = []

    class Uploading(Wire):
        async def send(self, delivery: Delivery) -> str | None:
            assert delivery.go_on is not None
            answers.append(delivery.go_on())
            bench.clock.skip(LEASE_TTL / 1000)
            answers.append(delivery.go_on())
            raise SendLater(1)

    bench = Bench(wire=Uploading())
    async with bench.running():
        await bench.say(("1", Reply(text="a", attachment=Dice())))
        await rounds()
    assert answers == [True, False]


async def test_what_was_never_sent_is_not_deleted() -> None:
    bench = Bench()
    async with bench.running():
        await bench.say(("1", Delete(slot="s")), ("1", Edit(slot="s", buttons_only=True)))
        await bench.say(("1", Delete(ref="m5")))
        await bench.sender.idle.wait()
    assert [(one.task, one.edit) for one in bench.wire.sent] == [("delete", "m5")]


def test_a_send_may_take_less_than_the_margin_of_a_lease() -> None:
    from engine.channels.telegram import channel
    from engine.delivery.attempts import SEND_SECONDS

    assert channel.SEND_SECONDS < SEND_SECONDS < MARGIN


async def test_lost_partitions_are_dropped_at_once_and_their_results_are_not_ours() -> None:
    bench = Bench()
    async with bench.running():
        bench.wire.open_ = False
        await bench.say(("1", reply("a")), ("1", reply("b")), ("2", reply("c")))
        await rounds()
        bench.sender.forget({Address(SOURCE, "1").partition})
        bench.partitions.fence = replace(
            bench.partitions.fence,
            epochs={
                part: epoch
                for part, epoch in bench.partitions.fence.epochs.items()
                if part != Address(SOURCE, "1").partition
            },
        )
        bench.wire.let_go()
        await bench.sender.idle.wait()
        assert sorted(bench.wire.texts) == ["a", "c"], "b is begun by nobody here"
        assert await bench.unsent() == ["test/local/1"] * 2


async def test_a_result_that_is_fenced_drops_the_rest_of_its_partition() -> None:
    bench = Bench()
    async with bench.running():
        bench.wire.open_ = False
        await bench.say(("1", reply("a")), ("1", reply("b")))
        await rounds()  # now the first of them is in flight
        # somebody else has won everything, and nobody here knows
        bench.clock.skip(LEASE_TTL / 1000 + 1)
        await bench.storage.lease("other", 64, LEASE_TTL)
        bench.wire.let_go()
        await bench.sender.idle.wait()
        await bench.clock.advance(3)
    assert bench.wire.texts == ["a"]


async def test_a_partition_that_comes_back_waits_for_what_was_in_flight() -> None:
    bench = Bench()
    async with bench.running():
        bench.wire.open_ = False
        await bench.say(("1", reply("a")), ("1", reply("b")))
        await rounds()
        parts = {Address(SOURCE, "1").partition}
        bench.sender.forget(parts)
        recovering = asyncio.ensure_future(bench.sender.recover(parts))
        await rounds()
        assert not recovering.done()
        bench.wire.let_go()
        await recovering
        await bench.sender.idle.wait()
    assert bench.wire.texts == ["a", "b"], "a is not sent beside itself"


async def test_a_send_that_was_not_begun_when_its_partition_went_is_not_begun() -> None:
    bench = Bench()
    async with bench.running():
        bench.storage.held = asyncio.Event()
        await bench.say(*((str(chat), reply("a")) for chat in range(100)))
        bench.sender.forget(range(64))
        begun = bench.wire.texts[:]
        await rounds()
        assert bench.wire.texts == begun
        bench.storage.held.set()


# --- what is found --------------------------------------------------------------------------


class Asked(Slow):
    """A storage that knows what was asked of it."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock.now)
        self.asked: list[Query] = []

    async def inspect(self, query: Query) -> Page:
        self.asked.append(query)
        return await super().inspect(query)


async def test_newly_won_partitions_are_looked_through_and_no_others() -> None:
    clock = VirtualClock()
    storage = Asked(clock)
    bench = Bench(storage, clock)
    async with bench.running():
        storage.asked.clear()
        await bench.sender.recover([3, 4])
    asked = [(query.what, query.part) for query in storage.asked]
    assert asked == [("outbox", 3), ("outbox", 4)]


@pytest.mark.parametrize(("page", "looks"), [(3, 1 + 64), (4, 1)])
async def test_one_look_finds_what_waits_in_all_partitions_where_it_is_little(
    page: int, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "PAGE", page)
    clock = VirtualClock()
    storage = Asked(clock)
    bench = Bench(storage, clock)
    async with bench.running():
        bench.sender.forget(range(64))
        await bench.commit(*((chat, reply(chat)) for chat in "1234"))
        storage.asked.clear()
        await bench.sender.recover(range(64))
        assert len(storage.asked) == looks
        await bench.sender.idle.wait()
    assert sorted(bench.wire.texts) == ["1", "2", "3", "4"]


async def test_nothing_overtakes_what_waits_in_a_partition_that_was_not_looked_through() -> None:
    bench = Bench()
    async with bench.running():
        bench.wire.errors = [SendLater(10)]
        await bench.say(("1", reply("a")))
        await bench.sender.idle.wait()
        bench.sender.forget(range(64))
        await bench.say(("1", reply("b")))
        await bench.clock.advance(5)
        assert bench.wire.texts == []
        await bench.partitions.lease(64)
        await bench.sender.recover(range(64))
        await bench.say(("1", reply("c")))
        await bench.clock.advance(6)
        await bench.sender.idle.wait()
    assert bench.wire.texts == ["a", "b", "c"]


async def test_a_partition_that_nobody_told_of_is_looked_through_by_itself() -> None:
    bench = Bench()
    async with bench.running():
        bench.sender.forget(range(64))
        await bench.commit(("1", reply("a")))
        await bench.sender.look_again()
        await bench.sender.idle.wait()
        looked = bench.storage.looked
        await bench.say(("1", reply("b")))
        await bench.sender.idle.wait()
        assert bench.storage.looked == looked, "it is known, and b was never read"
    assert bench.wire.texts == ["a", "b"]


async def test_more_chats_than_have_room_are_served_in_order_nonetheless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.delivery.chats.CHATS", 10)
    monkeypatch.setattr("engine.delivery.backlog.CHATS", 10)
    bench = Bench()
    async with bench.running():
        bench.wire.errors = [SendLater(1) for _ in range(30)]
        for text in ("a", "b"):
            await bench.say(*((str(chat), reply(f"{chat}{text}")) for chat in range(50)))
        assert len(bench.sender._chats) <= 10
        for _ in range(60):
            await bench.clock.advance(1)
            await bench.sender.look_again()
            await bench.sender.idle.wait()
        assert await bench.unsent() == []
    assert len(bench.wire.texts) == 100
    for chat in range(50):
        assert [text for text in bench.wire.texts if text[:-1] == str(chat)] == [
            f"{chat}a",
            f"{chat}b",
        ]


async def test_many_chats_are_read_from_the_database_together() -> None:
    bench = Bench()
    async with bench.running():
        await bench.commit(*((str(chat), reply("a")) for chat in range(200)))
        await bench.sender.look_again()
        await bench.sender.idle.wait()
    assert len(bench.wire.sent) == 200
    assert bench.storage.looked < 20


# --- references and bodies ------------------------------------------------------------------


async def test_a_message_that_was_sent_anew_is_the_one_that_later_edits_find() -> None:
    class Lost(Wire):
        async def send(self, delivery: Delivery) -> str | None:
            await super().send(delivery)
            return delivery.edit if delivery.edit == "m2" else f"m{len(self.sent)}"

    bench = Bench()
    bench.wire = Lost()
    bench.sender = Sender(
        bench.storage, bench.partitions, {SOURCE: bench.wire}, bench.clock,
        aliases=Aliases(bench.storage), stopped=bench.stopped.append, informed=lambda: None,
    )  # fmt: skip
    async with bench.running():
        await bench.say(("1", reply("a")), slot="board")
        await bench.say(("1", Edit(slot="board", text="b")))
        await bench.say(("1", Edit(slot="board", text="c")))
        await bench.sender.idle.wait()
        assert dict(await bench.storage.refs("1", ["board"])) == {"board": "m2"}
    assert [one.edit for one in bench.wire.sent] == [None, "m1", "m2"]


async def test_what_cannot_be_read_is_given_up_at_once_and_the_rest_goes_on() -> None:
    bench = Bench()
    async with bench.running():
        outbox = await bench.commit(("1", reply("a")), ("1", reply("b")))
        bench.sender.add([(replace(outbox[0], body="{}"), None), (outbox[1], None)])
        await bench.sender.idle.wait()
        (letter,) = (await bench.storage.inspect(Query(what="dead_letters"))).rows
    assert "what was to be sent cannot be read" in letter["error"]
    assert bench.wire.texts == ["b"]


async def test_each_conversation_of_a_closed_chat_is_told_once() -> None:
    bench = Bench()
    async with bench.running():
        bench.wire.errors = [SendRefused("kicked", blocked=True)]
        rows = await bench.commit(*(("1", reply(str(n))) for n in range(6)), convs="121212")
        bench.sender.add([(row, None) for row in rows])
        await bench.sender.idle.wait()
    assert bench.wire.texts == []
    told = (await bench.storage.inspect(Query(what="inbox"))).rows
    assert sorted(row["conv"] for row in told) == ["1", "2"]
