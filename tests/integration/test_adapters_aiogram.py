"""What is aiogram's alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Update

from engine.adapters.aiogram import AiogramFlows
from engine.adapters.hosted import HostedFlows
from flows.errors import DefinitionError, NotRunning
from storage import MemoryStorage
from tests.botapi import BotApiServer
from tests.hosts import on_aiogram
from tests.integration.test_adapters_offers import ADA, BOB, naming, said

pytestmark = pytest.mark.anyio

HELLO = {
    "update_id": 1,
    "message": {
        "message_id": 1,
        "date": 1_760_000_000,
        "chat": {"id": ADA, "type": "private"},
        "from": {"id": ADA, "is_bot": False, "first_name": "Ada"},
        "text": "/start",
    },
}


@pytest.fixture
async def server() -> AsyncIterator[BotApiServer]:
    async with BotApiServer() as running:
        yield running


def flows_of(**more: Any) -> AiogramFlows:
    return AiogramFlows(naming(), Bot("42:TEST"), storage=MemoryStorage(), **more)


async def test_polling_asks_for_what_flows_need_besides_what_handlers_do(
    server: BotApiServer,
) -> None:
    async with on_aiogram(naming(), server):
        pass
    assert server.allowed is not None
    assert {"message", "edited_message", "callback_query"} <= server.allowed


async def test_an_update_before_the_start_is_an_error(server: BotApiServer) -> None:
    dispatcher = Dispatcher()
    flows = flows_of()
    dispatcher.update.outer_middleware(flows)
    with pytest.raises(NotRunning):
        await dispatcher.feed_raw_update(Bot("42:TEST"), HELLO)


async def test_a_start_that_is_given_up_leaves_nothing_running(server: BotApiServer) -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    flows = AiogramFlows(naming(), Bot(server.token, session=session), storage=MemoryStorage())
    server.fail(method="getMe", times=1_000)
    starting = asyncio.create_task(flows.start())
    await server.until(lambda: server.calls("getMe"))
    starting.cancel()
    await asyncio.wait((starting,))
    await session.close()
    assert starting.cancelled()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("handrail")] == []


async def test_updates_of_another_bot_are_the_hosts(server: BotApiServer) -> None:
    dispatcher, router, heard = Dispatcher(), Router(), []
    dispatcher.update.outer_middleware(flows_of())

    @router.message()
    async def everything(message: Any) -> None:
        heard.append(message.text)

    dispatcher.include_router(router)
    await dispatcher.feed_update(Bot("43:OTHER"), Update.model_validate(HELLO))
    assert heard == ["/start"]


async def test_a_quick_answer_to_a_slow_turn_holds_up_no_other_chat(server: BotApiServer) -> None:
    gate = asyncio.Event()
    async with on_aiogram(naming(gate), server) as host:
        for text in ("/start", "mine is Ada"):
            server.text(ADA, text)
        for text in ("/start", "mine is Bob"):
            server.text(BOB, text)
        await said(server, "Name?", "<b> mine is Bob", chat=BOB)
        assert server.replies(ADA) == []
        gate.set()
        await said(server, "Name?", "<b> mine is Ada")
    assert host.heard == []


@pytest.mark.parametrize("wrong", [{"leftovers": "nobody"}, {"patience": 0}])
def test_an_option_that_cannot_be_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match=next(iter(wrong))):
        flows_of(**wrong)


async def test_what_the_host_has_handed_in_is_kept_at_a_stop(
    server: BotApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, storage = asyncio.Event(), MemoryStorage()
    plain_stop = HostedFlows.stop

    async def stop(flows: HostedFlows) -> None:
        gate.set()
        await plain_stop(flows)

    monkeypatch.setattr(HostedFlows, "stop", stop)
    async with on_aiogram(naming(gate), server, storage):
        server.text(ADA, "/start")
        server.text(ADA, "mine is Ada")
        await server.until(lambda: not server.updates)
    async with on_aiogram(naming(), server, storage) as host:
        await said(server, "Name?", "<b> mine is Ada")
    assert host.heard == []


async def test_flows_that_have_stopped_by_themselves_refuse_updates_and_say_why(
    server: BotApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with on_aiogram(naming(), server, own="") as host:
        server.fail(method="sendMessage", status=401, description="Unauthorized")
        server.text(ADA, "/start")
        await server.until(lambda: [one.status for one in server.calls("sendMessage")] == [401])
        assert host.flows._running is not None
        await asyncio.wait((host.flows._running,))
        server.text(ADA, "Ada")
        await host.failed.wait()
    assert [type(error) for error in host.errors] == [NotRunning]
    assert host.heard == []
    assert "refuses the token" in caplog.text
