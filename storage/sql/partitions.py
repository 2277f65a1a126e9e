"""Leases: who holds which partition, at which epoch."""

from __future__ import annotations

from collections.abc import Collection
from sqlite3 import Cursor

from sqlalchemy import bindparam, select, update

from flows.ports import Fence
from storage.clock import Milliseconds
from storage.leases import Partition, fence_of, given_back, share_out, still_held
from storage.sql.dialects import SqliteDialect
from storage.sql.tables import partitions


class Partitions:
    """The table of partitions. ``clock`` is the database's: SQLite runs in this process."""

    def __init__(self, sql: SqliteDialect, clock: Milliseconds) -> None:
        self._sql = sql
        self._clock = clock
        table = partitions.c
        self._all = sql.compile(
            select(table.part, table.owner, table.epoch, table.until).order_by(table.part)
        )
        self._write = sql.compile(
            update(partitions)
            .values(owner=bindparam("owner_"), epoch=bindparam("epoch_"), until=bindparam("until_"))
            .where(table.part == bindparam("part_")),
            *("owner_", "epoch_", "until_", "part_"),
        )
        self._mine = sql.compile(
            select(table.part, table.epoch).where(table.owner == bindparam("worker")), "worker"
        )
        self._some = sql.compile(
            select(table.part, table.epoch).where(
                table.owner == bindparam("worker"), sql.any_of(table.part, "parts")
            ),
            *("worker", "parts"),
        )

    def lease(self, cursor: Cursor, worker: str, want: int, ttl: int) -> Fence:
        """Renews, takes and gives back until the worker holds ``want``."""
        rows = self._read(cursor)
        changed = share_out(rows, worker, want=want, now=self._clock(), ttl=ttl)
        self._store(cursor, changed)
        after = {row.part: row for row in rows} | {row.part: row for row in changed}
        return fence_of(after.values(), worker)

    def release(self, cursor: Cursor, worker: str) -> bool:
        """Gives back what the worker holds. Answers whether now nobody holds anything."""
        rows = self._read(cursor)
        self._store(cursor, given_back([row for row in rows if row.owner == worker]))
        return all(row.owner is None or row.owner == worker for row in rows)

    def free_all(self, cursor: Cursor) -> None:
        """Gives back everybody's: for the one who knows that all of them are dead."""
        self._store(cursor, given_back(self._read(cursor)))

    def held(self, cursor: Cursor, fence: Fence) -> list[int]:
        """The partitions of the fence that still are its worker's, at its epochs."""
        return sorted(still_held(fence, cursor.execute(self._mine, (fence.worker,)).fetchall()))

    def held_among(self, cursor: Cursor, fence: Fence, parts: Collection[int]) -> Collection[int]:
        """``held``, asked for a few partitions only."""
        values = (fence.worker, self._sql.listed(parts))
        return still_held(fence, cursor.execute(self._some, values).fetchall())

    def _read(self, cursor: Cursor) -> list[Partition]:
        return [Partition(*row) for row in cursor.execute(self._all).fetchall()]

    def _store(self, cursor: Cursor, rows: list[Partition]) -> None:
        cursor.executemany(
            self._write, [(row.owner, row.epoch, row.until, row.part) for row in rows]
        )
