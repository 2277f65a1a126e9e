"""Running an app until it is done or told to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine import composition
from engine.cli import logs
from engine.cli.monitoring import monitored
from engine.cli.output import say
from engine.serving import Deployment, serve
from engine.settings import Settings
from flows.errors import HandrailError
from flows.ports import Channel, FlowStorage

if TYPE_CHECKING:
    from engine.app import App


class CannotShare(HandrailError):
    """There is nothing that several workers could share; the message says what is missing."""


def on_telegram(app: App, settings: Settings, *, webhook: bool | None = None) -> None:
    """Runs the app on Telegram until a signal stops it; ``webhook`` as in the composition."""
    logs.set_up(level=settings.log_level or "INFO", format=settings.log_format)
    channel = composition.telegram(settings, webhook=webhook)
    run(app, channel, settings, settings.database_url)


def on_console(app: App, settings: Settings, *, database_url: str | None = None) -> None:
    """Runs the app as a conversation in the terminal, or with what is piped in."""
    # What is said is the output here; the log speaks up only where something is wrong.
    logs.set_up(level=settings.log_level or "WARNING", format=settings.log_format)
    url = database_url or settings.database_url
    run(app, composition.console(), settings, url)


def on_web(app: App, settings: Settings, *, listen: str | None = None) -> None:
    """Runs the app as a chat page until a signal stops it; ``listen`` as in the composition."""
    logs.set_up(level=settings.log_level or "INFO", format=settings.log_format)
    channel = composition.web(settings, app.name, listen=listen, listening=_tell_where)
    run(app, channel, settings, settings.database_url)


def worker(app: App, settings: Settings, *, webhook: bool | None = None) -> None:
    """Runs the app as one of several workers, on Telegram and a shared database, until a signal
    stops it.

    Raises:
        CannotShare: there is no bot that several processes can serve, or no such database.
    """
    logs.set_up(level=settings.log_level or "INFO", format=settings.log_format)
    if settings.telegram_token is None:
        raise CannotShare(
            "a worker serves a bot that several processes can serve, and there is none: set "
            "HANDRAIL_TELEGRAM_TOKEN. To talk with the app in this terminal, use 'handrail chat'."
        )
    storage = composition.storage_of(settings.database_url, settings.secret_key)
    channel = composition.telegram(settings, webhook=webhook)
    asyncio.run(_shared_until_stopped(app, channel, storage, settings))


async def _shared_until_stopped(
    app: App, channel: Channel, storage: FlowStorage, settings: Settings
) -> None:
    try:
        limits = await storage.open()
        if not limits.shared or settings.database_url.startswith("memory:"):
            raise CannotShare(
                f"several workers cannot share {_kind(settings.database_url)}. Name a database "
                "on a server with HANDRAIL_DATABASE_URL, or run one process: 'handrail run'."
            )
        async with monitored(app, settings.monitor_listen):
            await serve(Deployment(app, channel, storage))
    finally:
        await storage.close()


def _tell_where(address: str) -> None:
    say(f"Talk with the bot at {address} (Ctrl-C stops it)")


def _kind(url: str) -> str:
    """The database, without what may be secret in its URL."""
    scheme = url.partition(":")[0].partition("+")[0]
    return {"memory": "the memory of a process", "sqlite": "an SQLite file"}.get(scheme, scheme)


def run(app: App, channel: Channel, settings: Settings, database_url: str) -> None:
    """Runs the app until its channel's input ends, or SIGTERM or SIGINT comes."""
    storage = composition.storage_of(database_url, settings.secret_key)
    asyncio.run(_until_over(app, channel, storage, settings))


async def _until_over(app: App, channel: Channel, storage: FlowStorage, settings: Settings) -> None:
    async with monitored(app, settings.monitor_listen):
        await serve(Deployment(app, channel, storage))
