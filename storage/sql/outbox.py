"""Messages on their way out: in order per chat, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from sqlite3 import Cursor

from sqlalchemy import bindparam, func, literal_column, null, select, update

from flows.ports import Fence, Outcome, OutgoingRow, SendResult
from storage.clock import Milliseconds
from storage.sql.dead_letters import DeadLetters
from storage.sql.dialects import ONE, SqliteDialect
from storage.sql.inbox import Inbox
from storage.sql.partitions import Partitions
from storage.sql.tables import messages, outbox


class Outbox:
    """The outbox. A message is unsent while ``todo``, its partition, is set."""

    def __init__(
        self,
        sql: SqliteDialect,
        clock: Milliseconds,
        *,
        partitions: Partitions,
        inbox: Inbox,
        dead_letters: DeadLetters,
    ) -> None:
        self._sql = sql
        self._clock = clock
        self._partitions = partitions
        self._inbox = inbox
        self._dead_letters = dead_letters
        row = outbox.c
        heads = (
            select(func.min(row.seq)).where(sql.any_of(row.todo, "parts")).group_by(row.chat)
        ).scalar_subquery()
        self._heads = sql.compile(
            sql.limited(
                select(
                    *(row.seq, row.part, row.chat, row.conv, row.turn, row.n),
                    *(row.slot, row.body, row.tries, row.due),
                )
                .where(
                    row.seq.in_(heads),
                    row.due <= bindparam("now"),
                    ~sql.any_of(row.chat, "skip"),
                )
                .order_by(row.seq),
                "limit",
            ),
            *("parts", "now", "skip", "limit"),
        )
        self._find = sql.compile(
            select(row.seq, row.part, row.todo).where(
                row.conv == bindparam("conv_"),
                row.turn == bindparam("turn_"),
                row.n == bindparam("n_"),
            ),
            *("conv_", "turn_", "n_"),
        )
        self._end = sql.compile(
            update(outbox)
            .values(body=null(), state=bindparam("state_"), due=bindparam("now_"), todo=null())
            .where(row.seq == bindparam("seq_")),
            *("state_", "now_", "seq_"),
        )
        self._later = sql.compile(
            update(outbox)
            .values(state=literal_column("'later'"), tries=row.tries + ONE, due=bindparam("due_"))
            .where(row.seq == bindparam("seq_")),
            *("due_", "seq_"),
        )
        self._keep = sql.compile(
            sql.upsert(messages, values=("ref", "at")), "conv", "slot", "ref", "at"
        )
        self._refs = sql.compile(
            select(messages.c.slot, messages.c.ref).where(
                messages.c.conv == bindparam("conv_"), sql.any_of(messages.c.slot, "slots")
            ),
            *("conv_", "slots"),
        )

    def outgoing(
        self, cursor: Cursor, fence: Fence, skip: Collection[str], limit: int
    ) -> list[OutgoingRow]:
        """The oldest unsent message of each chat, if it is due."""
        parts = self._sql.listed(self._partitions.held(cursor, fence))
        values = (parts, self._clock(), self._sql.listed(skip), limit)
        return [_outgoing(row) for row in cursor.execute(self._heads, values).fetchall()]

    def sent(self, cursor: Cursor, fence: Fence, results: Sequence[SendResult]) -> list[Outcome]:
        """Records what became of messages."""
        held = set(self._partitions.held(cursor, fence))
        return [self._settle(cursor, result, held) for result in results]

    def refs(self, cursor: Cursor, conv: str, slots: Collection[str]) -> dict[str, str]:
        """The references of messages that were sent."""
        return dict(cursor.execute(self._refs, (conv, self._sql.listed(slots))).fetchall())

    def _settle(self, cursor: Cursor, result: SendResult, held: Collection[int]) -> Outcome:
        name = (result.conv, result.turn, result.n)
        found = cursor.execute(self._find, name).fetchall()
        if not found:
            return Outcome.GONE
        seq, part, todo = found[0]
        if part not in held:
            return Outcome.FENCED
        if todo is None:
            return Outcome.GONE
        match result.state:
            case "sent":
                self._arrived(cursor, seq, result)
            case "later":
                cursor.execute(self._later, (result.due, seq))
            case "dead":
                self._bury(cursor, seq, result)
        return Outcome.DONE

    def _arrived(self, cursor: Cursor, seq: int, result: SendResult) -> None:
        now = self._clock()
        cursor.execute(self._end, ("sent", now, seq))
        if result.slot is not None and result.ref is not None:
            cursor.execute(self._keep, (result.conv, result.slot, result.ref, now))

    def _bury(self, cursor: Cursor, seq: int, result: SendResult) -> None:
        now = self._clock()
        self._dead_letters.bury_message(cursor, seq, error=result.error, now=now)
        cursor.execute(self._end, ("dead", now, seq))
        if result.inform is not None:
            self._inbox.put(cursor, result.inform)


def _outgoing(
    row: tuple[int, int, str, str, int, int, str | None, str, int, int],
) -> OutgoingRow:
    seq, part, chat, conv, turn, n, slot, body, tries, due = row
    return OutgoingRow(
        seq=seq,
        part=part,
        chat=chat,
        conv=conv,
        turn=turn,
        n=n,
        slot=slot,
        body=body,
        tries=tries,
        due=due,
    )
