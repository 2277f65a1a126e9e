"""Messages on their way out: in order per chat, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, func, literal_column, null, select, update

from flows.ports import Fence, Outcome, OutgoingRow, SendResult
from storage.sql.dead_letters import DeadLetters
from storage.sql.dialects import ONE, Cursor, Dialect
from storage.sql.inbox import Inbox
from storage.sql.partitions import Partitions
from storage.sql.tables import messages, outbox

Settled = Sequence[tuple[int, SendResult]]
"""Messages by number, and what became of them."""


class Outbox:
    """The outbox. A message is unsent while ``todo``, its partition, is set."""

    def __init__(
        self, sql: Dialect, *, partitions: Partitions, inbox: Inbox, dead_letters: DeadLetters
    ) -> None:
        self._sql = sql
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
        self._find = sql.finds(outbox, "seq", "part", "todo", key=("turn", "n", "conv"))
        self._end = sql.updates(
            outbox, "state", "due", key=("seq",), also={"body": null(), "todo": null()}
        )
        self._arrived = sql.compile(
            update(outbox)
            .values(state=literal_column("'sent'"), due=bindparam("due_"), body=null(), todo=null())
            .where(
                row.turn == bindparam("turn_"),
                row.n == bindparam("n_"),
                row.conv == bindparam("conv_"),
                row.todo.is_not(None),
            ),
            *("due_", "turn_", "n_", "conv_"),
        )
        self._later = sql.updates(
            outbox,
            "due",
            key=("seq",),
            also={"state": literal_column("'later'"), "tries": row.tries + ONE},
        )
        self._keep = sql.upserts(messages, "conv", "slot", "ref", "at")
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
        held = self._partitions.look(cursor, fence)
        values = (self._sql.listed(held.parts), held.now, self._sql.listed(skip), limit)
        return [_outgoing(row) for row in cursor.execute(self._heads, values).fetchall()]

    def sent(self, cursor: Cursor, fence: Fence, results: Sequence[SendResult]) -> list[Outcome]:
        """Records what became of messages."""
        everything = self._partitions.holds_everything(cursor, fence)
        if everything is not None and all(result.state == "sent" for result in results):
            return self._arrive(cursor, results, everything.now)
        held = everything or self._partitions.held(cursor, fence)
        found = self._find(cursor, [(result.turn, result.n, result.conv) for result in results])
        rows = {(turn, n, conv): place for turn, n, conv, *place in found}
        outcomes, settled = [], []
        for result in results:
            seq, part, todo = rows.get((result.turn, result.n, result.conv), (0, None, None))
            outcomes.append(_outcome(part, todo, held.parts))
            if outcomes[-1] is Outcome.DONE:
                settled.append((seq, result))
                # It is told only once, also within a page.
                rows[result.turn, result.n, result.conv] = [seq, part, None]
        self._settle(cursor, settled, held.now)
        return outcomes

    def refs(self, cursor: Cursor, conv: str, slots: Collection[str]) -> dict[str, str]:
        """The references of messages that were sent."""
        found = cursor.execute(self._refs, (conv, self._sql.listed(slots))).fetchall()
        return {slot: ref for slot, ref in found}  # noqa: C416 -- rows are not always tuples

    def _arrive(self, cursor: Cursor, results: Sequence[SendResult], now: int) -> list[Outcome]:
        """What usually is to be recorded: nothing is fenced, and everything has arrived.

        One statement a message, which a server would be asked too often.
        """
        outcomes, done = [], []
        for result in results:
            cursor.execute(self._arrived, (now, result.turn, result.n, result.conv))
            if cursor.rowcount:
                outcomes.append(Outcome.DONE)
                done.append(result)
            else:
                outcomes.append(Outcome.GONE)
        self._remember(cursor, done, now)
        return outcomes

    def _settle(self, cursor: Cursor, settled: Settled, now: int) -> None:
        dead = [(seq, result) for seq, result in settled if result.state == "dead"]
        self._dead_letters.bury_messages(cursor, [(seq, result.error) for seq, result in dead], now)
        ended = [(result.state, now, seq) for seq, result in settled if result.state != "later"]
        self._end(cursor, ended)
        later = [(result.due, seq) for seq, result in settled if result.state == "later"]
        self._later(cursor, later)
        self._remember(cursor, [result for _, result in settled if result.state == "sent"], now)
        self._inbox.accept(
            cursor, [result.inform for _, result in dead if result.inform is not None]
        )

    def _remember(self, cursor: Cursor, sent: Sequence[SendResult], now: int) -> None:
        """Keeps the references of messages that later turns may edit."""
        self._keep(
            cursor,
            [
                (result.conv, result.slot, result.ref, now)
                for result in sent
                if result.slot is not None and result.ref is not None
            ],
        )


def _outcome(part: int | None, todo: int | None, held: Collection[int]) -> Outcome:
    if part is None:
        return Outcome.GONE
    if part not in held:
        return Outcome.FENCED
    return Outcome.GONE if todo is None else Outcome.DONE


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
