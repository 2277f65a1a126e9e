"""Where conversations are kept: the storages behind ``flows.ports.FlowStorage``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.errors import StorageError
from storage.memory import MemoryStorage

if TYPE_CHECKING:
    from flows.ports import FlowStorage
    from storage.crypto.keys import Keyring
    from storage.crypto.storage import EncryptedStorage
    from storage.redis import RedisStorage
    from storage.sql import SqlStorage

__all__ = [
    "EncryptedStorage",
    "Keyring",
    "MemoryStorage",
    "RedisStorage",
    "SqlStorage",
    "open_storage",
]


def open_storage(url: str) -> FlowStorage:
    """The storage that a database URL names, not opened yet.

    ``memory://`` keeps everything in this process; ``sqlite+aiosqlite:///file.db`` (or
    ``sqlite:///file.db``) in a file; ``postgresql+asyncpg://host/name``,
    ``mysql+aiomysql://host/name`` and ``redis://host:6379/0`` (or ``rediss://``) on a server.

    Raises:
        StorageError: no storage goes by that URL, or its driver is not installed.
    """
    scheme = url.partition(":")[0]
    if scheme == "memory":
        return MemoryStorage()
    if scheme in ("redis", "rediss"):
        return _redis_storage()(url)
    return _sql_storage()(url)


def __getattr__(name: str) -> object:
    # Drivers, and what encrypts, take a moment to import, which who keeps nothing need not spend.
    if name == "SqlStorage":
        return _sql_storage()
    if name == "RedisStorage":
        return _redis_storage()
    if name == "EncryptedStorage":
        from storage.crypto.storage import EncryptedStorage

        return EncryptedStorage
    if name == "Keyring":
        from storage.crypto.keys import Keyring

        return Keyring
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _redis_storage() -> type[RedisStorage]:
    try:
        from storage.redis import RedisStorage
    except ModuleNotFoundError as error:
        raise StorageError(
            f"Redis needs the package {error.name}, which is not installed. "
            "Install it with: pip install 'handrail[redis]'"
        ) from error
    return RedisStorage


def _sql_storage() -> type[SqlStorage]:
    try:
        from storage.sql import SqlStorage
    except ModuleNotFoundError as error:
        raise StorageError(
            f"SQL databases need the package {error.name}, which is not installed. "
            "Install it with: pip install 'sqlalchemy[asyncio]' aiosqlite alembic"
        ) from error
    return SqlStorage
