"""The contract, kept by memory and by SQLite with everything encrypted in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.testing import Backend, StorageContract
from tests.contract.backends.encrypted import EncryptedBackend
from tests.contract.backends.memory import MemoryBackend
from tests.contract.backends.sqlite import SqliteBackend, make_template


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


class TestEncryptedMemory(StorageContract):
    @pytest.fixture
    async def backend(self) -> AsyncIterator[Backend]:
        backend = EncryptedBackend(MemoryBackend())
        yield backend
        await backend.close()


class TestEncryptedSqlite(StorageContract):
    @pytest.fixture
    async def backend(self, tmp_path: Path, template: Path) -> AsyncIterator[Backend]:
        backend = EncryptedBackend(SqliteBackend(tmp_path, template))
        yield backend
        await backend.close()
