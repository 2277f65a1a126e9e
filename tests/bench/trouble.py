"""One chat more, whose handler sleeps, raises, or eats memory, time and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from itertools import cycle
from pathlib import Path

from engine import App
from engine.turns.notices import Notices
from flows import Context, Router
from tests.bench.bot import app
from tests.bench.people import Paced, Writer

SECONDS = 10.0
"""How long a handler sleeps, and how long it keeps the memory."""

MEGABYTES = 200
"""What a handler takes, one after the other."""

PAUSE = 0.1
"""Seconds after an answer before there is more trouble: no person is quicker, and what somebody
costs the others who floods is measured by itself."""

DONE = "Done."


class Trouble(StrEnum):
    """What the handler does."""

    SLEEP = "sleep"
    RAISE = "raise"
    MEMORY = "memory"


class Troubled(Paced):
    """People who write at their own pace, and one more, who writes on soon after the handler that
    makes trouble has answered. ``waits`` are those of the others.
    """

    def __init__(self, people: int, *, pace: float, trouble: Trouble) -> None:
        super().__init__(people, pace=pace, flooded=False)
        self._trouble = Writer.named(f"{self._name}trouble")
        answer = Notices().apology if trouble is Trouble.RAISE else DONE
        self._trouble.exchanges = cycle([(str(trouble), answer)])

    async def begin(self) -> None:
        """Trouble comes first."""
        self.write(self._trouble)
        await super().begin()

    def writer(self, chat: str) -> Writer:
        """One of them."""
        return self._trouble if chat == self._trouble.address.chat else super().writer(chat)

    def answered(self, writer: Writer) -> None:
        """More trouble. What it waits for does not count."""
        super().answered(writer)
        if writer is self._trouble:
            self.waits.pop()
            asyncio.get_running_loop().call_later(PAUSE, self._more)

    def _more(self) -> None:
        if not self._gone:
            self.write(self._trouble)


def troublesome(over: asyncio.Event) -> App:
    """The bot that is measured, with a handler for each kind of trouble.

    Args:
        over: ends what still sleeps, so that the bot stops at once.
    """
    router = Router("trouble")

    @router.hears(Trouble.SLEEP)
    async def sleep(ctx: Context) -> None:
        await _sleep(over)
        ctx.reply(DONE)

    @router.hears(Trouble.RAISE)
    async def fail(ctx: Context) -> None:
        ctx.reply("This is never said.")
        raise RuntimeError("trouble")

    @router.hears(Trouble.MEMORY)
    async def eat(ctx: Context) -> None:
        eaten = []
        for _ in range(MEGABYTES):
            eaten.append(b"x" * 1_000_000)
            await asyncio.sleep(0)
        await _sleep(over)
        ctx.reply(DONE)

    return app(more=router)


async def _sleep(over: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            await over.wait()


@contextmanager
def logged(folder: Path) -> Iterator[None]:
    """What is logged goes to a file, so that it costs what it does, and nobody has to read it."""
    handler = logging.FileHandler(folder / "trouble.log")
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
