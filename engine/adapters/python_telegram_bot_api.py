"""Calls by a bot of python-telegram-bot 22: its request, its rate limiter and its proxy."""

from __future__ import annotations

import re
import warnings
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from telegram import Bot, File, InputMedia
from telegram import InputFile as PtbFile
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.error import Conflict as Rival

from engine.adapters.failures import network_failure, revoked, successful, told
from engine.adapters.uploads import UPLOAD_SECONDS, named_in, watched
from engine.channels.telegram.client import (
    CALL_SECONDS,
    PUBLIC_API,
    AnswerLost,
    Busy,
    CallFailed,
    Conflict,
    NoSuchApi,
    Refused,
    Unreachable,
    bot_id,
)
from engine.channels.telegram.uploads import Progress, opened
from flows.errors import ChannelStopped
from flows.messages.input_file import InputFile

_HUMP = re.compile("([A-Z])")


class PtbApi:
    """An ``Api`` that calls by ``bot``; see ``engine.channels.telegram.api``.

    Raises:
        ChannelStopped: the bot's token has not the form of one.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._bot_id = bot_id(bot.token)

    @property
    def bot_id(self) -> str:
        """The bot's id."""
        return self._bot_id

    @property
    def where(self) -> str:
        """The service is the request's concern."""
        return "the Bot API of the python-telegram-bot bot"

    async def call(
        self, method: str, params: Mapping[str, Any], *, seconds: float = CALL_SECONDS
    ) -> object:
        """Calls a method. Raises CallFailed or ChannelStopped."""
        return successful(await self._called(method, params, seconds))

    async def upload(
        self,
        method: str,
        params: Mapping[str, Any],
        files: Mapping[str, InputFile],
        *,
        go_on: Callable[[], bool] | None = None,
        progress: Progress | None = None,
    ) -> object:
        """Calls a method with files. Raises SendRefused, SendLater, CallFailed or ChannelStopped.

        ``progress`` is told nothing: the library does not tell how far it is.
        """
        public = self._bot.base_url.startswith(PUBLIC_API)
        with ExitStack() as stack:
            ready = opened(files, stack, photo=method == "sendPhoto", limited=public)
            # as a part of its name, where the parameters lead to that
            parts = {
                name: PtbFile(
                    file.stream,
                    file.name,
                    attach=not named_in(params, name),
                    read_file_handle=False,
                )
                for name, file in ready.items()
            }
            work = self._called(method, {**params, **parts}, UPLOAD_SECONDS)
            answer = await watched(work, go_on)
        return successful(answer)

    async def fetch(self, path: str) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, all at once. Raises CallFailed or ChannelStopped."""
        yield bytes(successful(await self._fetched(f"{self._bot.base_file_url}/{path}")))

    async def close(self) -> None:
        """The bot is the host's, which shuts it down."""

    async def _called(self, method: str, params: Mapping[str, Any], seconds: float) -> object:
        # A failure is handed back rather than raised here, where the exception in flight, which
        # may hold the URL, would become its context.
        try:
            return await self._bot.do_api_request(
                _endpoint(method), _readable(params), read_timeout=seconds, write_timeout=seconds
            )
        except TelegramError as error:
            return _failure(error)

    async def _fetched(self, url: str) -> bytearray | CallFailed | ChannelStopped:
        file = File("file", "file", file_path=url)
        file.set_bot(self._bot)
        try:
            return await file.download_as_bytearray(read_timeout=CALL_SECONDS)
        except TelegramError as error:
            return _failure(error)


def _endpoint(method: str) -> str:
    """The method so that the bot does not know it for one of its own: it warns of these, but what
    they take are objects, and what we have is JSON.
    """
    return _HUMP.sub(r"_\1", method)


def _readable(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the library takes them: in a list of media it looks for objects."""
    media = params.get("media")
    return (
        {**params, "media": [_media(one) for one in media]}
        if isinstance(media, list)
        else {**params}
    )


def _media(item: Mapping[str, Any]) -> InputMedia:
    told = dict(item)
    return InputMedia(
        told.pop("type"),
        told.pop("media"),
        caption=told.pop("caption", None),
        parse_mode=told.pop("parse_mode", None),  # None, so that no default of the bot's is read
        api_kwargs=told,
    )


def _failure(error: TelegramError) -> CallFailed | ChannelStopped:
    reason = told(error.message)
    match error:
        case RetryAfter():
            return Busy(_seconds(error), reason)
        case ChatMigrated():
            return Refused(400, reason, error.new_chat_id)
        case BadRequest():
            return Refused(400, reason)
        case Forbidden():
            return Refused(403, reason)
        case InvalidToken() | EndPointNotFound():
            return _unknown(error)
        case Rival():
            return Conflict(reason)
        case TimedOut():
            return network_failure(error)
        case NetworkError() if _has_answered(error):
            return Unreachable(reason)
        case NetworkError():
            return network_failure(error)
    return AnswerLost(reason)  # something else than an answer of the Bot API


def _seconds(error: RetryAfter) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it will be a timedelta one day: it may be both here
        wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _unknown(error: TelegramError) -> CallFailed | ChannelStopped:
    """401 or 404: both are one error, which holds the description, or is raised from one that
    does.
    """
    held = error.__cause__ if isinstance(error.__cause__, InvalidToken) else error
    reason = told(held)
    return revoked(reason) if "unauthorized" in reason.lower() else NoSuchApi(reason)


def _has_answered(error: TelegramError) -> bool:
    """Whether it is about an answer with a status, 502 say, and not about one that never came."""
    return error.__cause__ is None or isinstance(error.__cause__, TelegramError)
