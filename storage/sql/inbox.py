"""Causes: accepted, handed out, noted, and done."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Select, String, bindparam, func, null, select, update
from sqlalchemy.sql import cast

from flows.ports import Fence, InboxRow, Outcome, PendingRow
from storage.sql.dialects import ONE, Cursor, Dialect
from storage.sql.partitions import Partitions
from storage.sql.tables import inbox

WINDOW = 8
"""How many pages of the oldest undone rows are looked through to share out one page."""


class Inbox:
    """The inbox. A row is undone while ``todo``, its partition, is set."""

    def __init__(self, sql: Dialect, partitions: Partitions) -> None:
        self._sql = sql
        self._partitions = partitions
        self._insert = sql.numbers(
            inbox,
            *("source", "ext", "part", "conv", "kind", "body", "at", "tries", "todo"),
            unique=("source", "ext"),
        )
        self._page = sql.compile(_page(sql), "parts", "skip", "window", "limit")
        row = inbox.c
        # Somebody may have done it since it was chosen.
        undone = row.todo.is_not(None)
        self._take = sql.compile(
            update(inbox).values(tries=row.tries + ONE).where(sql.any_of(row.seq, "seqs"), undone),
            "seqs",
        )
        self._rows = sql.compile(
            select(
                *(row.seq, row.source, row.ext, row.part, row.conv),
                *(row.kind, row.body, row.notes, row.at, row.tries),
            )
            .where(sql.any_of(row.seq, "seqs"), undone)
            .order_by(row.seq),
            "seqs",
        )
        self._part = sql.compile(select(row.part).where(row.seq == bindparam("seq_")), "seq_")
        self._note = sql.compile(
            update(inbox)
            .values(notes=bindparam("notes_"))
            .where(row.seq == bindparam("seq_"), undone),
            *("notes_", "seq_"),
        )
        found = sql.locked(select(row.seq).order_by(row.seq))
        self._undone = sql.among(row.seq, lambda chosen: found.where(chosen, undone))
        ended = update(inbox).values(
            done=bindparam("done_"), todo=null(), body=null(), notes=null()
        )
        self._end = sql.among(row.seq, ended.where, "done_")

    def accept(self, cursor: Cursor, rows: Sequence[InboxRow]) -> list[int | None]:
        """Stores causes and answers their numbers; None for one that was there before."""
        return self._insert(
            cursor,
            [
                (row.source, row.ext, row.part, row.conv, row.kind, row.body, row.at, 0, row.part)
                for row in rows
            ],
        )

    def announce(self, cursor: Cursor, parts: Collection[int]) -> None:
        """Tells whoever owns these partitions of causes that are new, when this is committed."""
        if parts and self._sql.notify is not None:
            cursor.execute(self._sql.notify, (",".join(map(str, sorted(parts))),))

    def pending(
        self, cursor: Cursor, fence: Fence, skip: Collection[int], limit: int
    ) -> list[PendingRow]:
        """Undone rows, their tries raised."""
        held = self._partitions.held(cursor, fence)
        chosen = self._choose(cursor, held.parts, skip, limit)
        if not chosen:
            return []
        seqs = self._sql.listed(chosen)
        cursor.execute(self._take, (seqs,))
        return [_pending(row) for row in cursor.execute(self._rows, (seqs,)).fetchall()]

    def note(self, cursor: Cursor, fence: Fence, seq: int, notes: str) -> Outcome:
        """Replaces the notes of an undone cause."""
        found = cursor.execute(self._part, (seq,)).fetchall()
        if not found:
            return Outcome.GONE
        ((part,),) = found
        if part not in self._partitions.held_among(cursor, fence, [part]).parts:
            return Outcome.FENCED
        cursor.execute(self._note, (notes, seq))
        return Outcome.DONE if cursor.rowcount else Outcome.GONE

    def undone(self, cursor: Cursor, seqs: Collection[int]) -> set[int]:
        """Which of the causes are there and not done."""
        found = self._undone(cursor, seqs).fetchall()
        return {seq for (seq,) in found}

    def end(self, cursor: Cursor, seqs: Collection[int], now: int) -> None:
        """Marks causes as done and empties them."""
        self._end(cursor, seqs, now)

    def _choose(
        self, cursor: Cursor, parts: Collection[int], skip: Collection[int], limit: int
    ) -> list[int]:
        """The rows of the next page.

        Normally out of the oldest few pages. Only where one conversation fills all of those,
        everything undone is looked through.
        """
        listed = (self._sql.listed(parts), self._sql.listed(skip))
        found = cursor.execute(self._page, (*listed, limit * WINDOW, limit)).fetchall()
        crowded = len(found) == limit and len({group for _, group in found}) == 1
        if crowded and limit > 1:
            everything = self._sql.everything
            found = cursor.execute(self._page, (*listed, everything, limit)).fetchall()
        return [seq for seq, _ in found]


def _page(sql: Dialect) -> Select[int, str]:
    """One row of each conversation before the second of any, out of the ``window`` oldest."""
    row = inbox.c
    undone = (
        select(row.seq, func.coalesce(row.conv, cast(row.seq, String)).label("conv"))
        .where(sql.any_of(row.todo, "parts"), ~sql.any_of(row.seq, "skip"))
        .order_by(row.seq)
    )
    oldest = sql.limited(undone, "window").subquery()
    place = func.row_number().over(partition_by=oldest.c.conv, order_by=oldest.c.seq)
    ranked = select(oldest.c.seq, oldest.c.conv, place.label("place")).subquery()
    shared = select(ranked.c.seq, ranked.c.conv).order_by(ranked.c.place, ranked.c.seq)
    return sql.limited(shared, "limit")


def _pending(
    row: tuple[int, str, str, int, str | None, str, str, str | None, int, int],
) -> PendingRow:
    seq, source, ext, part, conv, kind, body, notes, at, tries = row
    return PendingRow(
        seq=seq,
        source=source,
        ext=ext,
        part=part,
        conv=conv,
        kind=kind,
        body=body,
        notes=notes,
        at=at,
        tries=tries,
    )
