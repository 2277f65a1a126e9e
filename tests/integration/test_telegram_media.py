"""Messages of every kind from a bot to a Bot API server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine import App
from engine.channels.telegram import TelegramChannel
from flows import Button, Context, Media, OnCallback, OnCommand, Router, keyboard
from flows.formatting import bold
from storage import MemoryStorage
from tests.botapi import BotApiServer

pytestmark = pytest.mark.anyio

ADA = 1001


@pytest.fixture
async def server() -> AsyncIterator[BotApiServer]:
    async with BotApiServer() as running:
        yield running


@asynccontextmanager
async def serving(
    server: BotApiServer, app: App, storage: MemoryStorage | None = None
) -> AsyncIterator[None]:
    """Runs the app while the block runs."""
    stop = asyncio.Event()
    channel = TelegramChannel(server.token, api_url=server.url, limits=False)
    running = asyncio.create_task(
        app.run(channel=channel, storage=storage or MemoryStorage(), stop=stop)
    )
    try:
        yield
    finally:
        stop.set()
        await running


def saying(handler: Callable[[Context], Awaitable[None]]) -> App:
    router = Router("media")
    router.on(OnCommand("go"))(handler)
    return App(router)


async def test_files_arrive_as_they_were(server: BotApiServer, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(range(256)) * 2000)

    async def go(ctx: Context) -> None:
        ctx.reply_document(path, bold("here <it> is"))
        ctx.reply_album([Media.of("photo", b"one"), Media.of("photo", b"two", caption="2")])

    async with serving(server, saying(go)):
        server.text(ADA, "/go")
        await server.until(lambda: len(server.replies(ADA)) == 3)
    assert server.replies(ADA) == [
        "[document] <b>here &lt;it&gt; is</b>", "[photo]", "[photo] 2",
    ]  # fmt: skip
    [document] = server.calls("sendDocument")
    assert document.files["file0"] == path.read_bytes()
    [album] = server.calls("sendMediaGroup")
    assert album.files == {"file0": b"one", "file1": b"two"}


async def test_a_file_that_is_gone_becomes_a_dead_letter_with_the_reason(
    server: BotApiServer, tmp_path: Path
) -> None:
    async def go(ctx: Context) -> None:
        ctx.reply_photo(tmp_path / "gone.jpg")
        ctx.reply("after it")

    app, storage = saying(go), MemoryStorage()
    async with serving(server, app, storage):
        server.text(ADA, "/go")
        await server.until(lambda: "after it" in server.replies(ADA))
    async with app.operator(storage) as operator:
        [letter] = (await operator.dead_letters()).rows
    assert server.replies(ADA) == ["after it"]
    assert "gone.jpg cannot be read" in letter.error


async def test_a_message_with_a_photo_changes_and_goes(server: BotApiServer) -> None:
    router = Router("media")

    @router.on(OnCommand("go"))
    async def go(ctx: Context) -> None:
        ctx.reply_photo("f1", "first", keyboard=keyboard([Button("Edit", "e"), Button("Del", "d")]))

    @router.on(OnCallback("e"))
    async def edit(ctx: Context) -> None:
        assert ctx.message is not None
        ctx.edit(ctx.message, "second")
        ctx.edit_keyboard(ctx.message, keyboard(Button("Del", "d")))

    @router.on(OnCallback("d"))
    async def delete(ctx: Context) -> None:
        assert ctx.message is not None
        ctx.delete(ctx.message)
        ctx.delete(ctx.message)
        ctx.reply("gone")

    async with serving(server, App(router)):
        server.text(ADA, "/go")
        await server.until(lambda: server.messages)
        server.press(ADA, "Edit")
        await server.until(lambda: server.calls("editMessageReplyMarkup"))
        assert [message.text for message in server.messages.values()] == ["second"]
        server.press(ADA, "Del")
        await server.until(lambda: "gone" in server.replies(ADA))
        assert [message.text for message in server.messages.values()] == ["gone"]


async def test_people_see_what_the_bot_is_doing(server: BotApiServer) -> None:
    async def go(ctx: Context) -> None:
        async with ctx.typing("find_location"):
            await server.until(lambda: server.calls("sendChatAction"))

    async with serving(server, saying(go)):
        server.text(ADA, "/go")
        await server.until(lambda: server.calls("sendChatAction"))
    [action] = server.calls("sendChatAction")
    assert action.params == {"chat_id": ADA, "action": "find_location"}


async def test_a_handler_calls_any_method(server: BotApiServer) -> None:
    async def go(ctx: Context) -> None:
        ctx.reply((await ctx.bot.call("getMe"))["username"])

    async with serving(server, saying(go)):
        server.text(ADA, "/go")
        await server.until(lambda: server.replies(ADA))
    assert server.replies(ADA) == [server.username]
