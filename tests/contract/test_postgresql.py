"""The contract, kept by PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

pytest.importorskip("asyncpg", reason="asyncpg is not installed")

from storage.sql import migrate
from storage.testing import Backend, StorageContract
from tests.contract.backends.server import ServerBackend, empty
from tests.servers import database


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with database("postgresql") as url:
        migrate.upgrade(url)
        yield url


class TestPostgresql(StorageContract):
    @pytest.fixture
    async def backend(self, url: str) -> AsyncIterator[Backend]:
        await empty(url)
        backend = ServerBackend(url)
        yield backend
        await backend.close()
