"""Timers: set and dropped by turns, and turned into inbox rows when they are due."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Cursor

from sqlalchemy import bindparam, delete, func, select

from flows.ports import Fence, InboxRow, TimerDrop, TimerRow, TurnCommit
from storage.clock import Milliseconds
from storage.sql.dialects import SqliteDialect
from storage.sql.inbox import Inbox
from storage.sql.partitions import Partitions
from storage.sql.tables import timers


class Timers:
    """The table of timers."""

    def __init__(
        self, sql: SqliteDialect, clock: Milliseconds, partitions: Partitions, inbox: Inbox
    ) -> None:
        self._sql = sql
        self._clock = clock
        self._partitions = partitions
        self._inbox = inbox
        values = ("id", "part", "due", "generation", "source", "kind", "body")
        row = timers.c
        self._set = sql.compile(sql.upsert(timers, values=values), "conv", "name", *values)
        self._drop = sql.compile(
            delete(timers).where(row.conv == bindparam("conv_"), row.name == bindparam("name_")),
            *("conv_", "name_"),
        )
        self._due = sql.compile(
            sql.limited(
                select(
                    *(row.id, row.part, row.due, row.source),
                    *(row.kind, row.body, row.conv, row.name),
                )
                .where(sql.any_of(row.part, "parts"), row.due <= bindparam("now"))
                .order_by(row.due, row.conv, row.name),
                "limit",
            ),
            *("parts", "now", "limit"),
        )
        self._next = sql.compile(
            select(func.min(row.due)).where(sql.any_of(row.part, "parts")), "parts"
        )

    def write(self, cursor: Cursor, turns: Iterable[TurnCommit]) -> None:
        """Sets and drops the timers of turns; of several words about one, the last counts."""
        last: dict[tuple[str, str], tuple[TimerRow | None, str]] = {}
        for turn in turns:
            for place, row in enumerate(turn.timers):
                match row:
                    case TimerDrop():
                        last[row.conv, row.name] = (None, "")
                    case TimerRow():
                        last[row.conv, row.name] = (row, f"timer:{turn.cause}.{place}")
        if not last:
            return
        cursor.executemany(self._drop, [name for name, (row, _) in last.items() if row is None])
        cursor.executemany(
            self._set,
            [
                (
                    *(row.conv, row.name, number, row.part, row.due, row.generation),
                    *(row.source, row.kind, row.body),
                )
                for row, number in last.values()
                if row is not None
            ],
        )

    def fire(self, cursor: Cursor, fence: Fence, limit: int) -> tuple[list[int], float | None]:
        """Turns what is due into causes. Answers them, and the seconds to the next timer."""
        parts = self._sql.listed(self._partitions.held(cursor, fence))
        now = self._clock()
        due = cursor.execute(self._due, (parts, now, limit)).fetchall()
        seqs = [self._fire(cursor, *row) for row in due]
        ((following,),) = cursor.execute(self._next, (parts,)).fetchall()
        seconds = None if following is None else max(0, following - now) / 1000
        return [seq for seq in seqs if seq is not None], seconds

    def _fire(
        self,
        cursor: Cursor,
        number: str,
        part: int,
        due: int,
        source: str,
        kind: str,
        body: str,
        conv: str,
        name: str,
    ) -> int | None:
        cursor.execute(self._drop, (conv, name))
        cause = InboxRow(
            source=source, ext=number, part=part, conv=conv, kind=kind, body=body, at=due
        )
        return self._inbox.put(cursor, cause)
