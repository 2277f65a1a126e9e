"""Delivery: in order per chat, through refusals, waits, cut answers and restarts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.testing.chat import SOURCE, Chat, TestChannel
from flows import Action, Context, Flow, FlowBuilder, TextMessage, Turn
from flows.conversation import Address
from flows.errors import (
    ChannelStopped,
    OutcomeUnknown,
    SendLater,
    SendRefused,
    SendUncertain,
    StorageDown,
)
from flows.messages.replies import Reply, send_to_json
from flows.ports import Delivery, Query
from flows.updates import SendFailed
from storage import MemoryStorage, open_storage
from storage.memory.database import Message
from tests.faults import Fragile, HeldClock
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


def echo() -> Flow[One, Names]:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Go on.")
        while True:
            said = await turn.ask(said)

    return FlowBuilder("echo", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


def network(errors: Mapping[str, list[Exception]]) -> type[TestChannel]:
    """A channel that raises the next of the errors when that text is sent."""

    class Network(TestChannel):
        async def send(self, delivery: Delivery) -> str | None:
            waiting = errors.get(delivery.text)
            if waiting:
                raise waiting.pop(0)
            return await super().send(delivery)

    return Network


def texts(*chats: Chat, to: str = "1") -> list[str]:
    return [sent.text for chat in chats for sent in chat.deliveries if sent.chat == to]


async def say_all(chat: Chat, *said: str, by: str = "1") -> None:
    await chat.hand_in([chat.update(TextMessage(text), by=by) for text in said])
    await chat.settle()


async def test_a_chat_that_has_to_wait_delays_itself_only_and_keeps_its_order() -> None:
    clock = HeldClock()
    channel = network({"a": [SendLater(30)]})
    async with Chat(app_of(echo(), clock=clock), channel=channel) as chat:
        for by in ("1", "2"):
            await chat.say("/start", by=by)
        await say_all(chat, "a", "b", "c")
        await say_all(chat, "x", "y", by="2")
        assert texts(chat) == ["Go on."]
        assert texts(chat, to="2") == ["Go on.", "x", "y"]
        await clock.advance(29)
        assert texts(chat) == ["Go on."]
        await clock.advance(1)
        await chat.settle()
        assert texts(chat) == ["Go on.", "a", "b", "c"]


async def test_a_cut_answer_is_tried_again_before_what_comes_after_it() -> None:
    clock = HeldClock()
    channel = network({"a": [SendUncertain("cut"), SendUncertain("cut")]})
    async with Chat(app_of(echo(), clock=clock), channel=channel) as chat:
        await chat.say("/start")
        await say_all(chat, "a", "b")
        await clock.advance(20)
        await chat.settle()
        assert texts(chat) == ["Go on.", "a", "b"]


async def test_answers_that_are_cut_for_ever_are_given_up_and_later_messages_go_on() -> None:
    clock, storage = HeldClock(), MemoryStorage()
    channel = network({"a": [SendUncertain("cut")] * 5})
    async with Chat(app_of(echo(), clock=clock), storage=storage, channel=channel) as chat:
        await chat.say("/start")
        await say_all(chat, "a", "b")
        await clock.advance(120)
        await chat.settle()
        assert texts(chat) == ["Go on.", "b"]
        (dead,) = (await storage.inspect(Query(what="dead_letters"))).rows
    assert (dead["origin"], dead["error"], dead["tries"]) == ("outbox", "cut", 5)


async def test_a_bug_in_a_channel_costs_its_own_message_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = HeldClock()
    channel = network({"a": [RuntimeError("oops")] * 5})
    async with Chat(app_of(echo(), clock=clock), channel=channel) as chat:
        for by in ("1", "2"):
            await chat.say("/start", by=by)
        await say_all(chat, "a", "b")
        await say_all(chat, "x", by="2")
        await clock.advance(120)
        await chat.settle()
        assert (texts(chat)[1:], texts(chat, to="2")[1:]) == (["b"], ["x"])
    assert "could not be sent" in caplog.text


async def test_a_refused_message_tells_the_bot_and_later_messages_go_on() -> None:
    seen: list[SendFailed] = []
    app = app_of(echo())

    @app.router.kind("send_failed")
    async def failed(ctx: Context) -> None:
        assert isinstance(ctx.update.content, SendFailed)
        seen.append(ctx.update.content)

    channel = network({"a": [SendRefused("too long")], "b": [SendRefused("gone", blocked=True)]})
    async with Chat(app, channel=channel) as chat:
        await chat.say("/start")
        await say_all(chat, "a", "b", "c")
        assert texts(chat) == ["Go on.", "c"]
    assert [(one.reason, one.blocked) for one in seen] == [("too long", False), ("gone", True)]
    assert all(one.slot is not None for one in seen)


async def test_a_channel_that_stops_while_sending_stops_the_app_and_loses_nothing() -> None:
    storage = MemoryStorage()
    closed = asyncio.Event()

    class Revoked(TestChannel):
        async def send(self, delivery: Delivery) -> str | None:
            if delivery.text == "a":
                raise ChannelStopped("the token was revoked")
            return await super().send(delivery)

        async def close(self) -> None:
            closed.set()

    first = Chat(app_of(echo()), storage=storage, channel=Revoked)

    async def talk() -> None:
        async with first:
            await first.say("/start")
            await first.hand_in([first.update(TextMessage("a"))])
            await closed.wait()

    with pytest.raises(ChannelStopped, match="the token was revoked"):
        await talk()
    async with Chat(app_of(echo()), storage=storage) as second:
        await second.settle()
        assert texts(second) == ["a"]


# --- restarts ---------------------------------------------------------------------------


def held_back(*, at: str) -> type[TestChannel]:
    """A channel on which a message never gets out: its process ends before."""

    class Stuck(TestChannel):
        async def send(self, delivery: Delivery) -> str | None:
            if delivery.text == at:
                raise SendLater(3600)
            return await super().send(delivery)

    return Stuck


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_undelivered_messages_go_out_after_a_restart_in_order_and_before_newer_ones(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.workers.worker.DRAIN", 0.01)
    clock = HeldClock()
    storage = (
        MemoryStorage(clock.now)
        if kind == "memory"
        else open_storage(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    )
    fragile = Fragile(storage)
    app = app_of(echo(), clock=clock)
    async with Chat(app, storage=fragile.storage, channel=held_back(at="a")) as first:
        await first.say("/start")
        # it is never recorded that the message has to wait, as if the process died at once
        fragile.fail("sent", *(StorageDown("busy") for _ in range(100)))
        await first.hand_in([first.update(TextMessage(text)) for text in ("a", "b", "c")])
        await clock.advance(1)
    async with Chat(app, storage=storage) as second:
        await second.hand_in([second.update(TextMessage("d"))])
        await second.settle()
        assert texts(first, second) == ["Go on.", "a", "b", "c", "d"]


async def test_a_message_that_has_to_wait_is_not_overtaken_after_a_restart() -> None:
    clock = HeldClock()
    storage = MemoryStorage(clock.now)
    app = app_of(echo(), clock=clock)
    async with Chat(app, storage=storage, channel=network({"a": [SendLater(60)]})) as first:
        await first.say("/start")
        await say_all(first, "a", "b")
    async with Chat(app, storage=storage) as second:
        await say_all(second, "c")
        assert texts(first, second) == ["Go on."]
        await clock.advance(61)
        await second.settle()
        assert texts(first, second) == ["Go on.", "a", "b", "c"]


async def test_an_edit_finds_its_message_after_a_restart() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        board = turn.reply("0 answers")
        await turn.ask("A?")
        turn.edit(board, "1 answer")
        await turn.ask("B?")
        return turn.complete()

    flow = FlowBuilder("board", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    storage = MemoryStorage()
    async with Chat(app_of(flow), storage=storage) as first:
        await first.say("/start")
        (sent,) = [one for one in first.deliveries if one.text == "0 answers"]
    async with Chat(app_of(flow), storage=storage) as second:
        await second.say("a")
        (edit,) = [one for one in second.deliveries if one.text == "1 answer"]
    assert sent.edit is None
    assert edit.edit == "m1"


async def test_an_edit_right_behind_its_message_finds_it() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        board = turn.reply("before")
        turn.edit(board, "after")
        return turn.complete()

    flow = FlowBuilder("board", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        await chat.say("/start")
        assert [(one.text, one.edit) for one in chat.deliveries] == [
            ("before", None),
            ("after", "m1"),
        ]


async def test_what_another_process_puts_into_the_outbox_is_delivered() -> None:
    clock = HeldClock()
    database = MemoryStorage(clock.now).database
    app = app_of(echo(), clock=clock)
    async with Chat(app, storage=MemoryStorage(database=database)) as chat:
        address = Address(SOURCE, "1")
        database.put_message(_message(database.next_message(), address))
        await clock.advance(1)
        await chat.settle()
        assert texts(chat) == ["from elsewhere"]


async def test_messages_of_another_bot_stay_until_that_one_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = HeldClock()
    storage = MemoryStorage(clock.now)
    address = Address("telegram:1", "7")
    storage.database.put_message(_message(storage.database.next_message(), address))
    async with Chat(app_of(echo(), clock=clock), storage=storage) as chat:
        await clock.advance(5)
        assert await chat.say("/start") == ("Go on.",)
        (row,) = (await storage.inspect(Query(what="outbox"))).rows
        assert (await storage.inspect(Query(what="dead_letters"))).rows == []
    assert row["chat"] == str(address)
    assert caplog.text.count("no channel telegram:1 runs here") == 1


# --- recording --------------------------------------------------------------------------


@pytest.mark.parametrize("error", [StorageDown("busy"), OutcomeUnknown("cut")])
async def test_a_sent_message_that_cannot_be_recorded_yet_is_not_sent_again(
    error: Exception,
) -> None:
    clock = HeldClock()
    fragile = Fragile(MemoryStorage())
    async with Chat(app_of(echo(), clock=clock), storage=fragile.storage) as chat:
        await chat.say("/start")
        fragile.fail("sent", error, error)
        await chat.hand_in([chat.update(TextMessage("a"))])
        await clock.advance(5)
        await chat.settle()
        assert texts(chat) == ["Go on.", "a"]
        assert fragile.calls["sent"] >= 3


async def test_a_result_that_cannot_be_stored_is_kept_without_its_details() -> None:
    storage = MemoryStorage()
    channel = network({"a": [SendRefused("a\0b")]})
    async with Chat(app_of(echo()), storage=storage, channel=channel) as chat:
        await chat.say("/start")
        await say_all(chat, "a", "b")
        assert texts(chat) == ["Go on.", "b"]
        (dead,) = (await storage.inspect(Query(what="dead_letters"))).rows
    assert dead["error"] == "(its reason could not be stored)"


async def test_what_does_not_fit_into_memory_is_delivered_from_the_database_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.delivery.chats.CAPACITY", 2)
    async with Chat(app_of(echo())) as chat:
        await chat.say("/start")
        numbers = [f"m{n}" for n in range(30)]
        await say_all(chat, *numbers)
        assert texts(chat) == ["Go on.", *numbers]


# --- helpers ----------------------------------------------------------------------------


def _message(seq: int, address: Address) -> Message:
    return Message(
        seq=seq,
        part=address.partition,
        chat=str(address),
        conv="operator",
        turn=1,
        n=0,
        slot=None,
        body=send_to_json(Reply(text="from elsewhere")),
    )


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")
