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
    """Every press is answered once by this process.

    ``_open`` holds the presses whose turns are not done: their deadlines, None where it has
    passed and the press is answered.
    """

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels
        self._open: dict[str, asyncio.TimerHandle | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def accepted(self, update: Update) -> None:
        """A press came in; its time starts."""
        if isinstance(update.content, Press):
            loop = asyncio.get_running_loop()
            handle = loop.call_later(DEADLINE, self._too_long, update.source, update.content.id)
            self._open[update.content.id] = handle

    def settled(self, update: Update, notice: str | None) -> None:
        """The turn of an update is done; if it is a press, it is answered, unless that was done.

        One that is not open came in before this process: nobody has answered it yet.
        """
        if not isinstance(update.content, Press):
            return
        press = update.content.id
        if press in self._open:
            handle = self._open.pop(press)
            if handle is None:
                return
            handle.cancel()
        self._send(update.source, press, notice)

    async def close(self) -> None:
        """Returns when the answers under way have gone out."""
        for handle in self._open.values():
            if handle is not None:
                handle.cancel()
        self._open.clear()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _too_long(self, source: str, press: str) -> None:
        """The turn has not ended in time: the person sees that the press was noticed."""
        self._open[press] = None
        self._send(source, press, None)

    def _send(self, source: str, press: str, notice: str | None) -> None:
        task = asyncio.ensure_future(self._answer(source, press, notice))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, source: str, press: str, notice: str | None) -> None:
        channel = self._channels.get(source)
        if channel is None:
            return
        try:
            await channel.answer(press, notice)
        except Exception:  # an unanswered press must not take the engine down
            _log.exception("a button press could not be answered")
