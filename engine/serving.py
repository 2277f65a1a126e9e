"""Running Apps: as a program that signals end, and inside of another one."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.turns.cancelling import failure_of
from flows.errors import DefinitionError
from flows.ports import Channel, FlowStorage

if TYPE_CHECKING:
    from engine.app import App

_log = logging.getLogger("handrail.engine")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A bot, where people are, and where its conversations are kept.

    Attributes:
        channel: None: what ``App.run`` takes then. Each bot needs one of its own.
        storage: not open yet; None: what ``App.run`` takes then. Each bot needs one of its own,
            on a database of its own.
    """

    app: App
    channel: Channel | None = None
    storage: FlowStorage | None = None


async def serve(*bots: Deployment, stop: asyncio.Event | None = None) -> None:
    """Runs bots beside each other in this process, until all of them have ended.

    One that fails is logged and ends; the others go on.

    Args:
        stop: ends all of them in good order. None: SIGTERM and SIGINT do, and a second signal
            ends them at once.

    Raises:
        DefinitionError: two of them have the same App, channel or storage; nothing has begun.
        Exception: what the one that failed has raised, see ``App.run``.
        ExceptionGroup: what those that failed have raised, where there are several.
    """
    _check(bots)
    if stop is not None:
        await _all(bots, stop)
        return
    stop = asyncio.Event()
    running = asyncio.ensure_future(_all(bots, stop))

    def on_signal() -> None:
        # The first one lets the turns in progress finish; whoever sends a second is in a hurry.
        if stop.is_set():
            running.cancel()
        stop.set()

    with _signals(on_signal):
        try:
            await running
        except asyncio.CancelledError:
            if not stop.is_set():
                raise


@asynccontextmanager
async def serving(*bots: Deployment) -> AsyncIterator[None]:
    """Runs bots while the block does, such as that of a web application's lifespan; signals are
    the application's concern. Does not wait until they are ready: what is posted to a webhook
    before that is answered 503, and comes again. Leaving it ends them in good order.

    One that fails is logged and ends; the others and the block go on.

    Raises:
        DefinitionError: as in ``serve``.
        Exception: what has failed, as in ``serve``, when the block is left.
    """
    _check(bots)
    stop = asyncio.Event()
    running = asyncio.ensure_future(_all(bots, stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def _all(bots: Sequence[Deployment], stop: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(_run(bot, stop, alone=len(bots) == 1)) for bot in bots]
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    errors = [error for task in tasks if (error := failure_of(task)) is not None]
    if len(errors) > 1:
        raise BaseExceptionGroup("several bots have failed", errors)
    for error in errors:
        raise error


async def _run(bot: Deployment, stop: asyncio.Event, *, alone: bool) -> None:
    try:
        await bot.app.run(channel=bot.channel, storage=bot.storage, stop=stop)
    except Exception as error:
        if not alone:
            _log.error("the bot %r has ended, the others go on: %s", bot.app.name, error)
        raise


@contextmanager
def _signals(on_signal: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    taken: list[signal.Signals] = []
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal)
            taken.append(number)
    except (NotImplementedError, ValueError, RuntimeError) as error:
        # on Windows, and in a thread that is not the main one
        _log.debug("signals are not taken: %s", error)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)


def _check(bots: Sequence[Deployment]) -> None:
    if not bots:
        raise DefinitionError("there is no bot to serve. Name one Deployment at least.")
    _apart([id(bot.app) for bot in bots], "are one App. Make an App for each")
    _apart(
        [id(bot.storage) if bot.storage is not None else None for bot in bots],
        "share one storage, so each would run the turns of the other. Give each a storage of its "
        "own, on a database of its own: Deployment(app, channel, open_storage(url))",
    )
    _apart(
        [bot.channel.source if bot.channel is not None else None for bot in bots],
        "share one channel, so each would get half of what people say. Give each a channel of its "
        "own, with another token: Deployment(app, TelegramChannel(token), storage)",
    )


def _apart(things: Sequence[object], reason: str) -> None:
    for place, thing in enumerate(things):
        if thing in things[:place]:
            before = things.index(thing) + 1
            raise DefinitionError(f"the bots {before} and {place + 1} to be served {reason}.")
