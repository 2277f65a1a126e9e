"""Commands beside a bot whose conversations are in Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.cli import beside, database
from flows.errors import SchemaMismatch
from storage import RedisStorage
from tests.redis_server import RedisDatabase, redis_database

pytestmark = pytest.mark.anyio


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisDatabase]:
    with redis_database(tmp_path) as redis:
        yield redis


async def test_an_empty_database_is_told_and_stays_empty(redis: RedisDatabase) -> None:
    with pytest.raises(beside.NoDatabase, match=r"there is nothing in redis://127\.0\.0\.1"):
        await beside.check_database(redis.url, may_create=False)
    await beside.check_database(redis.url, may_create=True)
    with closing(redis.client()) as client:
        assert not client.exists(redis.key("meta"))


async def test_a_database_that_a_bot_has_made_is_read(redis: RedisDatabase) -> None:
    storage = RedisStorage(redis.url)
    await storage.open()
    await storage.close()
    async with beside.reading(redis.url) as opened:
        assert await opened.aliases() == {}


async def test_a_newer_format_is_refused(redis: RedisDatabase) -> None:
    with closing(redis.client()) as client:
        client.hset(redis.key("meta"), mapping={"application": "handrail", "format": "2"})
    with pytest.raises(SchemaMismatch, match=r"newer than this version"):
        await beside.check_database(redis.url, may_create=True)


def test_there_is_no_schema_to_upgrade(
    redis: RedisDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", redis.url)
    with pytest.raises(database.NoSchema, match=r"Redis, which has no tables"):
        database.upgrade()
