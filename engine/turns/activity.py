"""Showing people that the bot is at work, where a turn takes longer than a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from flows.messages.bot import Bot
from flows.updates import Order, SendFailed, TimerFired, Update

Running = Mapping[asyncio.Task[None], Update]
"""Turns that await something, and what has caused them."""


class Activity:
    """Looks now and then at the turns that await something, so that quick ones pay nothing. One
    that was there the last time as well is shown as typing until it is over, unless its handler
    shows something itself.

    Args:
        bots: those that can show it, by their sources.
    """

    def __init__(self, bots: Mapping[str, Bot]) -> None:
        self._bots = bots
        self._seen: set[asyncio.Task[None]] = set()
        self._shown: dict[asyncio.Task[None], asyncio.Task[None]] = {}

    def look(self, running: Running) -> None:
        """Looks at them; to be called about once a second."""
        for task, update in running.items():
            if task in self._seen and task not in self._shown:
                self._show(task, update)
        self._seen = set(running)

    def _show(self, task: asyncio.Task[None], update: Update) -> None:
        address = update.address
        if address is None or isinstance(update.content, TimerFired | Order | SendFailed):
            return  # nobody there waits for an answer
        bot = self._bots.get(address.source)
        if bot is None or bot.api is None or address in bot.showing:
            return
        shown = asyncio.ensure_future(bot.api.act(address.chat, address.topic, "typing"))
        self._shown[task] = shown
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._shown.pop(task).cancel()
