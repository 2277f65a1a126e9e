"""What lies in the queues: a row of the outbox and, where it was made here, what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from flows.messages.replies import Send
from flows.ports import InboxRow, OutboxRow, OutgoingRow, SendResult
from flows.turns.effects import Emission

Row = OutboxRow | OutgoingRow

Letter = tuple[Row, Send | None]
"""A message on its way. Where the second is None, it has to be read out of the row's body."""


def letters(rows: Sequence[OutboxRow], emissions: Sequence[Emission]) -> Iterable[Letter]:
    """The messages of a turn that was just committed, with what they say where that is known.

    Args:
        emissions: what the rows were made of, one each; else they tell nothing.
    """
    if len(emissions) != len(rows):
        return [(row, None) for row in rows]
    return [(row, emission.send) for row, emission in zip(rows, emissions, strict=True)]


def result(
    row: Row,
    state: Literal["later", "dead"],
    error: str,
    *,
    due: int = 0,
    inform: InboxRow | None = None,
) -> SendResult:
    """What became of a message that has not arrived."""
    return SendResult(
        conv=row.conv, turn=row.turn, n=row.n, state=state, due=due, error=error, inform=inform
    )
