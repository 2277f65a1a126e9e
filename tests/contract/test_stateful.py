"""Every backend and memory, driven side by side by the same calls, never differ."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings

from storage.sql import migrate
from storage.testing import Backend
from storage.testing.beside import BesideMemory
from tests.contract.backends.encrypted import EncryptedBackend
from tests.contract.backends.memory import MemoryBackend
from tests.contract.backends.redis import RedisBackend
from tests.contract.backends.server import ServerBackend
from tests.contract.backends.sqlite import SqliteBackend
from tests.redis_server import redis_database
from tests.servers import database

SETTINGS = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    # Without shrinking, which would take minutes: a failure names its seed.
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


class Sqlite(BesideMemory):
    async def begin(self) -> Backend:
        self.folder = Path(tempfile.mkdtemp(prefix="handrail-"))
        self.sqlite = SqliteBackend(self.folder)
        return self.sqlite

    async def end(self, backend: Backend) -> None:
        await self.sqlite.close()
        shutil.rmtree(self.folder)


class Encrypted(BesideMemory):
    async def begin(self) -> Backend:
        self.encrypted = EncryptedBackend(MemoryBackend())
        return self.encrypted

    async def end(self, backend: Backend) -> None:
        await self.encrypted.close()


TestSqlite = Sqlite.TestCase
TestSqlite.settings = SETTINGS

TestEncrypted = Encrypted.TestCase
TestEncrypted.settings = SETTINGS


class InRedis(BesideMemory):
    async def begin(self) -> Backend:
        self.resources = ExitStack()
        folder = Path(self.resources.enter_context(tempfile.TemporaryDirectory()))
        self.redis = RedisBackend(self.resources.enter_context(redis_database(folder)))
        return self.redis

    async def end(self, backend: Backend) -> None:
        await self.redis.close()
        self.resources.close()


TestRedis = InRedis.TestCase
TestRedis.settings = SETTINGS


class OnServer(BesideMemory):
    """A database of its own for each run, on a server."""

    kind: ClassVar[str]

    async def begin(self) -> Backend:
        self.resources = ExitStack()
        url = await asyncio.to_thread(self._migrated)
        self.server = ServerBackend(url)
        return self.server

    async def end(self, backend: Backend) -> None:
        await self.server.close()
        await asyncio.to_thread(self.resources.close)

    def _migrated(self) -> str:
        url = self.resources.enter_context(database(self.kind))
        migrate.upgrade(url)
        return url


class InPostgresql(OnServer):
    kind = "postgresql"


TestPostgresql = InPostgresql.TestCase
TestPostgresql.settings = SETTINGS


class InMariadb(OnServer):
    kind = "mariadb"


TestMariadb = InMariadb.TestCase
TestMariadb.settings = SETTINGS
