"""The storages that are measured, each empty at first and gone afterwards."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

SERVERS = {
    "postgresql": os.environ.get(
        "HANDRAIL_BENCH_POSTGRESQL", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres"
    ),
    "mariadb": os.environ.get(
        "HANDRAIL_BENCH_MARIADB", "mysql+aiomysql://root@127.0.0.1:3306/test"
    ),
    "redis": os.environ.get("HANDRAIL_BENCH_REDIS", "redis://127.0.0.1:6379/9"),
}
"""Where servers are looked for. What is measured gets a database of its own there; on Redis, the
database that the URL names, which has to be empty.
"""


class Missing(RuntimeError):
    """There is no such server here; the message says where it was looked for."""


@asynccontextmanager
async def database(storage: str, folder: Path) -> AsyncIterator[str]:
    """The URL of an empty database.

    Args:
        storage: ``memory``, ``sqlite`` (``synchronous = FULL``), ``sqlite-normal``,
            ``postgresql``, ``mariadb`` or ``redis``.

    Raises:
        Missing: the server does not answer.
    """
    match storage:
        case "memory":
            yield "memory://"
        case "sqlite" | "sqlite-normal":
            path = folder / f"bench-{uuid4().hex}.db"
            setting = "NORMAL" if storage == "sqlite-normal" else "FULL"
            yield f"sqlite+aiosqlite:///{path}?synchronous={setting}"
            _remove(path)
        case "redis":
            _look_for(storage)
            yield SERVERS[storage]
            await _empty_redis(SERVERS[storage])
        case _:
            _look_for(storage)
            async with _sql_database(SERVERS[storage]) as url:
                yield url


def _remove(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def _look_for(server: str) -> None:
    place = urlsplit(SERVERS[server])
    try:
        socket.create_connection((place.hostname or "127.0.0.1", place.port or 0), 1).close()
    except OSError as error:
        raise Missing(f"no {server} at {place.hostname}:{place.port} ({error})") from error


@asynccontextmanager
async def _sql_database(server: str) -> AsyncIterator[str]:
    from sqlalchemy import make_url, text
    from sqlalchemy.ext.asyncio import create_async_engine

    from storage.sql import migrate

    name = f"handrail_bench_{uuid4().hex[:12]}"
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        migrate.upgrade(url)
        yield url
    finally:
        async with engine.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name}"))
        await engine.dispose()


async def _empty_redis(url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(url) as client:
        await client.flushdb()
