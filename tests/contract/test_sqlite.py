"""The contract, kept by SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.testing import Backend, StorageContract
from tests.contract.backends.sqlite import SqliteBackend, make_template


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


class TestSqlite(StorageContract):
    @pytest.fixture
    async def backend(self, tmp_path: Path, template: Path) -> AsyncIterator[Backend]:
        backend = SqliteBackend(tmp_path, template)
        yield backend
        await backend.close()
