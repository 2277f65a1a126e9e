"""Where conversations are kept: the storages behind ``flows.ports.FlowStorage``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.errors import StorageError
from storage.memory import MemoryStorage

if TYPE_CHECKING:
    from flows.ports import FlowStorage
    from storage.sql import SqlStorage

__all__ = ["MemoryStorage", "SqlStorage", "open_storage"]


def open_storage(url: str) -> FlowStorage:
    """The storage that a database URL names, not opened yet.

    ``memory://`` keeps everything in this process; ``sqlite+aiosqlite:///file.db`` (or
    ``sqlite:///file.db``) in a file.

    Raises:
        StorageError: no storage goes by that URL, or its driver is not installed.
    """
    if url.partition(":")[0] == "memory":
        return MemoryStorage()
    return _sql_storage()(url)


def __getattr__(name: str) -> object:
    # SQLAlchemy takes a moment to import, which who keeps nothing need not spend.
    if name == "SqlStorage":
        return _sql_storage()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _sql_storage() -> type[SqlStorage]:
    try:
        from storage.sql import SqlStorage
    except ModuleNotFoundError as error:
        raise StorageError(
            f"SQL databases need the package {error.name}, which is not installed. "
            "Install it with: pip install 'sqlalchemy[asyncio]' aiosqlite alembic"
        ) from error
    return SqlStorage
