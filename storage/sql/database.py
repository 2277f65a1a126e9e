"""A kind of database behind the storage: how it is opened, connected and owned."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from flows.ports import Fence
from storage.sql.cold import Cold
from storage.sql.dialects import Dialect, Work
from storage.sql.partitions import LeaseCall, Partitions
from storage.wakes import Wakes

Answer = TypeVar("Answer")


class Hot(Protocol):
    """Transactions for what every turn needs.

    Both raise Refused, or the driver's own of ``failures.DATA_ERRORS``, where a row cannot be
    stored.
    """

    async def write(self, work: Work[Answer], *, marks: int = 0) -> Answer:
        """Runs ``work`` in a transaction and commits it.

        Args:
            marks: it is nothing but so many marks of sent messages, which a power cut may take.
        """
        ...

    async def read(self, work: Work[Answer]) -> Answer:
        """Runs ``work``, which only reads, outside a transaction."""
        ...

    async def close(self) -> None:
        """Lets go of the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """What exists between ``open`` and ``close``.

    Attributes:
        durability: a sentence: what survives which failure.
        firing: one call of ``fire`` after the other: MariaDB locks all that is due, also what is
            over the limit, and a second call would pass over it.
    """

    hot: Hot
    cold: Cold
    wakes: Wakes
    durability: str
    firing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Database(Protocol):
    """One database.

    Attributes:
        sql: how its statements are written.
        shared: whether several workers may share it.
    """

    sql: Dialect
    shared: bool

    async def open(self) -> Opened:
        """Checks the schema and connects. Raises SchemaMismatch, StorageDown."""
        ...

    async def close(self, opened: Opened | None) -> None:
        """Lets everything go; ``opened`` is None where it was not open."""
        ...

    async def lease(self, opened: Opened, partitions: Partitions, call: LeaseCall) -> Fence:
        """``Partitions.lease``, and whatever this kind of database wants beside it."""
        ...

    async def release(self, opened: Opened, partitions: Partitions, worker: str) -> None:
        """``Partitions.release``, and whatever this kind of database wants beside it."""
        ...

    def listen(self, opened: Opened) -> None:
        """Sees to it that others' causes wake this handle, where the database can tell."""
        ...
