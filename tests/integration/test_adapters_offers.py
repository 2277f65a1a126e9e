"""Who gets an update inside another library's bot: the flows, or its own handlers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from engine import App
from flows import (
    Action,
    Choice,
    Context,
    FlowBuilder,
    Router,
    Text,
    Turn,
    transition,
)
from flows.errors import AlreadyOwned, StorageDown
from flows.fsm import Transition
from flows.ports import InboxRow
from flows.updates import Update
from storage import MemoryStorage, SqlStorage
from tests.botapi import BotApiServer
from tests.hosts import Opened, both_hosts
from tests.support import Names, One, app_of

pytestmark = [pytest.mark.anyio, both_hosts]

ADA, BOB = 1001, 1002


@pytest.fixture
async def server() -> AsyncIterator[BotApiServer]:
    async with BotApiServer() as running:
        yield running


def naming(gate: asyncio.Event | None = None) -> App:
    """A bot that asks for a name; before it asks, it waits for the gate."""
    builder = FlowBuilder("naming", One, Names)

    @builder.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        if gate is not None and turn.user.id == str(ADA):
            await gate.wait()
        name = await turn.ask("Name?", Text())
        turn.reply(f"<b> {name}")
        return turn.complete()

    return app_of(builder.build(initial=One.ONLY))


def colours() -> App:
    """A bot whose flow asks by buttons."""
    builder = FlowBuilder("colour", One, Names)
    builder.ask(One.ONLY, "Colour?", Choice(["mine", "yours"]), into="first")
    return app_of(builder.build(initial=One.ONLY))


async def said(server: BotApiServer, *texts: str, chat: int = ADA) -> None:
    """Waits until a chat has got these messages, and no others."""
    try:
        await server.until(lambda: len(server.replies(chat)) >= len(texts))
    finally:
        assert server.replies(chat) == list(texts)


async def test_what_no_flow_wants_goes_on_to_the_hosts_handlers(
    server: BotApiServer, opened: Opened
) -> None:
    async with opened(naming(), server) as host:
        server.text(ADA, "/settings")
        server.text(ADA, "mine")
        await server.until(lambda: len(server.replies(ADA)) == 2)
    assert sorted(host.heard) == ["/settings", "mine"]


async def test_an_answer_to_a_flow_is_not_given_to_a_handler_that_would_take_it(
    server: BotApiServer, opened: Opened
) -> None:
    async with opened(naming(), server) as host:
        server.text(ADA, "/start")
        server.text(ADA, "mine is Ada")
        await said(server, "Name?", "<b> mine is Ada")
    assert host.heard == []


async def test_a_hosts_parse_mode_does_not_touch_what_flows_say_plainly(
    server: BotApiServer, opened: Opened
) -> None:
    async with opened(naming(), server):
        server.text(ADA, "/start")
        server.text(ADA, "Ada")
        await said(server, "Name?", "<b> Ada")
    assert [event.parse_mode for event in server.events] == [None, None]


async def test_a_command_of_the_host_inside_a_flow_is_the_hosts_and_the_flow_goes_on(
    server: BotApiServer, opened: Opened
) -> None:
    async with opened(naming(), server) as host:
        server.text(ADA, "/start")
        await said(server, "Name?")
        server.text(ADA, "/settings")
        await said(server, "Name?", "host: /settings")
        server.text(ADA, "Ada")
        await said(server, "Name?", "host: /settings", "<b> Ada")
    assert host.heard == ["/settings"]


async def test_what_neither_takes_inside_a_flow_is_asked_again(
    server: BotApiServer, opened: Opened
) -> None:
    async with opened(naming(), server) as host:
        server.text(ADA, "/start")
        await said(server, "Name?")
        server.photo(ADA)
        await server.until(lambda: len(server.replies(ADA)) == 2)
    assert "Name?" in server.replies(ADA)[-1]
    assert host.heard == []


async def test_leftovers_of_the_flows_are_asked_again_before_the_host_sees_them(
    server: BotApiServer, opened: Opened
) -> None:
    async with opened(naming(), server, leftovers="flows") as host:
        server.text(ADA, "/start")
        await said(server, "Name?")
        server.text(ADA, "/settings")
        await server.until(lambda: len(server.replies(ADA)) == 2)
    assert "Name?" in server.replies(ADA)[-1]
    assert host.heard == []


async def test_what_nobody_wants_gets_no_answer(server: BotApiServer, opened: Opened) -> None:
    async with opened(naming(), server) as host:
        server.text(ADA, "hello")
        server.text(ADA, "mine")
        await said(server, "host: mine")
    assert host.heard == ["mine"]


async def test_a_fallback_of_the_router_gets_what_nobody_else_takes(
    server: BotApiServer, opened: Opened
) -> None:
    router = Router("bot")

    @router.fallback
    async def puzzled(ctx: Context[Any, Any]) -> None:
        ctx.reply("What?")

    async with opened(App(router), server) as host:
        server.text(ADA, "mine")
        await said(server, "host: mine")
        server.text(ADA, "hello")
        await said(server, "host: mine", "What?")
    assert host.heard == ["mine"]


async def test_a_handler_of_the_router_goes_before_the_hosts(
    server: BotApiServer, opened: Opened
) -> None:
    router = Router("bot")

    @router.command("settings")
    async def settings(ctx: Context[Any, Any]) -> None:
        ctx.reply("flows' settings")

    async with opened(App(router), server) as host:
        server.text(ADA, "/settings")
        await said(server, "flows' settings")
    assert host.heard == []


async def test_an_answer_to_a_handler_of_the_router_that_asks_is_its_own(
    server: BotApiServer, opened: Opened
) -> None:
    router = Router("bot")

    @router.command("greet")
    async def greet(ctx: Context[Any, Any]) -> None:
        name = await ctx.ask("Who?", Text())
        ctx.reply(f"Hello {name}")

    async with opened(App(router), server) as host:
        server.text(ADA, "/greet")
        server.text(ADA, "mine")
        await said(server, "Who?", "Hello mine")
    assert host.heard == []


async def test_the_commands_inside_flows_are_the_hosts_where_none_runs(
    server: BotApiServer, opened: Opened
) -> None:
    async with opened(naming(), server, own="^/help") as host:
        server.text(ADA, "/help")
        await said(server, "host: /help")
        server.text(ADA, "/cancel")
        await said(server, "host: /help", "There is nothing to cancel.")
        server.text(BOB, "/start")
        await said(server, "Name?", chat=BOB)
        server.text(BOB, "/help")
        await server.until(lambda: len(server.replies(BOB)) == 3)
    assert host.heard == ["/help"]


async def test_a_button_is_for_whoever_made_it(server: BotApiServer, opened: Opened) -> None:
    async with opened(colours(), server) as host:
        server.text(ADA, "/start")
        await said(server, "Colour?")
        (asked,) = server.messages.values()
        ours = asked.keyboard
        asked.keyboard = [[{"text": "own", "callback_data": "mine:1"}]]
        server.press(ADA, "own")
        await server.until(lambda: server.answers(ADA) == ["host"])
        asked.keyboard = ours
        server.press(ADA, "mine")
        await server.until(lambda: server.answers(ADA) == ["host", ""])
    assert host.heard == ["mine:1"]


async def test_a_command_for_another_bot_is_the_hosts_concern(
    server: BotApiServer, opened: Opened
) -> None:
    async with opened(naming(), server, own="^/start@") as host:
        server.text(ADA, "/start@other_bot", chat=-7)
        await server.until(lambda: server.replies(-7))
    assert host.heard == ["/start@other_bot"]


async def test_the_menu_of_commands_stays_the_hosts(server: BotApiServer, opened: Opened) -> None:
    async with opened(naming(), server):
        server.text(ADA, "/start")
        await said(server, "Name?")
    assert server.calls("setMyCommands") == []


async def test_a_conversation_that_no_code_fits_any_more_leaves_the_person_to_the_host(
    server: BotApiServer, opened: Opened
) -> None:
    storage = MemoryStorage()
    async with opened(naming(), server, storage):
        server.text(ADA, "/start")
        await said(server, "Name?")
    async with opened(colours(), server, storage) as host:
        server.text(ADA, "mine")
        await said(server, "Name?", "host: mine")
    assert host.heard == ["mine"]


async def test_a_handler_for_a_state_goes_before_the_hosts(
    server: BotApiServer, opened: Opened
) -> None:
    router = Router("bot")

    @router.command("order")
    async def order(ctx: Context[Any, Any]) -> Transition:
        ctx.reply("For whom?")
        return transition("name")

    @router.state("name")
    async def name(ctx: Context[Any, Any]) -> None:
        ctx.fsm.reset_state()
        ctx.reply(f"For {ctx.payload}.")

    async with opened(App(router), server) as host:
        server.text(ADA, "/order")
        server.text(ADA, "mine")
        await said(server, "For whom?", "For mine.")
        server.text(ADA, "mine too")
        await said(server, "For whom?", "For mine.", "host: mine too")
    assert host.heard == ["mine too"]


async def test_a_filter_that_fails_is_an_error_of_the_flows(
    server: BotApiServer, opened: Opened
) -> None:
    router = Router("bot")

    def broken(update: Update) -> bool:
        raise LookupError("no such team")

    @router.text("mine", where=broken)
    async def text(ctx: Context[Any, Any]) -> None:
        ctx.reply("never")

    async with opened(App(router), server) as host:
        server.text(ADA, "mine")
        await said(server, "Sorry, something went wrong. Please try that again.")
    assert host.heard == []


async def test_a_menu_of_the_app_is_not_shown(server: BotApiServer, opened: Opened) -> None:
    router = Router("bot")

    @router.command("secret", scope="admins")
    async def secret(ctx: Context[Any, Any]) -> None:
        ctx.reply("Psst")

    async with opened(App(router), server):
        server.text(ADA, "/secret")
        await said(server, "Psst")
    assert {request.method for request in server.requests} <= {
        "getMe", "getUpdates", "deleteWebhook", "sendMessage",
    }  # fmt: skip


async def test_a_key_that_cannot_be_told_is_an_error_of_the_flows(
    server: BotApiServer, opened: Opened
) -> None:
    def key(update: Update) -> str:
        raise LookupError("no such team")

    builder = FlowBuilder("team", One, Names, key=key)
    builder.ask(One.ONLY, "Name?", Text(), into="first")
    async with opened(app_of(builder.build(initial=One.ONLY)), server) as host:
        server.text(ADA, "mine")
        await said(server, "Sorry, something went wrong. Please try that again.")
    assert host.heard == []


# --- order ------------------------------------------------------------------------------


async def test_a_quick_answer_waits_for_the_turn_that_asks(
    server: BotApiServer, opened: Opened
) -> None:
    gate = asyncio.Event()
    async with opened(naming(gate), server) as host:
        server.text(ADA, "/start")
        server.text(ADA, "mine is Ada")
        await server.until(lambda: not server.updates)
        gate.set()
        await said(server, "Name?", "<b> mine is Ada")
    assert host.heard == []


async def test_a_slow_turn_holds_up_no_other_chat(server: BotApiServer, opened: Opened) -> None:
    gate = asyncio.Event()
    async with opened(naming(gate), server):
        server.text(ADA, "/start")
        server.text(BOB, "/start")
        server.text(BOB, "Bob")
        await said(server, "Name?", "<b> Bob", chat=BOB)
        assert server.replies(ADA) == []
        gate.set()
        await said(server, "Name?")


async def test_many_quick_messages_are_taken_in_their_order(
    server: BotApiServer, opened: Opened
) -> None:
    builder = FlowBuilder("count", One, Names)

    @builder.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        words = [await turn.ask(f"{number}?") for number in range(8)]
        turn.reply(" ".join(words))
        return turn.complete()

    words = [f"mine{number}" for number in range(8)]
    async with opened(app_of(builder.build(initial=One.ONLY)), server) as host:
        for text in ("/start", *words):
            server.text(ADA, text)
        await server.until(lambda: len(server.replies(ADA)) == 9)
    assert server.replies(ADA)[-1] == " ".join(words)
    assert host.heard == []


# --- trouble ----------------------------------------------------------------------------


class Failing(MemoryStorage):
    """A storage that keeps no updates for the first ``failures`` times."""

    failures = 0

    async def accept(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        if self.failures > 0:
            self.failures -= 1
            raise StorageDown("out of order")
        return await super().accept(rows)


async def test_an_update_waits_for_a_storage_that_is_down(
    server: BotApiServer, opened: Opened
) -> None:
    storage = Failing()
    async with opened(naming(), server, storage) as host:
        storage.failures = 1
        server.text(ADA, "/start")
        await said(server, "Name?")
    assert (host.heard, host.errors) == ([], [])


async def test_an_update_that_is_not_kept_in_time_is_an_error_that_no_handler_follows(
    server: BotApiServer, opened: Opened
) -> None:
    storage = Failing()
    async with opened(naming(), server, storage, own="", patience=0.05) as host:
        storage.failures = 1_000
        server.text(ADA, "/start")
        await host.failed.wait()
        storage.failures = 0
    assert [type(error) for error in host.errors] == [StorageDown]
    assert "not kept within 0.05 seconds" in str(host.errors[0])
    assert host.heard == []


async def test_a_storage_that_another_bot_works_on_is_refused_at_the_start(
    server: BotApiServer, opened: Opened, tmp_path: Any
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}"
    async with opened(naming(), server, SqlStorage(url)), BotApiServer() as other:
        with pytest.raises(AlreadyOwned):
            async with opened(naming(), other, SqlStorage(url)):
                pytest.fail("it has started")


async def test_a_group_that_becomes_a_supergroup_takes_its_conversation_along(
    server: BotApiServer, opened: Opened
) -> None:
    async with opened(naming(), server) as host:
        server.text(ADA, "/start", chat=-7)
        await said(server, "Name?", chat=-7)
        server.message(ADA, -7, migrate_to_chat_id=-100_7)
        server.text(ADA, "Ada", chat=-100_7)
        await said(server, "<b> Ada", chat=-100_7)
    assert host.errors == []
