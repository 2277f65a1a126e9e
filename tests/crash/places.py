"""The databases that scenarios work on, each of its own and for one run."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.crash.processes import ROOT
from tests.crash.proxy import Proxy
from tests.crash.servers import CannotRun, Mariadb, Postgres, Redis, Server

Own = TypeVar("Own", bound=Server)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A database.

    Attributes:
        folder: where its files are, as far as a scenario wants to know.
        url: what the bots are told.
        server: what can be stopped.
        direct: the way to the server that nobody disturbs; without a driver.
        proxy: what stands between the bots and the server.
    """

    folder: Path
    url: str
    server: Server | None = None
    direct: str = ""
    proxy: Proxy | None = None


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Place]:
    """A file, safe from a power cut."""
    yield Place(folder=folder, url=_file(folder))


@asynccontextmanager
async def sqlite_normal(folder: Path) -> AsyncIterator[Place]:
    """A file, safe from the end of a process."""
    yield Place(folder=folder, url=f"{_file(folder)}?synchronous=NORMAL")


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[Place]:
    """A file on a disk of its own, in memory."""
    disk = folder / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or not _run("mount", "-t", "tmpfs", "-o", "size=48m", "crash", str(disk)):
        raise CannotRun("it takes root to mount a small disk")
    try:
        yield Place(folder=disk, url=_file(disk))
    finally:
        _run("umount", str(disk))


@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[Place]:
    """A server of its own."""
    async with _postgres() as server:
        yield Place(folder=folder, url=_with_driver(server.url), server=server, direct=server.url)


@asynccontextmanager
async def proxied_postgres(folder: Path) -> AsyncIterator[Place]:
    """The same, behind a proxy."""
    async with _postgres() as server, Proxy(server.port) as proxy:
        url = server.url.replace(f":{server.port}/", f":{proxy.port}/")
        yield Place(
            folder=folder,
            url=_with_driver(url),
            server=server,
            direct=server.url,
            proxy=proxy,
        )


@asynccontextmanager
async def mariadb(folder: Path) -> AsyncIterator[Place]:
    """A server of its own."""
    async with _started(Mariadb) as server:
        await asyncio.to_thread(upgrade, _with_driver(server.url))
        yield Place(folder=folder, url=_with_driver(server.url), server=server)


@asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[Place]:
    """A server of its own."""
    async with _started(Redis) as server:
        yield Place(folder=folder, url=server.url, server=server)


@asynccontextmanager
async def _postgres() -> AsyncIterator[Postgres]:
    async with _started(Postgres) as server:
        await asyncio.to_thread(upgrade, _with_driver(server.url))
        yield server


@asynccontextmanager
async def _started(make: Callable[[], Own]) -> AsyncIterator[Own]:
    server = await asyncio.to_thread(make)
    try:
        await server.start()
        yield server
    finally:
        await asyncio.to_thread(server.remove)


def upgrade(url: str) -> None:
    """Makes the tables, as an operator does."""
    environment = {**os.environ, "HANDRAIL_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "engine.cli", "db", "upgrade"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotRun(f"the tables cannot be made: {done.stderr.strip()}")


def _file(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'bot.db'}"


def _with_driver(url: str) -> str:
    return url.replace("postgresql:", "postgresql+asyncpg:").replace("mysql:", "mysql+aiomysql:")


def _run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0
