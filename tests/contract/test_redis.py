"""The contract, kept by Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.testing import Backend, StorageContract
from tests.contract.backends.redis import RedisBackend
from tests.redis_server import redis_database


class TestRedis(StorageContract):
    @pytest.fixture
    async def backend(self, tmp_path: Path) -> AsyncIterator[Backend]:
        with redis_database(tmp_path) as database:
            backend = RedisBackend(database)
            yield backend
            await backend.close()
