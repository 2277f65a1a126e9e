"""The menus of commands at Telegram, against a Bot API server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine import App
from engine.channels.telegram import TelegramChannel
from flows import Context, Router
from flows.menus import Menu
from storage import MemoryStorage
from tests.botapi import BotApiServer
from tests.botapi.doubles import QuickClock

pytestmark = pytest.mark.anyio

BEGIN = {"command": "start", "description": "Begin"}
GERMAN = {"command": "start", "description": "Anfangen"}


@pytest.fixture
async def server() -> AsyncIterator[BotApiServer]:
    async with BotApiServer() as running:
        yield running


@pytest.fixture
async def channel(server: BotApiServer) -> AsyncIterator[TelegramChannel]:
    made = TelegramChannel(server.token, api_url=server.url, clock=QuickClock())
    yield made
    await made.close()


def methods(server: BotApiServer) -> list[str]:
    return [call.method for call in server.requests]


async def test_each_scope_and_language_gets_its_menu(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    await channel.show_menus(
        [
            Menu("everybody", "", (("start", "Begin"),)),
            Menu("everybody", "de", (("start", "Anfangen"),)),
            Menu(-7, "", (("start", "Begin"),)),
        ]
    )
    assert server.menus == {
        ("default", ""): [BEGIN],
        ("default", "de"): [GERMAN],
        ("-7", ""): [BEGIN],
    }


async def test_what_is_as_it_should_be_is_not_set_again(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    menus = [Menu("private", "", (("start", "Begin"),))]
    await channel.show_menus(menus)
    before = len(server.requests)
    await channel.show_menus(menus)
    assert set(methods(server)[before:]) == {"getMyCommands"}


async def test_a_menu_that_should_not_be_there_is_deleted(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    server.menus |= {("all_group_chats", ""): [BEGIN], ("default", ""): [BEGIN]}
    await channel.show_menus([Menu("private", "", (("start", "Begin"),))])
    assert server.menus == {("all_private_chats", ""): [BEGIN]}


async def test_a_refused_menu_does_not_keep_the_others_away(
    server: BotApiServer, channel: TelegramChannel, caplog: pytest.LogCaptureFixture
) -> None:
    server.fail(method="getMyCommands", status=400, description="Bad Request: chat not found")
    await channel.show_menus([Menu("private", "", (("start", "Begin"),))])
    assert server.menus == {("all_private_chats", ""): [BEGIN]}
    assert "Telegram refuses the menu for everybody" in caplog.text


async def test_where_telegram_is_busy_the_rest_is_left_for_the_next_start(
    server: BotApiServer, channel: TelegramChannel, caplog: pytest.LogCaptureFixture
) -> None:
    server.fail(method="getMyCommands", status=429, description="Too Many Requests")
    await channel.show_menus([Menu("private", "", (("start", "Begin"),))])
    assert server.menus == {}
    assert "Telegram was not told the menus" in caplog.text


async def started(app: App, channel: TelegramChannel) -> str | None:
    """Runs the App until it has told its commands and polls, and ends it; answers its name."""
    name: str | None = None
    stop = asyncio.Event()
    receive = channel.receive

    async def receiving(intake: object) -> None:
        nonlocal name
        name = app.username
        stop.set()

    channel.receive = receiving  # type: ignore[method-assign]
    try:
        await app.run(channel=channel, storage=MemoryStorage(), stop=stop)
    finally:
        channel.receive = receive  # type: ignore[method-assign]
    return name


async def handler(ctx: Context) -> None: ...


async def test_an_app_knows_the_name_of_its_bot_while_it_runs(channel: TelegramChannel) -> None:
    app = App(Router("bot"))
    assert app.username is None
    assert await started(app, channel) == "loopback_bot"
    assert app.username is None


async def test_an_app_with_languages_tells_them_all(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    router = Router("bot")
    router.command("start", "Begin", languages={"de": "Anfangen"})(handler)
    router.command("hidden", scope=())(handler)
    await started(App(router), channel)
    assert server.menus == {("default", ""): [BEGIN], ("default", "de"): [GERMAN]}


async def test_an_app_with_one_menu_for_all_makes_one_call(
    server: BotApiServer, channel: TelegramChannel
) -> None:
    router = Router("bot")
    router.command("start", "Begin")(handler)
    await started(App(router), channel)
    assert server.menus == {("default", ""): [BEGIN]}
    assert methods(server) == ["getMe", "setMyCommands"]
