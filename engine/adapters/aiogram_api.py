"""Calls by a bot of aiogram 3: its session, its middlewares and its proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack
from functools import cache
from http import HTTPStatus
from io import SEEK_END
from typing import Any

import aiogram.methods
from aiogram import Bot
from aiogram.client.telegram import PRODUCTION
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import InputFile as AiogramFile
from aiohttp import ClientError, ClientResponseError
from pydantic import BaseModel, ValidationError

from engine.adapters.failures import network_failure, revoked, successful, told
from engine.adapters.uploads import UPLOAD_SECONDS, named_in, watched
from engine.channels.telegram.client import (
    CALL_SECONDS,
    AnswerLost,
    Busy,
    CallFailed,
    Conflict,
    NoSuchApi,
    Refused,
    Unreachable,
)
from engine.channels.telegram.uploads import Progress, Uploaded, opened
from flows.errors import ChannelStopped
from flows.messages.input_file import InputFile

_FETCH_SECONDS = 60
"""How long a file of up to 20 MB may take."""

_TOO_MANY = "too many requests"


class AiogramApi:
    """An ``Api`` that calls by ``bot``; see ``engine.channels.telegram.api``."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    @property
    def bot_id(self) -> str:
        """The bot's id."""
        return str(self._bot.id)

    @property
    def where(self) -> str:
        """The service is the session's concern."""
        return "the Bot API of the aiogram bot"

    async def call(
        self, method: str, params: Mapping[str, Any], *, seconds: float = CALL_SECONDS
    ) -> object:
        """Calls a method. Raises CallFailed or ChannelStopped."""
        return _plain(successful(await self._called(method, params, seconds)))

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

        ``progress`` is told of what aiogram has read of them.
        """
        public = self._bot.session.api is PRODUCTION
        with ExitStack() as stack:
            ready = opened(files, stack, photo=method == "sendPhoto", limited=public)
            streams = {name: _Stream(file, progress) for name, file in ready.items()}
            work = self._called(method, _attached(params, streams), UPLOAD_SECONDS)
            answer = await watched(work, go_on)
        return _plain(successful(answer))

    async def fetch(self, path: str) -> AsyncGenerator[bytes, None]:
        """The bytes of a file. Raises CallFailed or ChannelStopped."""
        session, failure = self._bot.session, None
        url = session.api.file_url(self._bot.token, path)
        try:
            async for piece in session.stream_content(url, timeout=_FETCH_SECONDS):
                yield piece
        except ClientResponseError as error:
            failure = _unfetched(error.status)
        except (ClientError, TimeoutError) as error:
            failure = Unreachable(told(error))
        # not while an exception is in flight that holds the URL
        if failure is not None:
            raise failure

    async def close(self) -> None:
        """The session is the host's, which closes it."""

    async def _called(self, method: str, params: Mapping[str, Any], seconds: float) -> object:
        # A failure is handed back rather than raised here, where the exception in flight, which
        # may hold the URL, would become its context.
        known = _methods().get(method)
        if known is None:
            return NoSuchApi(f"this aiogram has no method {method}; a newer one may")
        try:
            call = known.model_validate(_without_defaults(known, params))
            return await self._bot(call, request_timeout=max(int(seconds), 1))
        except ClientDecodeError as error:
            return _undecoded(error)
        except AiogramError as error:
            return _failure(error)
        except ValidationError as error:
            return Refused(400, told(error))


def _unfetched(status: int) -> CallFailed | ChannelStopped:
    if status == HTTPStatus.UNAUTHORIZED:
        return revoked("Unauthorized")
    if status == HTTPStatus.NOT_FOUND:
        return NoSuchApi("no such file, or not any more")
    return Unreachable(f"HTTP {status}") if status >= 500 else Refused(status, f"HTTP {status}")


def _undecoded(error: ClientDecodeError) -> object:
    """The result of a call that was done, but that this aiogram cannot read, as where Telegram is
    newer than it; else a failure: a page of HTML, say.
    """
    answer = error.data
    if isinstance(answer, dict) and answer.get("ok") is True:
        return answer.get("result")
    return AnswerLost(told(error.message))


def _failure(error: AiogramError) -> CallFailed | ChannelStopped:
    reason = told(error.message if isinstance(error, TelegramAPIError) else error)
    match error:
        case TelegramRetryAfter():
            return Busy(float(error.retry_after), reason)
        case TelegramMigrateToChat():
            return Refused(400, reason, error.migrate_to_chat_id)
        case TelegramBadRequest():
            return Refused(400, reason)
        case TelegramForbiddenError():
            return Refused(403, reason)
        case TelegramEntityTooLarge():
            return Refused(413, reason)
        case TelegramUnauthorizedError():
            return revoked(reason)
        case TelegramNotFound():
            return NoSuchApi(reason)
        case TelegramConflictError():
            return Conflict(reason)
        case TelegramServerError():
            return Unreachable(reason)
        case TelegramNetworkError():
            return network_failure(error)
        case _ if _TOO_MANY in reason.lower():
            return Busy(None, reason)
    return Refused(400, reason)


@cache
def _methods() -> dict[str, type[TelegramMethod[Any]]]:
    found: dict[str, type[TelegramMethod[Any]]] = {}
    for name in aiogram.methods.__all__:
        candidate = getattr(aiogram.methods, name)
        if isinstance(candidate, type) and issubclass(candidate, TelegramMethod):
            api_name = getattr(candidate, "__api_method__", None)
            if isinstance(api_name, str):
                found[api_name] = candidate
    return found


def _without_defaults(
    method: type[TelegramMethod[Any]], params: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters, saying also what they leave out: a bot whose default is HTML would read a
    plain text as such.
    """
    explicit = dict(params)
    if "parse_mode" in method.model_fields:
        explicit.setdefault("parse_mode", None)
    media = explicit.get("media")
    if isinstance(media, Mapping):
        explicit["media"] = {"parse_mode": None, **media}
    elif isinstance(media, list):
        explicit["media"] = [{"parse_mode": None, **one} for one in media]
    return explicit


class _Stream(AiogramFile):
    """An opened file as aiogram takes it, read in a thread."""

    def __init__(self, file: Uploaded, progress: Progress | None) -> None:
        super().__init__(filename=file.name)
        self._stream = file.stream
        self._size = file.stream.seek(0, SEEK_END)
        self._progress = progress

    async def read(self, bot: Bot) -> AsyncGenerator[bytes, None]:
        """The file, a piece at a time."""
        self._stream.seek(0)
        while piece := await asyncio.to_thread(self._stream.read, self.chunk_size):
            yield piece
            if self._progress is not None:
                self._progress(self._stream.tell(), self._size)


def _attached(params: Mapping[str, Any], streams: Mapping[str, _Stream]) -> dict[str, Any]:
    """The parameters with the files themselves in place of what names them."""
    by_uri = {f"attach://{name}": stream for name, stream in streams.items()}

    def put(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: put(one) for name, one in value.items()}
        if isinstance(value, list):
            return [put(one) for one in value]
        return by_uri.get(value, value) if isinstance(value, str) else value

    named = {name: put(value) for name, value in params.items()}
    return named | {name: one for name, one in streams.items() if not named_in(params, name)}


def _plain(result: object) -> object:
    """The result as JSON gives it."""
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(result, list):
        return [_plain(one) for one in result]
    return result
