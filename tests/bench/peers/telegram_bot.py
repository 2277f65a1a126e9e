"""python-telegram-bot's ConversationHandler, with the persistence that comes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from telegram import Update
from telegram.ext import (
    Application,
    CommandHandler,
    ConversationHandler,
    MessageHandler,
    PicklePersistence,
    filters,
)
from telegram.request import BaseRequest, RequestData

from tests.bench.peers.telegram import TOKEN, Outbox, update

NAME, EMAIL, AGE, TOWN, CONFIRM = range(5)


async def start(update: Any, context: Any) -> int:
    """The first question."""
    await update.message.reply_text("What's your name?")
    return NAME


async def name(update: Any, context: Any) -> int:
    """A text."""
    context.user_data["name"] = update.message.text
    await update.message.reply_text(f"What's your e-mail, {update.message.text}?")
    return EMAIL


async def email(update: Any, context: Any) -> int:
    """An address."""
    if "@" not in update.message.text:
        await update.message.reply_text("That is no e-mail.")
        return EMAIL
    context.user_data["email"] = update.message.text
    await update.message.reply_text("How old are you?")
    return AGE


async def age(update: Any, context: Any) -> int:
    """A number."""
    if not update.message.text.isdigit():
        await update.message.reply_text("That is no number.")
        return AGE
    context.user_data["age"] = int(update.message.text)
    await update.message.reply_text("Where do you live?")
    return TOWN


async def town(update: Any, context: Any) -> int:
    """A text."""
    data = context.user_data
    data["town"] = update.message.text
    await update.message.reply_text(
        f"{data['name']}, {data['age']}, of {data['town']}: is that right?"
    )
    return CONFIRM


async def confirm(update: Any, context: Any) -> int:
    """The end."""
    await update.message.reply_text(f"Thank you, {context.user_data['name']}.")
    return int(ConversationHandler.END)


class Request(BaseRequest):
    """A request that stops short of HTTP."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    @property
    def read_timeout(self) -> float:
        """Nothing is waited for."""
        return 1.0

    async def initialize(self) -> None:
        """Nothing is needed."""

    async def shutdown(self) -> None:
        """Nothing is held."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        *rest: Any,
        **more: Any,
    ) -> tuple[int, bytes]:
        """The Bot API."""
        params = request_data.json_parameters if request_data is not None else {}
        return 200, self._outbox.answer(url.rpartition("/")[2], params)


class TelegramBot:
    """An application that is fed with updates, one after the other, as it is by default."""

    async def open(self, folder: Path) -> None:
        """Builds the application."""
        self._outbox = Outbox()
        request = Request(self._outbox)
        self._application = (
            Application.builder()
            .token(TOKEN)
            .request(request)
            .get_updates_request(Request(self._outbox))
            .updater(None)
            .persistence(PicklePersistence(folder / "conversations.pickle"))
            .build()
        )
        text = filters.TEXT & ~filters.COMMAND
        steps = {NAME: name, EMAIL: email, AGE: age, TOWN: town, CONFIRM: confirm}
        self._application.add_handler(
            ConversationHandler(
                entry_points=[CommandHandler("start", start)],
                states={step: [MessageHandler(text, handler)] for step, handler in steps.items()},
                fallbacks=[],
                name="visitor",
                persistent=True,
            )
        )
        await self._application.initialize()
        await self._application.start()

    async def say(self, person: int, text: str) -> str:
        """By way of an update."""
        received = Update.de_json(update(person, text), self._application.bot)
        await self._application.process_update(received)
        return self._outbox.taken(person)

    async def close(self) -> None:
        """Stops it, which writes what is not written yet."""
        await self._application.stop()
        await self._application.shutdown()
