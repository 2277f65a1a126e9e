"""Several bots in one process, and bots inside of another program."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from engine import App, Deployment, serve, serving
from engine.channels.telegram import TelegramChannel, Webhook
from engine.testing.channel import TestChannel
from flows import Context, FlowStorage, Router
from flows.errors import AlreadyOwned, ChannelStopped, DefinitionError
from flows.ports import Intake
from storage import MemoryStorage, SqlStorage
from tests.botapi import BotApiServer

pytestmark = pytest.mark.anyio

ADA = 1001
SECRET = "secret"


def bot(name: str) -> App:
    router = Router(name)

    @router.fallback
    async def answer(ctx: Context) -> None:
        ctx.reply(f"this is {name}")

    return App(router)


@asynccontextmanager
async def two_servers() -> AsyncIterator[tuple[BotApiServer, BotApiServer]]:
    """Each knows one of two bots."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(BotApiServer(token="42:FIRST"))
        second = await stack.enter_async_context(BotApiServer(token="43:SECOND"))
        yield first, second


def polling(server: BotApiServer) -> TelegramChannel:
    return TelegramChannel(server.token, api_url=server.url, limits=False)


def by_webhook(server: BotApiServer, url: str) -> tuple[TelegramChannel, Webhook]:
    webhook = Webhook(url, secret=SECRET)
    channel = TelegramChannel(server.token, api_url=server.url, limits=False, webhook=webhook)
    return channel, webhook


def post_through(web: Any, *servers: BotApiServer) -> None:
    for server in servers:
        server.posting.through = lambda: httpx.ASGITransport(web)


async def heard(server: BotApiServer, times: int = 1) -> list[str]:
    """What the bot says to a greeting."""
    server.text(ADA, "hello")
    await server.until(lambda: len(server.replies(ADA)) == times)
    return server.replies(ADA)


# --- several bots -----------------------------------------------------------------------


async def test_two_bots_run_beside_each_other_each_on_its_own_storage() -> None:
    stop = asyncio.Event()
    async with two_servers() as (one, two):
        running = asyncio.ensure_future(
            serve(
                Deployment(bot("shop"), polling(one), MemoryStorage()),
                Deployment(bot("support"), polling(two), MemoryStorage()),
                stop=stop,
            )
        )
        assert await heard(one) == ["this is shop"]
        assert await heard(two) == ["this is support"]
        stop.set()
        await running


async def test_one_bot_that_fails_is_logged_and_does_not_stop_the_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop = asyncio.Event()
    async with two_servers() as (one, two):
        one.fail(method="getMe", status=401, description="Unauthorized")
        running = asyncio.ensure_future(
            serve(
                Deployment(bot("shop"), polling(one), MemoryStorage()),
                Deployment(bot("support"), polling(two), MemoryStorage()),
                stop=stop,
            )
        )
        assert await heard(two) == ["this is support"]
        assert "the bot 'shop' has ended, the others go on: Telegram refuses" in caplog.text
        stop.set()
        with pytest.raises(ChannelStopped, match="revoked or mistyped"):
            await running


class Broken(TestChannel):
    def __init__(self, source: str) -> None:
        super().__init__()
        self._source = source

    @property
    def source(self) -> str:
        return self._source

    async def receive(self, intake: Intake) -> None:
        raise ChannelStopped(f"{self._source} is over")


async def test_where_all_bots_fail_each_reason_is_told() -> None:
    bots = [Deployment(bot(n), Broken(f"test:{n}"), MemoryStorage()) for n in ("a", "b")]
    with pytest.raises(BaseExceptionGroup) as raised:
        await serve(*bots, stop=asyncio.Event())
    assert sorted(str(one) for one in raised.value.exceptions) == [
        "test:a is over",
        "test:b is over",
    ]


async def test_a_single_bot_that_fails_raises_what_it_raised() -> None:
    with pytest.raises(ChannelStopped, match="is over"):
        await serve(Deployment(bot("a"), Broken("test:a"), MemoryStorage()))


def shared_storage() -> list[Deployment]:
    storage = MemoryStorage()
    return [Deployment(bot(n), Broken(f"test:{n}"), storage) for n in ("a", "b")]


def the_same_app() -> list[Deployment]:
    app = bot("a")
    return [Deployment(app, Broken(f"test:{n}"), MemoryStorage()) for n in ("a", "b")]


def the_same_channel() -> list[Deployment]:
    return [Deployment(bot(n), Broken("test:a"), MemoryStorage()) for n in ("a", "b")]


def settings_alone() -> list[Deployment]:
    return [Deployment(bot(n), Broken(f"test:{n}")) for n in ("a", "b")]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (shared_storage, "the bots 1 and 2 to be served share one storage"),
        (settings_alone, "on a database of its own"),
        (the_same_app, "are one App"),
        (the_same_channel, "share one channel"),
        (list, "there is no bot to serve"),
    ],
)
async def test_bots_that_would_take_from_each_other_are_refused_before_anything_begins(
    make: Callable[[], list[Deployment]], sentence: str
) -> None:
    with pytest.raises(DefinitionError, match=sentence):
        await serve(*make())


async def test_two_bots_on_one_sqlite_file_are_refused_with_a_sentence(tmp_path: Path) -> None:
    def on_file() -> FlowStorage:
        return SqlStorage(f"sqlite+aiosqlite:///{tmp_path / 'bots.db'}")

    stop = asyncio.Event()
    async with two_servers() as (one, two):
        running = asyncio.ensure_future(
            serve(
                Deployment(bot("shop"), polling(one), on_file()),
                Deployment(bot("support"), polling(two), on_file()),
                stop=stop,
            )
        )
        one.text(ADA, "hello")
        two.text(ADA, "hello")
        answers = [asyncio.ensure_future(each.until(each.events.copy)) for each in (one, two)]
        await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        for answer in answers:
            answer.cancel()
        stop.set()
        with pytest.raises(AlreadyOwned, match="give this one a database of its own"):
            await running
        assert len(one.replies(ADA) + two.replies(ADA)) == 1


# --- signals ----------------------------------------------------------------------------


async def test_a_signal_ends_all_bots_in_good_order(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")
    async with two_servers() as (one, two):
        running = asyncio.ensure_future(
            serve(
                Deployment(bot("shop"), polling(one), MemoryStorage()),
                Deployment(bot("support"), polling(two), MemoryStorage()),
            )
        )
        await heard(one)
        await heard(two)
        os.kill(os.getpid(), signal.SIGTERM)
        await running
    assert caplog.text.count("draining: 0 turns in flight") == 2


async def test_signals_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ChannelStopped):
        await serve(Deployment(bot("a"), Broken("test:a"), MemoryStorage()))
    assert signal.getsignal(signal.SIGTERM) == before


# --- inside of a web application --------------------------------------------------------


@asynccontextmanager
async def alive(web: Any) -> AsyncIterator[None]:
    """Runs the lifespan of a web application, as a server does."""
    async with web.router.lifespan_context(web):
        yield


async def test_one_starlette_application_takes_what_is_posted_to_several_bots() -> None:
    async with two_servers() as (one, two):
        shop_channel, shop_hook = by_webhook(one, "https://bots.example.org/shop")
        help_channel, help_hook = by_webhook(two, "https://bots.example.org/support")

        @asynccontextmanager
        async def lifespan(web: Starlette) -> AsyncIterator[None]:
            async with serving(
                Deployment(bot("shop"), shop_channel, MemoryStorage()),
                Deployment(bot("support"), help_channel, MemoryStorage()),
            ):
                yield

        web = Starlette(
            routes=[Route("/shop", shop_hook), Route("/support", help_hook)], lifespan=lifespan
        )
        post_through(web, one, two)
        async with alive(web):
            assert await heard(one) == ["this is shop"]
            assert await heard(two) == ["this is support"]
        assert (await one.posting.post(b"{}")).status_code == 503


async def test_a_mounted_webhook_answers_at_its_path_with_a_slash() -> None:
    async with BotApiServer() as server:
        channel, hook = by_webhook(server, "https://bots.example.org/shop/")

        @asynccontextmanager
        async def lifespan(web: Starlette) -> AsyncIterator[None]:
            async with serving(Deployment(bot("shop"), channel, MemoryStorage())):
                yield

        web = Starlette(routes=[Mount("/shop", hook)], lifespan=lifespan)
        post_through(web, server)
        async with alive(web):
            assert await heard(server) == ["this is shop"]


async def test_a_fastapi_application_takes_a_webhook_by_add_route() -> None:
    fastapi = pytest.importorskip("fastapi")
    async with BotApiServer() as server:
        channel, hook = by_webhook(server, "https://bots.example.org/shop")

        @asynccontextmanager
        async def lifespan(web: Any) -> AsyncIterator[None]:
            async with serving(Deployment(bot("shop"), channel, MemoryStorage())):
                yield

        web = fastapi.FastAPI(lifespan=lifespan)
        web.add_route("/shop", hook)
        post_through(web, server)
        async with alive(web):
            assert await heard(server) == ["this is shop"]


async def test_a_bot_that_fails_inside_of_an_application_is_raised_when_that_ends() -> None:
    rounds: list[int] = []

    async def application() -> None:
        async with serving(Deployment(bot("a"), Broken("test:a"), MemoryStorage())):
            for number in range(50):
                rounds.append(number)
                await asyncio.sleep(0)

    with pytest.raises(ChannelStopped, match="is over"):
        await application()
    assert len(rounds) == 50
