"""What is python-telegram-bot's alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from telegram import CallbackQuery, Update, User
from telegram.ext import Application, ApplicationBuilder, InvalidCallbackData

from engine.adapters.python_telegram_bot import PtbFlows, _raw
from storage import MemoryStorage
from tests.botapi import BotApiServer
from tests.hosts import on_ptb, run_hooks
from tests.integration.test_adapters_offers import ADA, BOB, naming, said

pytestmark = pytest.mark.anyio

CHAT = {"id": ADA, "type": "private", "first_name": "Ada"}
PERSON = {"id": ADA, "is_bot": False, "first_name": "Ada"}
MESSAGE = {"message_id": 1, "date": 1_760_000_000, "chat": CHAT, "from": PERSON, "text": "hi"}
OLD = {"message_id": 3, "date": 0, "chat": CHAT}
QUERY = {"id": "q", "from": PERSON, "chat_instance": "1", "data": "x"}


@pytest.mark.parametrize(
    "sent",
    [
        {"message": {**MESSAGE, "reply_to_message": MESSAGE}},
        {"edited_message": {**MESSAGE, "edit_date": 1_760_000_001}},
        {"callback_query": {**QUERY, "message": OLD}},
        {"message": {**MESSAGE, "group_chat_created": True}},
        {"message": {**MESSAGE, "brand_new": {"field": 1}}},
    ],
    ids=["reply", "edited", "old button", "service", "unknown field"],
)
def test_an_update_is_read_as_telegram_sent_it(sent: dict[str, Any]) -> None:
    raw = {"update_id": 1, **sent}
    assert _raw(Update.de_json(raw, None)) == raw


@pytest.mark.parametrize(
    ("data", "read"), [(InvalidCallbackData("hr~1"), "hr~1"), (object(), ""), ("own", "own")]
)
def test_a_button_of_ours_is_known_where_callback_data_is_arbitrary(data: Any, read: str) -> None:
    query = CallbackQuery("q", User(ADA, "Ada", False), "1", data=data)
    assert _raw(Update(1, callback_query=query))["callback_query"]["data"] == read


async def test_hooks_of_the_application_run_too(tmp_path: Any) -> None:
    ran = []

    async def begun(_application: Any) -> None:
        ran.append("init")

    async def ended(_application: Any) -> None:
        ran.append("stop")

    async with BotApiServer() as server:
        builder = ApplicationBuilder().token(server.token).base_url(f"{server.url}/bot")
        application: Application[Any, Any, Any, Any, Any, Any] = (
            builder.post_init(begun).post_stop(ended).build()
        )
        flows = PtbFlows(naming(), application.bot, storage=MemoryStorage())
        flows.attach(application)
        async with application:
            await run_hooks(application.post_init, application)
            await run_hooks(application.post_stop, application)
    assert ran == ["init", "stop"]


async def test_an_application_that_is_started_by_hand() -> None:
    async with BotApiServer() as server:
        builder = ApplicationBuilder().token(server.token).base_url(f"{server.url}/bot")
        application: Application[Any, Any, Any, Any, Any, Any] = builder.updater(None).build()
        flows = PtbFlows(naming(), application.bot, storage=MemoryStorage())
        application.add_handler(flows.handler, group=-1)
        async with application, flows:
            raw = server.text(ADA, "/start")
            await application.process_update(Update.de_json(raw, application.bot))
            await said(server, "Name?")


async def test_with_concurrent_updates_a_quick_answer_holds_up_no_other_chat() -> None:
    gate = asyncio.Event()
    async with (
        BotApiServer() as server,
        on_ptb(naming(gate), server, concurrent=True) as host,
    ):
        for text in ("/start", "mine is Ada"):
            server.text(ADA, text)
        for text in ("/start", "mine is Bob"):
            server.text(BOB, text)
        await said(server, "Name?", "<b> mine is Bob", chat=BOB)
        assert server.replies(ADA) == []
        gate.set()
        await said(server, "Name?", "<b> mine is Ada")
    assert host.heard == []
