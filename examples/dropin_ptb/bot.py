"""A school's bot, as people write it with python-telegram-bot; two lines let the flow in.

It needs ``pip install "handrail[python-telegram-bot]"``, and BOT_TOKEN in the environment.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from telegram import Update
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from engine.adapters.python_telegram_bot import PtbFlows
from examples.dropin_ptb.feedback import app


async def start(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """The bot's own greeting."""
    if update.message is not None:
        await update.message.reply_text("Hello! See the /dates, or give us /feedback.")


async def dates(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Answers in the middle of a feedback, too."""
    if update.message is not None:
        await update.message.reply_text("The next course begins on Monday.")


async def question(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Takes many texts, but none that answers a question of the flow."""
    if update.message is not None:
        await update.message.reply_text("A teacher will write to you.")


def main() -> None:
    """Polls until it is stopped."""
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines hold the token
    builder = ApplicationBuilder().token(os.environ["BOT_TOKEN"])
    if url := os.environ.get("BOT_API_URL"):
        builder = builder.base_url(f"{url}/bot")
    application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
    application.add_handler(CommandHandler("start", start))
    application.add_handler(CommandHandler("dates", dates))
    application.add_handler(MessageHandler(filters.Regex(r"\?"), question))
    flows = PtbFlows(app, application.bot)
    flows.attach(application)
    application.run_polling()


if __name__ == "__main__":
    main()
