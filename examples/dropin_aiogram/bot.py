"""A restaurant's bot, as people write it with aiogram; two lines let the flow in.

It needs ``pip install "handrail[aiogram]"``, and BOT_TOKEN in the environment.
"""

from __future__ import annotations

import asyncio
import logging
import os

from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.filters import Command, CommandStart
from aiogram.types import Message

from engine.adapters.aiogram import AiogramFlows
from examples.dropin_aiogram.booking import app

dispatcher = Dispatcher()


@dispatcher.message(CommandStart())
async def start(message: Message) -> None:
    """The bot's own greeting."""
    await message.answer("Welcome to Chez Ada. /book a table, or ask for our /hours.")


@dispatcher.message(Command("hours"))
async def hours(message: Message) -> None:
    """Answers in the middle of a booking, too."""
    await message.answer("We are open from 18 to 23.")


@dispatcher.message(F.text.contains("?"))
async def question(message: Message) -> None:
    """Takes many texts, but none that answers a question of the flow."""
    await message.answer("Ada will call you back.")


async def main() -> None:
    """Polls until it is stopped."""
    logging.basicConfig(level=logging.INFO)
    url = os.environ.get("BOT_API_URL")
    server = TelegramAPIServer.from_base(url) if url else PRODUCTION
    bot = Bot(os.environ["BOT_TOKEN"], session=AiohttpSession(api=server))
    flows = AiogramFlows(app, bot)
    flows.attach(dispatcher)
    await dispatcher.start_polling(bot)


if __name__ == "__main__":
    asyncio.run(main())
