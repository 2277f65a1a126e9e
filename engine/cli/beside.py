"""Beside a bot: opening its database from another process, to look and to put orders into it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from engine import composition
from engine.cli import logs
from engine.settings import Settings
from flows.errors import HandrailError
from flows.ports import FlowStorage

if TYPE_CHECKING:
    from engine.app import App
    from engine.operate import Operator

T = TypeVar("T")

CONSOLE = "console:local"
"""The bot that talks in the terminal."""


class NoDatabase(HandrailError, LookupError):
    """There is no database to work beside, or it is none that this version knows."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command that awaits; the log speaks up only where something is wrong."""
    settings = Settings.from_environment()
    logs.set_up(level=settings.log_level or "ERROR", format=settings.log_format)
    return asyncio.run(work)


@asynccontextmanager
async def operator(app: App, *, may_create: bool = False) -> AsyncIterator[Operator]:
    """An Operator on the database that HANDRAIL_DATABASE_URL names.

    Args:
        may_create: make the database where there is none yet, so that an order can wait in it.

    Raises:
        NoDatabase: there is none, or not in the schema of this version.
    """
    settings = Settings.from_environment()
    await check_database(settings.database_url, may_create=may_create)
    storage = composition.storage_of(settings.database_url)
    async with app.operator(storage, sources=(_source(settings),)) as opened:
        yield opened


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[FlowStorage]:
    """The storage of a database that exists, opened; nothing in it is changed.

    Raises:
        NoDatabase: there is none, or not in the schema of this version.
    """
    await check_database(url, may_create=False)
    storage = composition.storage_of(url)
    try:
        await storage.open()
        yield storage
    finally:
        await storage.close()


async def check_database(url: str, *, may_create: bool) -> None:
    """Raises NoDatabase where opening it would make it, or change its schema under a bot."""
    from storage.sql import migrate

    if url.startswith("memory:"):
        raise NoDatabase(
            "the database is memory://, which no other process can look into. Name one with "
            "HANDRAIL_DATABASE_URL."
        )
    there = await asyncio.to_thread(migrate.current, url)
    if there is None and not may_create:
        raise NoDatabase(
            f"there is no database {url} yet, or nothing in it. Run the bot first, or name the "
            "bot's database with HANDRAIL_DATABASE_URL."
        )
    if there is not None and there != (needed := migrate.head()):
        raise NoDatabase(
            f"the database {url} is at {there}; this version needs {needed}. Stop the bot, and "
            "run 'handrail db upgrade' first; or look at an upgraded copy."
        )


def _source(settings: Settings) -> str:
    if settings.telegram_token is None:
        return CONSOLE
    return composition.telegram(settings).source
