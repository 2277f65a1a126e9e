"""Answering button presses: by their turn, else by the engine within two seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from flows.ports import Channel
from flows.updates import Press, Update

DEADLINE = 2.0
"""Seconds after which a press is answered, whatever its turn does."""

_log = logging.getLogger("handrail.engine")


class Presses:
    """Every press is answered once."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels
        self._open: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def accepted(self, update: Update) -> None:
        """A press came in; its time starts."""
        if isinstance(update.content, Press):
            loop = asyncio.get_running_loop()
            handle = loop.call_later(DEADLINE, self.settled, update, None)
            self._open[update.content.id] = handle

    def settled(self, update: Update, notice: str | None) -> None:
        """The turn of an update is done; if it is an open press, it is answered."""
        if not isinstance(update.content, Press):
            return
        handle = self._open.pop(update.content.id, None)
        if handle is None:
            return
        handle.cancel()
        task = asyncio.ensure_future(self._answer(update.source, update.content.id, notice))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Returns when the answers under way have gone out."""
        for handle in self._open.values():
            handle.cancel()
        self._open.clear()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _answer(self, source: str, press: str, notice: str | None) -> None:
        channel = self._channels.get(source)
        if channel is None:
            return
        try:
            await channel.answer(press, notice)
        except Exception:  # an unanswered press must not take the engine down
            _log.exception("a button press could not be answered")
