"""Timers: set and dropped by turns, and turned into inbox rows when they are due."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, func, select

from flows.ports import Fence, InboxRow, TimerDrop, TimerRow, TurnCommit
from storage.sql.dialects import Cursor, Dialect
from storage.sql.inbox import Inbox
from storage.sql.partitions import Partitions
from storage.sql.tables import timers


class Timers:
    """The table of timers."""

    def __init__(self, sql: Dialect, partitions: Partitions, inbox: Inbox) -> None:
        self._sql = sql
        self._partitions = partitions
        self._inbox = inbox
        row = timers.c
        self._set = sql.upserts(
            timers,
            *("conv", "name", "id", "part", "due", "generation"),
            *("source", "kind", "body"),
        )
        self._drop = sql.deletes(timers, "conv", "name")
        # What a turn in flight is about to replace or to drop is left to it.
        self._due = sql.compile(
            sql.spare(
                sql.limited(
                    select(
                        *(row.id, row.part, row.due, row.source),
                        *(row.kind, row.body, row.conv, row.name),
                    )
                    .where(sql.any_of(row.part, "parts"), row.due <= bindparam("now"))
                    .order_by(row.due, row.conv, row.name),
                    "limit",
                )
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
        self._drop(cursor, [name for name, (row, _) in last.items() if row is None])
        self._set(
            cursor,
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
        held = self._partitions.held(cursor, fence)
        parts = self._sql.listed(held.parts)
        due = cursor.execute(self._due, (parts, held.now, limit)).fetchall()
        self._drop(cursor, [(conv, name) for *_, conv, name in due])
        seqs = self._inbox.accept(cursor, [_cause(*row) for row in due])
        ((following,),) = cursor.execute(self._next, (parts,)).fetchall()
        seconds = None if following is None else max(0, following - held.now) / 1000
        return [seq for seq in seqs if seq is not None], seconds


def _cause(
    number: str, part: int, due: int, source: str, kind: str, body: str, conv: str, _name: str
) -> InboxRow:
    return InboxRow(source=source, ext=number, part=part, conv=conv, kind=kind, body=body, at=due)
