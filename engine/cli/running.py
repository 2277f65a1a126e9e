"""Running an app until it is done or told to stop."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from engine import composition
from engine.cli import logs
from engine.settings import Settings
from flows.ports import Channel, FlowStorage

if TYPE_CHECKING:
    from engine.app import App


def on_telegram(app: App, settings: Settings) -> None:
    """Runs the app on Telegram until a signal stops it."""
    logs.set_up(level=settings.log_level or "INFO", format=settings.log_format)
    run(app, composition.telegram(settings), settings.database_url)


def on_console(app: App, settings: Settings, *, database_url: str | None = None) -> None:
    """Runs the app as a conversation in the terminal, or with what is piped in."""
    # What is said is the output here; the log speaks up only where something is wrong.
    logs.set_up(level=settings.log_level or "WARNING", format=settings.log_format)
    run(app, composition.console(), database_url or settings.database_url)


def run(app: App, channel: Channel, database_url: str) -> None:
    """Runs the app until its channel's input ends, or SIGTERM or SIGINT comes."""
    asyncio.run(_until_stopped(app, channel, composition.storage_of(database_url)))


async def _until_stopped(app: App, channel: Channel, storage: FlowStorage) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(app.run(channel=channel, storage=storage, stop=stop))

    def on_signal() -> None:
        # The first one lets the turns in progress finish; whoever sends a second is in a hurry.
        if stop.is_set():
            running.cancel()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # the Windows event loop has no signal handlers
            loop.add_signal_handler(number, on_signal)
    try:
        await running
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
