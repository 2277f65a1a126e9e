"""Beside a bot: opening its database from another process, to look and to put orders into it."""

from __future__ import annotations

import asyncio
import getpass
import os
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
    storage = composition.storage_of(settings.database_url, settings.secret_key)
    async with app.operator(storage, sources=(_source(settings),), who=who()) as opened:
        yield opened


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[FlowStorage]:
    """The storage of a database that exists, opened; nothing in it is changed.

    Raises:
        NoDatabase: there is none, or not in the schema of this version.
    """
    await check_database(url, may_create=False)
    storage = composition.storage_of(url, Settings.from_environment().secret_key)
    try:
        await storage.open()
        yield storage
    finally:
        await storage.close()


async def check_database(url: str, *, may_create: bool) -> None:
    """Raises NoDatabase where opening it would make it, or change its schema under a bot."""
    if url.startswith("memory:"):
        raise NoDatabase(
            "the database is memory://, which no other process can look into. Name one with "
            "HANDRAIL_DATABASE_URL."
        )
    if url.startswith(("redis:", "rediss:")):
        await _check_redis(url, may_create=may_create)
        return
    from storage.sql import migrate

    there = await asyncio.to_thread(migrate.current, url)
    shown = migrate.named(url)
    if there is None and not may_create:
        raise NoDatabase(
            f"there is no database {shown} yet, or nothing in it. Run the bot first (on a server, "
            "'handrail db upgrade' before it), or name the bot's database with "
            "HANDRAIL_DATABASE_URL."
        )
    if there is not None and there != (needed := migrate.head()):
        raise NoDatabase(
            f"the database {shown} is at {there}; this version needs {needed}. Stop the bot, and "
            "run 'handrail db upgrade' first; or look at an upgraded copy."
        )


async def _check_redis(url: str, *, may_create: bool) -> None:
    """A format of another version is refused whoever opens it; only emptiness is asked here."""
    from storage import RedisStorage
    from storage.redis import schema

    if await schema.current(url) is None and not may_create:
        raise NoDatabase(
            f"there is nothing in {RedisStorage(url)} yet. Run the bot first, or name the bot's "
            "database with HANDRAIL_DATABASE_URL."
        )


def who() -> str:
    """Who sits at the command line, for the audit."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # the user id has no name, as in many containers
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "command line"


def _source(settings: Settings) -> str:
    if settings.telegram_token is None:
        return CONSOLE
    return composition.telegram(settings).source
