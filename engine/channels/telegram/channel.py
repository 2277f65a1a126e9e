"""Telegram as a channel: long polling in, messages, edits and answers out."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

import httpx

from engine.channels.telegram import messages
from engine.channels.telegram.backoff import Backoff, delay
from engine.channels.telegram.client import (
    PUBLIC_API,
    AnswerLost,
    BotApi,
    Busy,
    CallFailed,
    NoSuchApi,
    Refused,
)
from engine.channels.telegram.limits import SendLimits
from engine.channels.telegram.polling import poll
from engine.channels.telegram.recent import Recent
from engine.channels.telegram.shapes import clean
from engine.channels.telegram.splitting import shortened
from engine.channels.telegram.updates import UpdateReader
from engine.clock import SystemClock
from flows.errors import (
    ChannelStopped,
    ChatMoved,
    SendLater,
    SendRefused,
    SendUncertain,
)
from flows.ports import Clock, Delivery, Intake

log = logging.getLogger("handrail.telegram")

_COMMAND_NAME = re.compile(r"[a-z0-9_]{1,32}")
_MAX_COMMANDS = 100
_MAX_DESCRIPTION = 256
_FAILING_CHATS = 4096

_NOT_MODIFIED = "message is not modified"
_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid",
         "message identifier is not specified")  # fmt: skip
_BLOCKED = ("bot was blocked", "user is deactivated", "bot was kicked", "chat not found",
            "chat was deactivated", "chat is deactivated", "not a member", "peer_id_invalid",
            "have no rights to send", "not enough rights to send", "chat_write_forbidden",
            "chat was deleted", "group chat was upgraded")  # fmt: skip
_TOO_LATE = ("query is too old", "query id is invalid", "query_id_invalid")

CATCH_UP = 3.0
"""Seconds after which the updates that waited at Telegram have come in, more or less."""


class TelegramChannel:
    """A Telegram bot (see ``flows.ports.Channel``).

    A reference is a message id. A text over 4096 characters goes out as several messages,
    whose last one has the keyboard and is the reference. An edit of a message that is gone
    is sent anew.

    Args:
        token: what @BotFather gave; never logged, never in an error.
        api_url: base URL of the Bot API, such as a local server's.
        limits: whether to keep Telegram's sending limits from our side.
        client: an HTTP client to use instead of an own one; ``close`` leaves it open.

    Raises:
        ChannelStopped: the token or the URL has not the form of one.
    """

    def __init__(
        self,
        token: str,
        *,
        api_url: str = PUBLIC_API,
        limits: bool = True,
        clock: Clock | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._api = BotApi(token, api_url, client)
        self._source = f"telegram:{self._api.bot_id}"
        self._clock: Clock = clock or SystemClock()
        self._limits = SendLimits() if limits else None
        self._reader = UpdateReader(self._source)
        self._failures: Recent[str, int] = Recent(_FAILING_CHATS)
        self._begun: Recent[str, tuple[Delivery, int]] = Recent(_FAILING_CHATS)

    def __repr__(self) -> str:
        return f"TelegramChannel({self._source})"

    @property
    def source(self) -> str:
        """``telegram:`` and the bot's id."""
        return self._source

    @property
    def catch_up(self) -> float:
        """What waits at Telegram comes with the first answers to polling."""
        return CATCH_UP

    @property
    def username(self) -> str | None:
        """The bot's own name without ``@``; known once the channel is open."""
        return self._reader.username

    async def open(self, commands: Sequence[tuple[str, str]]) -> None:
        """Learns who we are and tells Telegram the commands; waits until it can be reached.

        A webhook is left as it is: polling then reports it.

        Raises:
            ChannelStopped: the token is refused, or there is no Bot API at this URL.
        """
        me = await self._who_am_i()
        name = me.get("username") if isinstance(me, dict) else None
        self._reader.username = name if isinstance(name, str) else None
        log.info("connected to %s as @%s (%s)", self._api.where, self.username, self._source)
        await self._tell(commands)

    async def receive(self, intake: Intake) -> None:
        """Polls until it is cancelled.

        Raises:
            ChannelStopped: the token is revoked.
        """
        await poll(self._api, self._reader, self._clock, intake)

    async def send(self, delivery: Delivery) -> str | None:
        """Sends or edits one message and answers its message id.

        Raises:
            SendLater: Telegram asks to wait, or cannot be reached.
            SendRefused: it will never be taken.
            SendUncertain: the answer was cut; it may have arrived.
            ChannelStopped: the token is revoked.
        """
        try:
            reference = await self._deliver(delivery)
        except CallFailed as failure:
            error = self._send_error(delivery, failure)
        else:
            self._failures.discard(delivery.chat)
            return reference
        raise error

    async def answer(self, press: str, notice: str | None) -> None:
        """Answers a press. Never fails: what goes wrong is logged."""
        try:
            await self._api.call("answerCallbackQuery", messages.press_answer(press, notice))
        except (CallFailed, ChannelStopped) as failure:
            if not _says(str(failure), _TOO_LATE):
                log.warning("a button press could not be answered: %s", failure)

    async def close(self) -> None:
        """Closes the connections."""
        await self._api.close()

    # --- opening ---

    async def _who_am_i(self) -> object:
        backoff = Backoff(base=1, cap=60)
        while True:
            try:
                return await self._api.call("getMe", {})
            except (NoSuchApi, Refused) as failure:
                stopped = ChannelStopped(
                    f"{self._api.where} does not know this bot ({failure}). Check the token "
                    "(HANDRAIL_TELEGRAM_TOKEN) and the URL (HANDRAIL_TELEGRAM_API_URL)."
                )
            except CallFailed as failure:
                seconds = failure.seconds if isinstance(failure, Busy) else backoff.next()
                log.warning("%s cannot be reached (%s); trying again in %.1f s",
                            self._api.where, failure, seconds)  # fmt: skip
                await self._clock.sleep(seconds)
                continue
            raise stopped

    async def _tell(self, commands: Sequence[tuple[str, str]]) -> None:
        known = [_described(name, text) for name, text in commands if _is_command(name)]
        if not known:
            return
        try:
            await self._api.call("setMyCommands", {"commands": known[:_MAX_COMMANDS]})
        except CallFailed as failure:
            # They are a menu only; the bot understands them without it.
            log.warning("Telegram was not told the commands: %s", failure)

    # --- sending ---

    async def _deliver(self, delivery: Delivery) -> str | None:
        if delivery.edit is not None and await self._edited(delivery, delivery.edit):
            return delivery.edit
        return await self._sent(delivery)

    async def _edited(self, delivery: Delivery, reference: str) -> bool:
        if not (reference.isascii() and reference.isdigit()):
            log.warning("%r is no message id; the message is sent anew", reference)
            return False
        params = messages.edited_message(delivery, _chat_id(delivery.chat), int(reference))
        try:
            await self._call(delivery.chat, "editMessageText", params)
        except Refused as refused:
            if _says(refused.reason, (_NOT_MODIFIED,)):
                return True
            if _says(refused.reason, _GONE):
                return False
            raise
        return True

    async def _sent(self, delivery: Delivery) -> str | None:
        parts = messages.new_messages(delivery, _chat_id(delivery.chat))
        place = f"{delivery.chat}/{delivery.topic}"
        # A chat's messages come in order, so the same one again is the rest of this one.
        begun = self._begun.get(place)
        done = begun[1] if begun is not None and begun[0] == delivery else 0
        result: object = None
        for params in parts[done:]:
            result = await self._call(delivery.chat, "sendMessage", params)
            done += 1
            if done < len(parts):
                self._begun.put(place, (delivery, done))
        self._begun.discard(place)
        return _reference(result)

    async def _call(self, chat: str, method: str, params: dict[str, Any]) -> object:
        if self._limits is not None:
            await self._limits.wait(chat)
        try:
            return await self._api.call(method, params)
        except Refused as refused:
            if refused.migrate_to is None:
                raise
            moved = ChatMoved(str(refused.migrate_to))
        raise moved

    def _send_error(
        self, delivery: Delivery, failure: CallFailed
    ) -> SendLater | SendRefused | SendUncertain:
        match failure:
            case Busy():
                return SendLater(failure.seconds, f"Telegram asks to wait: {failure}")
            case Refused():
                self._begun.discard(f"{delivery.chat}/{delivery.topic}")
                blocked = failure.code == httpx.codes.FORBIDDEN or _says(failure.reason, _BLOCKED)
                return SendRefused(failure.reason, blocked=blocked)
            case AnswerLost() if delivery.edit is None:
                return SendUncertain(f"the answer to a message was lost: {failure}")
            case _:
                # An edit whose answer was lost is here too: doing it twice shows no difference.
                failures = (self._failures.get(delivery.chat) or 0) + 1
                self._failures.put(delivery.chat, failures)
                return SendLater(delay(failures, base=1, cap=60), f"not sent: {failure}")


def _chat_id(chat: str) -> int | str:
    try:
        return int(chat)
    except ValueError:
        return chat  # such as @channelname


def _reference(result: object) -> str | None:
    number = result.get("message_id") if isinstance(result, dict) else None
    return str(number) if type(number) is int else None


def _says(reason: str, phrases: Sequence[str]) -> bool:
    return any(phrase in reason.lower() for phrase in phrases)


def _is_command(name: str) -> bool:
    if _COMMAND_NAME.fullmatch(name):
        return True
    log.warning("command %r is not shown in Telegram's menu: it takes a-z, 0-9 and _, up to 32",
                name)  # fmt: skip
    return False


def _described(name: str, text: str) -> dict[str, str]:
    description = shortened(" ".join(clean(text).split()), limit=_MAX_DESCRIPTION)
    return {"command": name, "description": description or name}
