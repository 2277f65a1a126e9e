"""Conversations whose chat is closed to the bot: told once, left in peace, taken up again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import pytest

from engine import App
from engine.testing.chat import Chat, TestChannel
from engine.testing.clock import VirtualClock
from flows import Action, Confirm, Context, Flow, FlowBuilder, Text, Turn
from flows.conversation import Address, ConversationKey
from flows.errors import SendRefused
from flows.ports import Delivery, Query
from flows.updates import SendFailed, Update
from storage import MemoryStorage
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

REASON = "Forbidden: bot was blocked by the user"


class Network(TestChannel):
    """A channel to chats of which some are closed."""

    closed: ClassVar[set[str]]
    refused: ClassVar[list[str]]

    async def send(self, delivery: Delivery) -> str | None:
        if delivery.chat in self.closed:
            self.refused.append(delivery.text)
            raise SendRefused(REASON, blocked=True)
        return await super().send(delivery)


@pytest.fixture
def network() -> type[Network]:
    class Fresh(Network):
        closed: ClassVar[set[str]] = set()
        refused: ClassVar[list[str]] = []

    return Fresh


def survey(
    told: list[str] | None = None,
    *,
    hook: Callable[[Turn[Three, Names]], object] | None = None,
    ttl: timedelta | None = None,
) -> Flow[Three, Names]:
    """Three questions, with a hook that notes where the flow stood."""
    builder = FlowBuilder("survey", Three, Names, ttl=ttl)
    builder.ask(Three.FIRST, "First?", Text(), into="first")
    builder.ask(
        Three.SECOND, "Second?", Text(), into="second",
        timeout=timedelta(hours=2), remind=timedelta(hours=1), on_timeout=Three.THIRD,
    )  # fmt: skip
    builder.ask(Three.THIRD, "Third?", Text(), into="third")

    @builder.on_blocked
    async def blocked(turn: Turn[Three, Names]) -> None:
        if told is not None:
            told.append(turn.step.name)
        if hook is not None:
            hook(turn)

    return builder.build(initial=Three.FIRST)


def made(*flows: Flow[Three, Names]) -> tuple[App, VirtualClock, MemoryStorage]:
    clock = VirtualClock()
    return app_of(*flows, clock=clock), clock, MemoryStorage(clock.now)


def said(chat: Chat, to: str = "1") -> list[str]:
    return [one.text for one in chat.deliveries if one.chat == to]


async def blocked_at_second(chat: Chat, network: type[Network]) -> None:
    """Ada has answered the first question and blocked the bot, so the second is refused."""
    await chat.say("/start")
    network.closed.add("1")
    await chat.say("a")
    assert network.refused == ["Second?"]


# --- the hook -------------------------------------------------------------------------------


async def test_the_hook_runs_once_however_many_messages_are_refused(network: type[Network]) -> None:
    told = list[str]()
    app, _, storage = made(survey(told))
    async with Chat(app, storage=storage, channel=network) as chat:
        await blocked_at_second(chat, network)
        await chat.say("/help")
        assert len(network.refused) > 1
    assert told == ["SECOND", "SECOND"], "it came back by /help, and was gone again"


async def test_what_the_hook_writes_is_kept_and_what_it_says_is_not_sent(
    network: type[Network], caplog: pytest.LogCaptureFixture
) -> None:
    def hook(turn: Turn[Three, Names]) -> None:
        turn.data.count += 1
        turn.reply("Where are you?")
        turn.log("gone", first=turn.data.first)

    app, _, storage = made(survey(hook=hook))
    async with Chat(app, storage=storage, channel=network) as chat:
        await blocked_at_second(chat, network)
        (row,) = (await app.running.instances(live=True)).rows
        view = await app.running.show(row.id)
    assert view.parked
    assert view.instance is not None
    assert view.instance.data["count"] == 1
    assert network.refused == ["Second?"]
    assert "gone" in caplog.text


async def test_a_hook_that_fails_or_asks_parks_the_conversation_all_the_same(
    network: type[Network], caplog: pytest.LogCaptureFixture
) -> None:
    def hook(turn: Turn[Three, Names]) -> None:
        raise RuntimeError("oops")

    app, _, storage = made(survey(hook=hook))
    async with Chat(app, storage=storage, channel=network) as chat:
        await blocked_at_second(chat, network)
        (row,) = (await app.running.instances(live=True)).rows
        assert (await app.running.show(row.id)).parked
    assert "its on_blocked hook failed; the conversation is parked all the same" in caplog.text
    assert network.refused == ["Second?"]


async def test_called_flows_are_told_before_those_that_called_them(network: type[Network]) -> None:
    told = list[str]()
    inner = survey(told)
    builder = FlowBuilder("outer", One, Names)

    @builder.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.call(inner)
        return turn.complete()

    @builder.on_blocked
    async def blocked(turn: Turn[One, Names]) -> None:
        told.append("outer")

    async with Chat(app_of(builder.build(initial=One.ONLY)), channel=network) as chat:
        await blocked_at_second(chat, network)
    assert told == ["SECOND", "outer"]


# --- while it is parked ---------------------------------------------------------------------


async def test_what_else_is_queued_for_the_chat_has_the_same_end_unsent(
    network: type[Network],
) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Go on.")
        for number in range(5):
            turn.reply(f"{number}")
        return turn.wait(Text(), prompt="Well?")

    flow = FlowBuilder("many", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    storage = MemoryStorage()
    async with Chat(app_of(flow), storage=storage, channel=network) as chat:
        for by in ("1", "2"):
            await chat.say("/start", by=by)
        network.closed.add("1")
        await chat.say("a")
        await chat.say("a", by="2")
        assert network.refused == ["0"]
        assert said(chat, to="2") == ["Go on.", *"01234", "Well?"]
        letters = (await storage.inspect(Query(what="dead_letters"))).rows
        assert (await storage.inspect(Query(what="outbox"))).rows == []
    assert [letter["error"] for letter in letters] == [REASON] * 6


async def test_reminders_are_held_and_lost_time_goes_on_in_silence(network: type[Network]) -> None:
    app, _, storage = made(survey())
    async with Chat(app, storage=storage, channel=network) as chat:
        await blocked_at_second(chat, network)
        network.closed.clear()
        await chat.advance(timedelta(hours=1, minutes=30))
        assert said(chat) == ["First?"], "no reminder"
        await chat.advance(timedelta(hours=1))
        assert said(chat) == ["First?"], "no question of the step that lost time leads to"
        (row,) = (await app.running.instances(live=True)).rows
        assert row.step == "THIRD"


async def test_a_flow_whose_time_is_over_ends_in_silence(network: type[Network]) -> None:
    app, _, storage = made(survey(ttl=timedelta(days=1)))
    async with Chat(app, storage=storage, channel=network) as chat:
        await blocked_at_second(chat, network)
        network.closed.clear()
        await chat.advance(timedelta(days=2))
        assert said(chat) == ["First?"]
        (row,) = (await app.running.instances()).rows
        assert row.status == "expired"


async def test_what_operators_do_is_done_and_not_said(network: type[Network]) -> None:
    app, _, storage = made(survey())
    async with Chat(app, storage=storage, channel=network) as chat:
        await blocked_at_second(chat, network)
        (row,) = (await app.running.instances(live=True)).rows
        await app.goto(row.id, "THIRD")
        await chat.settle()
        assert network.refused == ["Second?"]
        assert (await app.running.show(row.id)).row.step == "THIRD"


async def test_it_stays_parked_over_a_restart(network: type[Network]) -> None:
    app, _, storage = made(survey())
    async with Chat(app, storage=storage, channel=network) as chat:
        await blocked_at_second(chat, network)
    network.closed.clear()
    async with Chat(app, storage=storage, channel=network) as chat:
        await chat.advance(timedelta(hours=1, minutes=30))
        assert said(chat) == []


# --- the return -----------------------------------------------------------------------------


async def test_who_comes_back_is_shown_the_question_that_never_arrived(
    network: type[Network],
) -> None:
    app, _, storage = made(survey())
    async with Chat(app, storage=storage, channel=network) as chat:
        await blocked_at_second(chat, network)
        network.closed.clear()
        assert await chat.say("hello again") == ("Second?",)
        assert await chat.say("b") == ("Third?",)
        (row,) = (await app.running.instances(live=True)).rows
        shown = await app.running.show(row.id)
        assert not shown.parked
        assert shown.instance is not None
        assert shown.instance.data["second"] == "b"


async def test_who_comes_back_with_a_command_gets_what_it_does(network: type[Network]) -> None:
    app, _, storage = made(survey())
    async with Chat(app, storage=storage, channel=network) as chat:
        await blocked_at_second(chat, network)
        network.closed.clear()
        assert (await chat.say("/start"))[-1] == "Second?"


async def test_a_button_that_was_seen_counts_on_return(network: type[Network]) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Sure?", Confirm())
        turn.reply("Well then.")
        return turn.complete()

    flow = FlowBuilder("sure", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow), channel=network) as chat:
        await chat.say("/start")
        network.closed.add("1")
        await chat.say("/help")
        network.closed.clear()
        assert "Well then." in await chat.press("Yes")


async def test_reminders_come_again_after_the_return_but_for_those_that_were_missed(
    network: type[Network],
) -> None:
    clock = VirtualClock()
    builder = FlowBuilder("slow", One, Names)
    hours = [timedelta(hours=hour) for hour in (1, 3)]
    builder.ask(One.ONLY, "Name?", Text(), into="first", timeout=timedelta(days=1), remind=hours)
    app = app_of(builder.build(initial=One.ONLY), clock=clock)
    async with Chat(app, storage=MemoryStorage(clock.now), channel=network) as chat:
        network.closed.add("1")
        await chat.say("/start")
        network.closed.clear()
        await chat.advance(timedelta(hours=2))
        assert await chat.say("hm?") == ("Name?",)
        assert await chat.advance(timedelta(minutes=30)) == ()
        assert "Name?" in await chat.advance(timedelta(hours=1))


# --- no loops, and other refusals -----------------------------------------------------------


async def test_a_refusal_that_is_not_for_ever_parks_nothing(network: type[Network]) -> None:
    class Picky(TestChannel):
        async def send(self, delivery: Delivery) -> str | None:
            if delivery.text == "Second?":
                raise SendRefused("can't parse entities")
            return await super().send(delivery)

    told = list[str]()
    app, _, storage = made(survey(told))
    async with Chat(app, storage=storage, channel=Picky) as chat:
        await chat.say("/start")
        await chat.say("a")
        (row,) = (await app.running.instances(live=True)).rows
        assert not (await app.running.show(row.id)).parked
        assert await chat.say("b") == ("Third?",)
        (letter,) = (await app.dead_letters()).rows
    assert (letter.error, letter.origin, letter.tries) == ("can't parse entities", "outbox", 1)
    assert told == []


async def test_a_handler_of_failed_sends_that_replies_or_fails_makes_no_loop(
    network: type[Network],
) -> None:
    app, _, storage = made(survey())
    seen = list[SendFailed]()

    @app.router.kind("send_failed")
    async def failed(ctx: Context) -> None:
        assert isinstance(ctx.update.content, SendFailed)
        seen.append(ctx.update.content)
        ctx.reply("Did you not get it?")
        raise RuntimeError("oops")

    async with Chat(app, storage=storage, channel=network) as chat:
        await blocked_at_second(chat, network)
        (row,) = (await app.running.instances(live=True)).rows
        assert (await app.running.show(row.id)).parked
        network.closed.clear()
        assert await chat.say("hello again") == ("Second?",)
    assert [one.reason for one in seen] == [REASON]
    assert seen[0].scope == str(ConversationKey(Address("test:local", "1"), "1"))


async def test_a_conversation_of_a_group_is_parked_by_itself_and_anybody_brings_it_back(
    network: type[Network],
) -> None:
    builder = FlowBuilder("poll", One, Names, key="chat")
    builder.ask(One.ONLY, "Where to?", Text(), into="first")
    told = list[str]()

    @builder.on_blocked
    async def blocked(turn: Turn[One, Names]) -> None:
        told.append("poll")

    app = app_of(builder.build(initial=One.ONLY))
    async with Chat(app, channel=network) as chat:
        await chat.say("/start", by="1", chat="-5")
        network.closed.add("-5")
        await chat.say("/start", by="2", chat="-5")
        (row,) = (await app.running.instances(live=True)).rows
        assert (await app.running.show(row.id)).parked
        network.closed.clear()
        assert await chat.say("Rome?", by="3", chat="-5") == ("Where to?",)
        await chat.say("Rome", by="3", chat="-5")
        assert (await app.running.instances(live=True)).rows == ()
    assert told == ["poll"]


async def test_a_conversation_keyed_by_a_function_is_found_by_its_message(
    network: type[Network],
) -> None:
    def table(update: Update) -> str:
        assert update.content.kind == "command", "it is made for what people send"
        return "table 4"

    builder = FlowBuilder("order", One, Names, key=table)
    builder.ask(One.ONLY, "What will it be?", Text(), into="first")
    app = app_of(builder.build(initial=One.ONLY))
    async with Chat(app, channel=network) as chat:
        network.closed.add("-5")
        await chat.say("/start", by="1", chat="-5")
        (row,) = (await app.running.instances(live=True)).rows
        assert (await app.running.show(row.id)).parked


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")
