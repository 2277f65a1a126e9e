"""Bots of other libraries that poll a loopback Bot API, with the flows of an App in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from telegram import Update
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    filters,
)

from engine import App
from engine.adapters.aiogram import AiogramFlows
from engine.adapters.hosted import HostedFlows
from engine.adapters.python_telegram_bot import PtbFlows
from flows import FlowStorage
from storage import MemoryStorage
from tests.botapi import BotApiServer


@dataclass
class Host:
    """A bot that runs.

    Attributes:
        flows: the flows in it.
        heard: what its own handlers were given: texts, and the data of presses.
        errors: what has reached its error handlers; ``failed`` is set by the first.
    """

    flows: HostedFlows
    heard: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    failed: asyncio.Event = field(default_factory=asyncio.Event)

    def err(self, error: Exception) -> None:
        """Something went wrong."""
        self.errors.append(error)
        self.failed.set()


Opened = Callable[..., AbstractAsyncContextManager[Host]]
"""Called with an App and a server; ``own`` are words that its own handlers take."""


@asynccontextmanager
async def on_aiogram(
    app: App,
    server: BotApiServer,
    storage: FlowStorage | None = None,
    *,
    own: str = "^mine",
    **more: Any,
) -> AsyncIterator[Host]:
    """An aiogram bot with /settings, presses of ``own`` and texts that match ``own``."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    bot = Bot(server.token, session=session, default=DefaultBotProperties(parse_mode="HTML"))
    flows = AiogramFlows(app, bot, storage=storage or MemoryStorage(), limits=False, **more)
    dispatcher, host = Dispatcher(), Host(flows)

    @dispatcher.message(Command("settings"))
    @dispatcher.message(F.text.regexp(own))
    async def message(event: Message) -> None:
        host.heard.append(event.text or "")
        await event.answer(f"host: {event.text}")

    @dispatcher.callback_query(F.data.regexp(own))
    async def press(event: CallbackQuery) -> None:
        host.heard.append(event.data or "")
        await event.answer("host")

    @dispatcher.error()
    async def error(event: Any) -> None:
        host.err(event.exception)

    flows.attach(dispatcher)
    polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False))
    try:
        polled = asyncio.create_task(server.until(lambda: server.polling))
        await asyncio.wait({polling, polled}, return_when=asyncio.FIRST_COMPLETED)
        polled.cancel()
        if polling.done():
            polling.result()
        yield host
    finally:
        if not polling.done():
            await dispatcher.stop_polling()
        await asyncio.wait((polling,))


@asynccontextmanager
async def on_ptb(
    app: App,
    server: BotApiServer,
    storage: FlowStorage | None = None,
    *,
    own: str = "^mine",
    concurrent: bool = False,
    **more: Any,
) -> AsyncIterator[Host]:
    """The same by python-telegram-bot."""
    builder = ApplicationBuilder().token(server.token).base_url(f"{server.url}/bot")
    builder = builder.concurrent_updates(concurrent)
    application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
    flows = PtbFlows(app, application.bot, storage=storage or MemoryStorage(), limits=False, **more)
    host = Host(flows)

    async def message(update: Update, _context: Any) -> None:
        assert update.message is not None
        host.heard.append(update.message.text or "")
        await update.message.reply_text(f"host: {update.message.text}")

    async def press(update: Update, _context: Any) -> None:
        assert update.callback_query is not None
        host.heard.append(update.callback_query.data or "")
        await update.callback_query.answer("host")

    async def error(_update: object, context: Any) -> None:
        host.err(context.error)

    application.add_handler(CommandHandler("settings", message))
    application.add_handler(MessageHandler(filters.Regex(own), message))
    application.add_handler(CallbackQueryHandler(press, pattern=own))
    application.add_error_handler(error)
    flows.attach(application)
    async with application:
        await run_hooks(application.post_init, application)
        assert application.updater is not None
        await application.updater.start_polling()
        await application.start()
        try:
            yield host
        finally:
            await application.updater.stop()
            await application.stop()
            await run_hooks(application.post_stop, application)


async def run_hooks(hook: Any, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
    """Calls a hook as ``run_polling`` does."""
    if hook is not None:
        await hook(application)


both_hosts = pytest.mark.parametrize("opened", [on_aiogram, on_ptb], ids=["aiogram", "ptb"])
