"""Calls by other libraries' clients: what their failures mean to the delivery."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiogram import Bot as AiogramBot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from telegram import Bot as PtbBot

from engine.adapters.aiogram_api import AiogramApi
from engine.adapters.hosted import HostedChannel
from engine.adapters.python_telegram_bot_api import PtbApi
from engine.channels.telegram.api import Api
from engine.channels.telegram.client import (
    AnswerLost,
    Busy,
    CallFailed,
    Conflict,
    NoSuchApi,
    Refused,
    Unreachable,
)
from engine.clock import SystemClock
from flows.errors import ChannelStopped, ChatMoved, SendLater, SendRefused, SendUncertain
from flows.messages.replies import Button, keyboard
from flows.ports import Delivery
from tests.botapi import BotApiServer

pytestmark = pytest.mark.anyio

ADA = 1001
HELLO = {"chat_id": ADA, "text": "hello"}


@asynccontextmanager
async def by_aiogram(server: BotApiServer, token: str | None = None) -> AsyncIterator[Api]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    html = DefaultBotProperties(parse_mode="HTML")
    bot = AiogramBot(token or server.token, session=session, default=html)
    try:
        yield AiogramApi(bot)
    finally:
        await session.close()


@asynccontextmanager
async def by_ptb(server: BotApiServer, token: str | None = None) -> AsyncIterator[Api]:
    bot = PtbBot(
        token or server.token,
        base_url=f"{server.url}/bot",
        base_file_url=f"{server.url}/file/bot",
    )
    if token is not None:  # it would not get through its initialization
        await bot.request.initialize()
        yield PtbApi(bot)
        await bot.request.shutdown()
        return
    async with bot:
        yield PtbApi(bot)


both_apis = pytest.mark.parametrize("opened", [by_aiogram, by_ptb], ids=["aiogram", "ptb"])


@pytest.fixture(autouse=True)
def _times_are_timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else python-telegram-bot warns that they will be."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
async def server() -> AsyncIterator[BotApiServer]:
    async with BotApiServer() as running:
        running.chat(ADA)
        yield running


def delivery(**more: Any) -> Delivery:
    return Delivery(**{"chat": str(ADA), "topic": None, "text": "hello", "format": "plain",
                       "keyboard": (), **more})  # fmt: skip


@asynccontextmanager
async def channel_of(server: BotApiServer, opened: Any) -> AsyncIterator[HostedChannel]:
    async with opened(server) as api:
        yield HostedChannel(api, limits=False, clock=SystemClock())


@both_apis
async def test_a_call_answers_what_telegram_does(server: BotApiServer, opened: Any) -> None:
    async with opened(server) as api:
        sent = await api.call("sendMessage", HELLO)
        me = await api.call("getMe", {})
    assert (sent["message_id"], sent["text"], me["username"]) == (1, "hello", "loopback_bot")
    assert api.bot_id == "42"


@both_apis
@pytest.mark.parametrize(
    ("fault", "kind", "values"),
    [
        ({"status": 429, "description": "Too Many Requests: retry after 3",
          "parameters": {"retry_after": 3}}, Busy, {"seconds": 3.0}),
        ({"status": 403, "description": "Forbidden: bot was blocked by the user"},
         Refused, {"code": 403}),
        ({"status": 400, "description": "Bad Request: chat not found"}, Refused, {"code": 400}),
        ({"status": 400, "description": "Bad Request: group chat was upgraded",
          "parameters": {"migrate_to_chat_id": -1007}}, Refused, {"migrate_to": -1007}),
        ({"status": 404, "description": "Not Found"}, NoSuchApi, {}),
        ({"status": 409, "description": "Conflict: terminated"}, Conflict, {}),
        ({"status": 500, "description": "Internal Server Error"}, Unreachable, {}),
        ({"cut": "before"}, AnswerLost, {}),
        ({"cut": "after"}, AnswerLost, {}),
    ],
    ids=lambda value: str(value.get("status", "cut")) if isinstance(value, dict) else None,
)  # fmt: skip
async def test_a_failure_is_told_by_its_kind(
    server: BotApiServer,
    opened: Any,
    fault: dict[str, Any],
    kind: type[CallFailed],
    values: dict[str, Any],
) -> None:
    async with opened(server) as api:
        server.fail(method="sendMessage", **fault)
        with pytest.raises(CallFailed) as failed:
            await api.call("sendMessage", HELLO)
    assert type(failed.value) is kind
    assert {name: getattr(failed.value, name) for name in values} == values
    assert server.token not in str(failed.value)
    assert failed.value.__context__ is None


@both_apis
async def test_a_page_of_html_is_tried_again(server: BotApiServer, opened: Any) -> None:
    async with opened(server) as api:
        server.fail(method="sendMessage", status=502, html=True)
        with pytest.raises((Unreachable, AnswerLost)):
            await api.call("sendMessage", HELLO)


@both_apis
async def test_a_server_that_is_gone_has_got_nothing(server: BotApiServer, opened: Any) -> None:
    async with opened(server) as api:
        await server.stop()
        with pytest.raises(Unreachable):
            await api.call("sendMessage", HELLO)
        await server.start_again()


@both_apis
async def test_a_revoked_token_stops_the_flows(server: BotApiServer, opened: Any) -> None:
    async with opened(server, "42:AnotherTokenThatWasGoodOnce-0123456789") as api:
        with pytest.raises(ChannelStopped) as stopped:
            await api.call("sendMessage", HELLO)
    assert "AnotherToken" not in str(stopped.value)


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
async def test_seconds_to_wait_are_read_where_they_are_no_timedelta(
    server: BotApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PTB_TIMEDELTA")
    async with by_ptb(server) as api:
        server.fail(status=429, description="Too Many", parameters={"retry_after": 7})
        with pytest.raises(Busy) as busy:
            await api.call("sendMessage", HELLO)
    assert busy.value.seconds == 7.0


async def test_a_method_that_an_aiogram_does_not_know_is_told(server: BotApiServer) -> None:
    async with by_aiogram(server) as api:
        with pytest.raises(NoSuchApi, match="no method sendDream"):
            await api.call("sendDream", {})


async def test_a_result_that_an_aiogram_cannot_read_is_a_result(
    server: BotApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = {"message_id": 5, "date": {"of a": "newer kind"}}
    monkeypatch.setattr(server, "shown", lambda _message: newer)
    async with by_aiogram(server) as api:
        assert await api.call("sendMessage", HELLO) == newer
    assert server.take_refused()


async def test_parameters_that_aiogram_does_not_take_are_refused(server: BotApiServer) -> None:
    async with by_aiogram(server) as api:
        with pytest.raises(Refused, match="chat_id"):
            await api.call("sendMessage", {"text": "to nobody"})


@both_apis
async def test_a_file_is_fetched(server: BotApiServer, opened: Any) -> None:
    server.files["photos/file_1.jpg"] = b"picture" * 20_000
    async with opened(server) as api:
        fetched = b"".join([piece async for piece in api.fetch("photos/file_1.jpg")])
    assert fetched == server.files["photos/file_1.jpg"]


@both_apis
async def test_a_file_that_is_not_there_is_told(server: BotApiServer, opened: Any) -> None:
    async with opened(server) as api:
        with pytest.raises(NoSuchApi) as failed:
            await anext(api.fetch("photos/none.jpg"))
    assert server.token not in str(failed.value)
    assert failed.value.__context__ is None


# --- by the channel ---------------------------------------------------------------------


@both_apis
async def test_a_message_with_buttons_is_sent_and_edited(server: BotApiServer, opened: Any) -> None:
    buttons = keyboard([Button("Yes", data="yes"), Button("Open", url="https://example.com")])
    async with channel_of(server, opened) as channel:
        sent = await channel.send(delivery(keyboard=buttons, format="html", text="<b>hi</b>"))
        edited = await channel.send(delivery(text="bye", edit=sent))
    assert (sent, edited) == ("1", "1")
    first, second = server.events
    assert (first.labels, first.parse_mode, first.text) == (("Yes", "Open"), "HTML", "<b>hi</b>")
    assert (second.kind, second.labels, second.parse_mode) == ("edited", (), None)


@both_apis
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 429, "parameters": {"retry_after": 3}}, SendLater),
        ({"status": 403, "description": "Forbidden: bot was blocked by the user"}, SendRefused),
        ({"status": 400, "parameters": {"migrate_to_chat_id": -1007}}, ChatMoved),
        ({"cut": "after"}, SendUncertain),
        ({"status": 502}, SendLater),
    ],
    ids=["429", "403", "moved", "cut", "502"],
)
async def test_the_delivery_is_told_what_became_of_a_message(
    server: BotApiServer, opened: Any, fault: dict[str, Any], kind: type[Exception]
) -> None:
    async with channel_of(server, opened) as channel:
        server.fail(method="sendMessage", **fault)
        with pytest.raises(kind) as failed:
            await channel.send(delivery())
    assert getattr(failed.value, "blocked", True)


@both_apis
async def test_an_edit_that_changes_nothing_is_no_failure(
    server: BotApiServer, opened: Any
) -> None:
    async with channel_of(server, opened) as channel:
        sent = await channel.send(delivery())
        assert await channel.send(delivery(edit=sent)) == sent
    assert len(server.events) == 1


@both_apis
async def test_an_edit_of_a_message_that_is_gone_is_sent_anew(
    server: BotApiServer, opened: Any
) -> None:
    async with channel_of(server, opened) as channel:
        assert await channel.send(delivery(edit="77")) == "1"


@both_apis
async def test_a_press_that_is_too_old_is_answered_without_a_word(
    server: BotApiServer, opened: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with channel_of(server, opened) as channel:
        await channel.answer("long-ago", "hello")
    assert caplog.records == []


@both_apis
async def test_only_one_process_serves_a_hosted_bot(server: BotApiServer, opened: Any) -> None:
    async with channel_of(server, opened) as channel:
        assert channel.shared is False
        assert channel.source == "telegram:42"
