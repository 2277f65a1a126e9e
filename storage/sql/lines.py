"""What channels record of conversations: appended by name, read by place."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, bindparam, func, insert, select

from flows.ports import Line, LineRow
from storage.sql.dialects import Cursor, Dialect, Race, Refused
from storage.sql.tables import transcripts

_END = (1 << 63) - 1
"""Above every place."""


class Lines:
    """The table of lines. Each is a few statements of its own: they come one by one."""

    def __init__(self, sql: Dialect) -> None:
        row = transcripts.c
        track = (row.conv == bindparam("conv_"), row.track == bindparam("track_"))
        self._named = sql.compile(
            select(row.n).where(*track, row.name == bindparam("name_")),
            *("conv_", "track_", "name_"),
        )
        self._last = sql.compile(select(func.max(row.n)).where(*track), "conv_", "track_")
        self._insert = sql.compile(insert(transcripts), "conv", "track", "n", "name", "body", "at")
        page = select(row.n, row.name, row.body, row.at).where(
            *track, row.n > bindparam("after_"), row.n < bindparam("before_")
        )
        names = ("conv_", "track_", "after_", "before_", "limit_")
        self._first = sql.compile(_limited(sql, page.order_by(row.n)), *names)
        self._newest = sql.compile(_limited(sql, page.order_by(row.n.desc())), *names)

    def record(self, cursor: Cursor, rows: Sequence[LineRow]) -> list[int | None]:
        """Puts lines at the end of their tracks; None for one whose name is there."""
        return [self._record(cursor, row) for row in rows]

    def read(
        self,
        cursor: Cursor,
        *,
        conv: str,
        track: str,
        after: int,
        before: int | None,
        limit: int,
        newest: bool,
    ) -> list[Line]:
        """The lines between two places, ascending: the first ones or the newest."""
        end = _END if before is None else before
        statement = self._newest if newest else self._first
        found = cursor.execute(statement, (conv, track, after, end, limit)).fetchall()
        page = [Line(*row) for row in found]
        return page[::-1] if newest else page

    def _record(self, cursor: Cursor, row: LineRow) -> int | None:
        if cursor.execute(self._named, (row.conv, row.track, row.name)).fetchall():
            return None
        ((last,),) = cursor.execute(self._last, (row.conv, row.track)).fetchall()
        n = max((last or 0) + 1, row.at)
        try:
            cursor.execute(self._insert, (row.conv, row.track, n, row.name, row.body, row.at))
        except Refused as refused:
            if not refused.is_duplicate:
                raise
            # another process took the place, or recorded this very line, since we looked
            raise Race(str(refused)) from refused
        return n


def _limited(sql: Dialect, query: Select[int, str, str, int]) -> Select[int, str, str, int]:
    return sql.limited(query, "limit_")
