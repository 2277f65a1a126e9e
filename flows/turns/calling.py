"""Reaching the service from a handler: its API, and what people see that the bot is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from flows.conversation import Address
from flows.messages.bot import Bot, ChatAction
from flows.updates import Update


class Calling:
    """Has the bot at its service."""

    __slots__ = ()

    def _cause(self) -> Update:
        """What came in and caused the turn."""
        raise NotImplementedError

    def _known_bots(self) -> Mapping[str, Bot]:
        """The bots that run here, by their sources."""
        raise NotImplementedError

    @property
    def bot(self) -> Bot:
        """The bot at its service, for calls of any method of its API: made at once, and no part of
        the turn. On a channel without an API, each call raises NoApi.
        """
        address = self._cause().address
        source = address.source if address is not None else self._cause().source
        return self._known_bots().get(source) or Bot(source, None)

    def typing(self, action: ChatAction = "typing") -> Activity:
        """Shows people that the bot is at work, for as long as the block runs:

            async with ctx.typing("upload_photo"):
                chart = await draw()

        It never fails; where it cannot be shown, nothing is.
        """
        return Activity(self.bot, self._cause().address, action)


class Activity:
    """Shows what the bot is doing while an ``async with`` runs."""

    __slots__ = ("_action", "_address", "_bot", "_task")

    def __init__(self, bot: Bot, address: Address | None, action: ChatAction) -> None:
        self._bot = bot
        self._address = address
        self._action = action
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begins to show it."""
        address = self._address
        if self._bot.api is not None and address is not None:
            shown = self._bot.api.act(address.chat, address.topic, self._action)
            self._task = asyncio.ensure_future(shown)
            self._bot.showing.add(address)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Shows it no longer."""
        if self._task is not None and self._address is not None:
            self._bot.showing.discard(self._address)
            self._task.cancel()
            await asyncio.wait({self._task})
