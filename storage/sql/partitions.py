"""Leases: who holds which partition, at which epoch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, or_, select

from flows.conversation import PARTITIONS
from flows.ports import Fence
from storage.clock import Milliseconds
from storage.leases import Partition, fence_of, given_back, known_workers, share_out
from storage.sql.dialects import Cursor, Dialect, Row
from storage.sql.tables import meta, partitions, workers


@dataclass(frozen=True, slots=True)
class LeaseCall:
    """What a worker asks for: so many partitions, for so many milliseconds."""

    worker: str
    want: int
    ttl: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a fence still holds, and when that was read.

    Attributes:
        micros: microseconds since the epoch, by the database's clock.
    """

    parts: Collection[int]
    micros: int

    @property
    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.micros // 1000


class Partitions:
    """The table of partitions, and who else works on them.

    ``clock`` stands in for the database's own, which is that of this process for SQLite.
    """

    def __init__(self, sql: Dialect, clock: Milliseconds | None) -> None:
        self._sql = sql
        self._clock = clock
        table = partitions.c
        # What time it is comes with the rows that every transaction reads first.
        moment = () if clock else (sql.moment.label("moment"),)
        self._turn = sql.compile(
            sql.locked(select(meta.c.value).where(meta.c.name == bindparam("name_"))), "name_"
        )
        self._all = sql.compile(
            select(table.part, table.owner, table.epoch, table.until, *moment).order_by(table.part)
        )
        self._spare = sql.compile(
            sql.spare(
                select(table.part)
                .where(or_(table.owner.is_(None), table.until <= bindparam("now")))
                .order_by(table.part)
            ),
            "now",
        )
        self._write = sql.updates(partitions, "owner", "epoch", "until", key=("part",))
        mine = (
            select(table.part, table.epoch, *moment)
            .where(table.owner == bindparam("worker"))
            .order_by(table.part)
        )
        self._look = sql.compile(mine, "worker")
        self._mine = sql.compile(sql.shared(mine), "worker")
        self._sums = sql.compile(
            select(func.count(), func.sum(table.epoch), *moment).where(
                table.owner == bindparam("worker")
            ),
            "worker",
        )
        self._some = sql.among(table.part, sql.shared(mine).where, "worker")
        self._workers = sql.compile(select(workers.c.name, workers.c.until))
        self._know = sql.upserts(workers, "name", "until")
        self._forget = sql.deletes(workers, "name")
        self._forget_all = sql.compile(delete(workers))

    def lease(self, cursor: Cursor, call: LeaseCall) -> Fence:
        """Renews, takes and gives back until the worker holds ``want``.

        A partition that its former owner has not let go of, in the middle of a commit say, is
        left for the next call: nobody who renews may have to wait for somebody who hangs.
        """
        worker = call.worker
        rows, now = self._read(cursor)
        spare = {part for (part,) in cursor.execute(self._spare, (now,)).fetchall()}
        within = [
            row for row in rows if row.part in spare or (row.owner == worker and row.until > now)
        ]
        changed = share_out(within, worker, want=call.want, now=now, ttl=call.ttl)
        self._store(cursor, changed)
        after = {row.part: row for row in within} | {row.part: row for row in changed}
        return fence_of(after.values(), worker, self._count(cursor, call, now))

    def release(self, cursor: Cursor, worker: str) -> bool:
        """Gives back what the worker holds. Answers whether now nobody holds anything."""
        rows, _ = self._read(cursor)
        self._store(cursor, given_back([row for row in rows if row.owner == worker]))
        self._forget(cursor, [(worker,)])
        return all(row.owner is None or row.owner == worker for row in rows)

    def free_all(self, cursor: Cursor) -> None:
        """Gives back everybody's: for the one who knows that all of them are dead."""
        rows, _ = self._read(cursor)
        self._store(cursor, given_back(rows))
        cursor.execute(self._forget_all)

    def look(self, cursor: Cursor, fence: Fence) -> Held:
        """The partitions of the fence that are its worker's, at its epochs, for now."""
        return self._held(fence, cursor.execute(self._look, (fence.worker,)).fetchall())

    def held(self, cursor: Cursor, fence: Fence) -> Held:
        """``look``, and they stay so until the transaction ends."""
        return self._held(fence, cursor.execute(self._mine, (fence.worker,)).fetchall())

    def holds_everything(self, cursor: Cursor, fence: Fence) -> Held | None:
        """``held`` where that is all that there is, as usual with one worker; else None.

        It is asked for with one row in place of one for each partition, and only where nobody
        else can write meanwhile. An epoch never falls: with the same sum each is the same.
        """
        epochs = fence.epochs
        if self._sql.concurrent or len(epochs) != PARTITIONS:
            return None
        rows = cursor.execute(self._sums, (fence.worker,)).fetchall()
        if rows[0][:2] != (PARTITIONS, sum(epochs.values())):
            return None
        return Held(epochs, self._micros(rows))

    def held_among(self, cursor: Cursor, fence: Fence, parts: Collection[int]) -> Held:
        """``held``, asked for a few partitions only."""
        return self._held(fence, self._some(cursor, parts, fence.worker).fetchall())

    def _held(self, fence: Fence, rows: list[Row]) -> Held:
        epochs = fence.epochs
        return Held({row[0] for row in rows if epochs.get(row[0]) == row[1]}, self._micros(rows))

    def _micros(self, rows: list[Row]) -> int:
        """Who holds nothing needs no time: then there is no row, and it is 0."""
        if self._clock is not None:
            return self._clock() * 1000
        return int(rows[0][-1]) if rows else 0

    def _count(self, cursor: Cursor, call: LeaseCall, now: int) -> int:
        found = dict(map(tuple, cursor.execute(self._workers).fetchall()))
        until = dict(found)
        count = known_workers(until, call.worker, now=now, ttl=call.ttl)
        self._know(cursor, [(call.worker, until[call.worker])])
        self._forget(cursor, [(name,) for name in found if name not in until])
        return count

    def _read(self, cursor: Cursor) -> tuple[list[Partition], int]:
        """All of them, and the time. Whoever changes leases comes one at a time."""
        cursor.execute(self._turn, ("application",)).fetchall()
        rows = cursor.execute(self._all).fetchall()
        return [Partition(*row[:4]) for row in rows], self._micros(rows) // 1000

    def _store(self, cursor: Cursor, rows: list[Partition]) -> None:
        self._write(cursor, [(row.owner, row.epoch, row.until, row.part) for row in rows])
