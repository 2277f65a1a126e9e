"""A bot that Telegram posts to: over loopback, against a server that posts as Telegram does."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine import App
from engine.channels import listening as listening_module
from engine.channels.telegram import TelegramChannel, Webhook
from flows import Action, Choice, Context, FlowBuilder, FlowStorage, Router, Text, Turn
from flows.errors import ChannelStopped, StorageDown
from storage import MemoryStorage
from tests.botapi import BotApiServer
from tests.botapi.doubles import QuickClock
from tests.faults import Fragile
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

ADA, BOB = 1001, 1002
URL = "https://bot.example.org/telegram"
PLAIN_URL = "http://bot.example.org/telegram"
"""What a proxy speaks to a bot behind it."""

SECRET = "the_secret-of-this-bot"


@pytest.fixture
async def server() -> AsyncIterator[BotApiServer]:
    async with BotApiServer() as running:
        yield running


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")


def echo(heard: Callable[[str], object] = lambda text: None) -> App:
    router = Router("echo")

    @router.fallback
    async def answer(ctx: Context) -> None:
        text = getattr(ctx.update.content, "text", ctx.update.content.kind)
        waiting = heard(text)
        if asyncio.isfuture(waiting):
            await waiting
        ctx.reply(f"heard {text}")

    return App(router)


@asynccontextmanager
async def posted_to(
    app: App, server: BotApiServer, storage: FlowStorage | None = None, **more: Any
) -> AsyncIterator[asyncio.Task[None]]:
    """Runs an app that the server posts to, in this process."""
    stop = asyncio.Event()
    webhook = Webhook(URL, secret=SECRET)
    server.posting.through = lambda: httpx.ASGITransport(webhook)
    channel = TelegramChannel(
        server.token, api_url=server.url, limits=False, webhook=webhook, **more
    )
    running = asyncio.ensure_future(
        app.run(channel=channel, storage=storage or MemoryStorage(), stop=stop)
    )
    try:
        yield running
    finally:
        stop.set()
        await asyncio.wait((running,))


async def test_fact_12_the_webhook_is_set_with_the_secret_and_deletes_nothing(
    server: BotApiServer,
) -> None:
    server.text(ADA, "before the start")
    async with posted_to(echo(), server):
        await server.until(lambda: server.replies(ADA))
    (call,) = server.calls("setWebhook")
    assert call.params == {
        "url": URL,
        "secret_token": SECRET,
        "allowed_updates": call.params["allowed_updates"],
        "max_connections": 40,
        "drop_pending_updates": False,
    }
    assert {"message", "callback_query"} <= set(call.params["allowed_updates"])
    assert server.replies(ADA) == ["heard before the start"]
    assert server.calls("getUpdates") == []


async def test_a_stop_leaves_the_webhook_set_and_what_comes_meanwhile_is_handled_later(
    server: BotApiServer,
) -> None:
    storage = MemoryStorage()
    async with posted_to(echo(), server, storage):
        server.text(ADA, "one")
        await server.until(lambda: server.replies(ADA))
    assert server.webhook == URL
    server.text(ADA, "two")
    await server.until(lambda: any(post.status == 503 for post in server.posting.posts))
    async with posted_to(echo(), server, storage):
        await server.until(lambda: len(server.replies(ADA)) == 2)
    assert server.replies(ADA) == ["heard one", "heard two"]
    assert server.calls("deleteWebhook") == []


async def test_fact_4_polling_is_told_of_the_webhook_and_how_to_remove_it(
    server: BotApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with posted_to(echo(), server):
        await server.until(lambda: server.webhook)
    channel = TelegramChannel(server.token, api_url=server.url, clock=(clock := QuickClock()))
    stop = asyncio.Event()
    polling = asyncio.ensure_future(echo().run(channel=channel, storage=MemoryStorage(), stop=stop))
    await server.until(lambda: len(server.calls("getUpdates")) == 3)
    stop.set()
    await polling
    assert "handrail webhook delete" in caplog.text
    assert min(clock.slept[:2]) >= 10
    assert server.webhook == URL


async def test_an_album_of_ten_that_is_posted_part_by_part_is_one_turn(
    server: BotApiServer,
) -> None:
    async with posted_to(echo(), server):
        for _ in range(10):
            server.photo(ADA, media_group_id="7")
        server.text(ADA, "done")
        await server.until(lambda: len(server.replies(ADA)) == 2)
    assert server.replies(ADA) == ["heard album", "heard done"]


async def test_fact_7_telegram_is_told_which_kinds_the_handlers_are_for(
    server: BotApiServer,
) -> None:
    router = Router("kinds")

    @router.kind("message_reaction")
    async def reacted(ctx: Context) -> None:
        """Takes reactions."""

    async with posted_to(App(router), server):
        await server.until(lambda: server.calls("setWebhook"))
    (call,) = server.calls("setWebhook")
    assert call.params["allowed_updates"] == [
        "message", "edited_message", "callback_query", "message_reaction",
    ]  # fmt: skip


async def test_fact_8_an_update_is_posted_until_the_storage_has_kept_it(
    server: BotApiServer,
) -> None:
    fragile = Fragile(MemoryStorage())
    fragile.fail("accept", *(StorageDown("the disk is full") for _ in range(3)))
    async with posted_to(echo(), server, fragile.storage):
        server.text(ADA, "one")
        server.text(ADA, "two")
        await server.until(lambda: len(server.replies(ADA)) == 2)
    assert [post.status for post in server.posting.posts] == [503, 503, 503, 200, 200]
    assert server.replies(ADA) == ["heard one", "heard two"]


async def test_fact_8_an_update_that_nothing_can_be_made_of_blocks_no_queue(
    server: BotApiServer,
) -> None:
    app = echo()
    server.update(message={"chat": {"id": ADA}, "text": "without all the rest"})
    assert server.take_refused()
    server.raw_update({"update_id": "7", "message": {"chat": {"id": ADA}}})
    server.text(ADA, "hello")
    async with posted_to(app, server):
        await server.until(lambda: server.replies(ADA))
        await server.until(lambda: not server.updates)
        (letter,) = (await app.dead_letters()).rows
    assert [post.status for post in server.posting.posts] == [200, 200, 200]
    assert (letter.origin, letter.error) == ("inbox", "it came in as no update that can be read")
    assert '"update_id":"7"' in letter.body


async def test_fact_8_an_update_that_comes_twice_is_one_turn(server: BotApiServer) -> None:
    async with posted_to(echo(), server):
        update = server.text(ADA, "one")
        await server.until(lambda: not server.updates)
        server.raw_update(dict(update))
        server.text(ADA, "two")
        await server.until(lambda: len(server.replies(ADA)) == 2)
    assert [post.status for post in server.posting.posts] == [200, 200, 200]
    assert server.replies(ADA) == ["heard one", "heard two"]


async def test_a_dead_letter_of_the_webhook_is_one_also_where_another_process_finds_it(
    server: BotApiServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.workers.worker.DRAIN", 0.01)
    storage = MemoryStorage()
    fragile = Fragile(storage)
    fragile.fail("commit", *(StorageDown("away") for _ in range(1000)))
    server.raw_update({"update_id": -1, "secret": "private words"})
    async with posted_to(echo(), server, fragile.storage) as running:
        await server.until(lambda: [post.status for post in server.posting.posts] == [200])
        running.cancel()
    app = echo()
    async with posted_to(app, server, storage):
        server.text(ADA, "hello")
        await server.until(lambda: server.replies(ADA))
        (letter,) = (await app.dead_letters()).rows
    assert letter.error == "it came in as no update that can be read"
    assert "private words" in letter.body
    assert "private words" not in caplog.text


async def test_a_drain_answers_503_and_nothing_is_lost(server: BotApiServer) -> None:
    storage, app = MemoryStorage(), echo()
    async with posted_to(app, server, storage):
        server.text(ADA, "one")
        await server.until(lambda: server.replies(ADA))
        assert await app.drain() == 0
        server.text(ADA, "two")
        await server.until(lambda: any(post.status == 503 for post in server.posting.posts))
    async with posted_to(echo(), server, storage):
        await server.until(lambda: len(server.replies(ADA)) == 2)
    assert server.replies(ADA) == ["heard one", "heard two"]


# --- presses ----------------------------------------------------------------------------


def choosing() -> App:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        name = await turn.ask("Name?", Text())
        colour = await turn.ask("Colour?", Choice(["red", "blue"]))
        turn.notice(f"{colour} it is")
        turn.reply(f"{name} likes {colour}.")
        return turn.complete()

    return app_of(FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY))


async def test_fact_10_a_press_that_comes_before_an_older_message_loses_neither(
    server: BotApiServer,
) -> None:
    async with posted_to(choosing(), server):
        for text in ("/start", "Ada"):
            server.text(ADA, text)
            await server.until(lambda: not server.updates)
        await server.until(lambda: server.replies(ADA)[-1:] == ["Colour?"])
        late = server.message(ADA, text="by the way")
        server.updates.remove(late)  # its queue is slow
        server.press(ADA, "red")
        await server.until(lambda: server.replies(ADA)[-1] == "Ada likes red.")
        server.raw_update(late)
        await server.until(lambda: "did not understand" in server.replies(ADA)[-1])
    assert server.answers(ADA) == ["red it is"]


async def test_fact_16_a_press_is_answered_before_what_its_chat_waits_for(
    server: BotApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.routes.presses.DEADLINE", 0.05)
    held: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    router = Router("bot")

    @router.fallback
    async def answer(ctx: Context) -> None:
        text = getattr(ctx.update.content, "text", "")
        if text == "slow":
            await held
        ctx.reply("heard")

    async with posted_to(choosing(), server):
        server.text(ADA, "/start")
        server.text(ADA, "Ada")
        await server.until(lambda: server.replies(ADA)[-1:] == ["Colour?"])
    async with posted_to(App(router), server):
        server.text(ADA, "slow")
        await server.until(lambda: not server.updates)
        server.press(ADA, "red")
        await server.until(lambda: server.answers(ADA))
        assert server.replies(ADA)[-1] == "Colour?"
        held.set_result(None)
        await server.until(lambda: server.replies(ADA)[-1] == "heard")


async def test_fact_16_a_press_that_is_too_old_to_be_answered_is_handled_without_an_error(
    server: BotApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with posted_to(choosing(), server):
        for text in ("/start", "Ada"):
            server.text(ADA, text)
        await server.until(lambda: server.replies(ADA)[-1:] == ["Colour?"])
        server.press(ADA, "blue")
        server.presses.clear()
        await server.until(lambda: server.replies(ADA)[-1] == "Ada likes blue.")
        await server.until(lambda: server.calls("answerCallbackQuery"))
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


# --- setting it -------------------------------------------------------------------------


async def test_fact_20_a_revoked_token_stops_the_bot_with_a_sentence(server: BotApiServer) -> None:
    server.fail(method="setWebhook", status=401, description="Unauthorized")
    async with posted_to(echo(), server) as running:
        with pytest.raises(ChannelStopped, match="revoked or mistyped"):
            await running


async def test_fact_20_a_server_that_is_out_of_order_is_asked_again_while_posts_are_taken(
    server: BotApiServer,
) -> None:
    clock = QuickClock()
    async with posted_to(echo(), server):
        await server.until(lambda: server.webhook)
    server.fail(method="setWebhook", status=502, html=True, times=2)
    server.fail(method="setWebhook", status=429, parameters={"retry_after": 7})
    async with posted_to(echo(), server, clock=clock):
        await server.until(lambda: len(server.calls("setWebhook")) == 5)
        server.text(ADA, "hello")
        await server.until(lambda: server.replies(ADA))
    assert len(clock.slept) == 3
    assert clock.slept[2] == 7


async def test_a_webhook_that_telegram_refuses_stops_the_bot_with_its_reason(
    server: BotApiServer,
) -> None:
    server.fail(
        method="setWebhook", status=400,
        description="Bad Request: bad webhook: IP address 127.0.0.1 is reserved",
    )  # fmt: skip
    async with posted_to(echo(), server) as running:
        with pytest.raises(ChannelStopped, match=r"is reserved\. .*HANDRAIL_TELEGRAM_WEBHOOK_URL"):
            await running


# --- listening by itself ----------------------------------------------------------------


@asynccontextmanager
async def listening(
    app: App, server: BotApiServer, listen: str
) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    webhook = Webhook(PLAIN_URL, secret=SECRET, listen=listen)
    channel = TelegramChannel(server.token, api_url=server.url, limits=False, webhook=webhook)
    running = asyncio.ensure_future(app.run(channel=channel, storage=MemoryStorage(), stop=stop))
    try:
        yield running
    finally:
        stop.set()
        await asyncio.wait((running,))


def by_socket(path: Path) -> Callable[[], httpx.AsyncHTTPTransport]:
    """How a proxy on the same machine reaches it."""
    return lambda: httpx.AsyncHTTPTransport(uds=str(path))


async def test_it_listens_at_a_unix_socket_which_is_gone_afterwards(
    server: BotApiServer, tmp_path: Path
) -> None:
    path = tmp_path / "webhook.sock"
    server.posting.through = by_socket(path)
    async with listening(echo(), server, f"unix:{path}") as running:
        server.text(ADA, "hello")
        await server.until(lambda: server.replies(ADA))
        assert (await server.posting.post(b"{", **{"x-telegram-bot-api-secret-token": "x"})
                ).status_code == 401  # fmt: skip
    running.result()
    assert not path.exists()


async def test_it_answers_at_no_other_path(server: BotApiServer, tmp_path: Path) -> None:
    path = tmp_path / "webhook.sock"
    server.posting.through = by_socket(path)
    async with listening(echo(), server, f"unix:{path}"):
        await server.until(lambda: server.webhook)
        async with httpx.AsyncClient(transport=by_socket(path)()) as client:
            assert (await client.post("http://bot/other")).status_code == 404


async def test_a_socket_that_a_dead_process_has_left_is_taken_over(
    server: BotApiServer, tmp_path: Path
) -> None:
    path = tmp_path / "webhook.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))
    server.posting.through = by_socket(path)
    async with listening(echo(), server, f"unix:{path}"):
        server.text(ADA, "hello")
        await server.until(lambda: server.replies(ADA))


async def test_a_place_that_is_taken_is_refused_with_a_sentence(
    server: BotApiServer, tmp_path: Path
) -> None:
    path = tmp_path / "webhook.sock"
    server.posting.through = by_socket(path)
    async with listening(echo(), server, f"unix:{path}"):
        await server.until(lambda: server.webhook)
        async with listening(echo(), server, f"unix:{path}") as second:
            with pytest.raises(ChannelStopped, match="cannot listen at unix:"):
                await second
        server.text(ADA, "hello")
        await server.until(lambda: server.replies(ADA))


async def test_a_web_server_that_ends_by_itself_is_started_again(
    server: BotApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.intake.reception.FIRST_PAUSE", 0.01)
    made: list[Any] = []
    again = asyncio.Event()
    inner = listening_module._Server.__init__

    def note(self: Any, *args: Any) -> None:
        inner(self, *args)
        made.append(self)
        if len(made) == 2:
            again.set()

    monkeypatch.setattr(listening_module._Server, "__init__", note)
    path = tmp_path / "webhook.sock"
    server.posting.through = by_socket(path)
    async with listening(echo(), server, f"unix:{path}"):
        await server.until(lambda: server.webhook)
        made[0].should_exit = True
        await again.wait()
        server.text(ADA, "hello")
        await server.until(lambda: server.replies(ADA))
