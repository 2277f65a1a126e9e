"""Calls of the Bot API from handlers: any method, within Telegram's limits, and chat actions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from engine.channels.telegram import files
from engine.channels.telegram.api import Api
from engine.channels.telegram.client import AnswerLost, Busy, CallFailed, NoSuchApi, Refused
from engine.channels.telegram.limits import SendLimits
from engine.channels.telegram.messages import chat_id
from engine.channels.telegram.uploads import Progress
from flows.errors import (
    CallError,
    CallLater,
    CallRefused,
    CallUncertain,
    ChannelStopped,
    SendLater,
    SendRefused,
)
from flows.messages.downloads import Target, Told
from flows.messages.input_file import InputFile
from flows.ports import Clock
from flows.updates import FileRef

log = logging.getLogger("handrail.telegram")

PATIENCE = 10.0
"""Seconds that a call waits in all where Telegram asks to wait."""

_UNSAID_WAIT = 1.0
_ACTION_SECONDS = 4.5  # Telegram shows an action for five
_LONG_UPLOAD = 1.0
_UPLOADS = {"sendPhoto": "upload_photo", "sendVideo": "upload_video",
            "sendVoice": "upload_voice", "sendVideoNote": "upload_video_note"}  # fmt: skip
_COUNTED = ("send", "edit", "copy", "forward")


class BotCalls:
    """The Bot API as ``flows.messages.bot.Api``."""

    def __init__(
        self, api: Api, clock: Clock, limits: SendLimits | None, progress: Progress | None
    ) -> None:
        self._api = api
        self._clock = clock
        self._limits = limits
        self._progress = progress
        self._busy_until = 0.0

    async def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Calls a method. Where Telegram asks to wait, other calls wait as well.

        Raises:
            CallError: it brought no result.
        """
        await self._admitted(method, params)
        end = self._clock.monotonic() + PATIENCE
        while True:
            await self._calm(method, end)
            try:
                return await self._where_it_is(method, params)
            except Busy as busy:
                seconds = _UNSAID_WAIT if busy.seconds is None else busy.seconds
                self._busy_until = self._clock.monotonic() + seconds
            except (CallFailed, ChannelStopped, SendLater, SendRefused) as failure:
                error = _told(method, failure)
                break
        raise error

    async def download(
        self,
        file: FileRef | str,
        to: Target,
        *,
        limit: int | None = None,
        progress: Told | None = None,
    ) -> Path | None:
        """Fetches a file that somebody has sent."""
        return await files.download(self._api, file, to, limit=limit, progress=progress)

    def chunks(self, file: FileRef | str, *, limit: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of a file that somebody has sent."""
        return files.chunks(self._api, file, limit=limit)

    async def act(self, chat: str, topic: str | None, action: str) -> None:
        """Shows what the bot is doing, again and again until it is cancelled."""
        params: dict[str, Any] = {"chat_id": chat_id(chat), "action": action}
        if topic is not None:
            params["message_thread_id"] = int(topic)
        while True:
            try:
                await self._where_it_is("sendChatAction", params)
            except (CallFailed, ChannelStopped) as failure:
                log.info("what the bot is doing could not be shown: %s", failure)
            await self._clock.sleep(_ACTION_SECONDS)

    @asynccontextmanager
    async def uploading(self, method: str, params: Mapping[str, Any]) -> AsyncIterator[None]:
        """Shows people in the chat that something is on its way, where that takes a while."""
        shown = asyncio.ensure_future(self._act_soon(method, params))
        try:
            yield
        finally:
            shown.cancel()

    async def _act_soon(self, method: str, params: Mapping[str, Any]) -> None:
        await self._clock.sleep(_LONG_UPLOAD)
        topic = params.get("message_thread_id")
        action = _UPLOADS.get(method, "upload_document")
        await self.act(str(params["chat_id"]), None if topic is None else str(topic), action)

    async def _where_it_is(self, method: str, params: Mapping[str, Any]) -> object:
        """Makes a call; where its chat goes by another id now, once more with that one. Handlers
        know a group by the id that its conversations have, which is the old one.
        """
        try:
            return await self._made(method, params)
        except Refused as refused:
            if refused.migrate_to in (None, params.get("chat_id")) or "chat_id" not in params:
                raise
            moved = {**params, "chat_id": refused.migrate_to}
        return await self._made(method, moved)

    async def _made(self, method: str, params: Mapping[str, Any]) -> object:
        files = {
            name: value
            for name, value in params.items()
            if isinstance(value, InputFile) and value.source in ("path", "bytes")
        }
        plain = {
            name: value.value if isinstance(value, InputFile) else value
            for name, value in params.items()
            if name not in files
        }
        if files:
            return await self._api.upload(method, plain, files, progress=self._progress)
        return await self._api.call(method, plain)

    async def _admitted(self, method: str, params: Mapping[str, Any]) -> None:
        """What sends a message waits for the limits as messages do."""
        chat = params.get("chat_id")
        if self._limits is None or chat is None or not method.startswith(_COUNTED):
            return
        if method == "sendChatAction":
            return
        while (pause := self._limits.admit(str(chat))) is not None:
            await self._clock.sleep(pause.seconds)

    async def _calm(self, method: str, end: float) -> None:
        """Returns when Telegram does not ask to wait any more.

        Raises:
            CallLater: it asks to wait for too long.
        """
        while (seconds := self._busy_until - self._clock.monotonic()) > 0:
            if self._busy_until > end:
                raise CallLater(method, seconds, "Telegram asks to wait")
            await self._clock.sleep(seconds)


def _told(method: str, failure: Exception) -> CallError:
    match failure:
        case Refused(code=code, reason=reason):
            return CallRefused(method, code, reason)
        case NoSuchApi(reason=reason):
            return CallRefused(method, httpx.codes.NOT_FOUND, reason)
        case AnswerLost(reason=reason):
            return CallUncertain(method, reason)
        case SendRefused(reason=reason):
            return CallRefused(method, httpx.codes.BAD_REQUEST, reason)
        case ChannelStopped():
            return CallRefused(method, httpx.codes.UNAUTHORIZED, str(failure))
        case _:
            return CallLater(method, None, str(failure))
