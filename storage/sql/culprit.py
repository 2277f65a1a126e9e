"""Of many rows one cannot be stored: which?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from flows.errors import BadRow
from storage.sql.database import Hot
from storage.sql.dialects import Cursor, Refused
from storage.sql.failures import DATA_ERRORS

Row = TypeVar("Row")
Answer = TypeVar("Answer")

Store = Callable[[Cursor, Sequence[Row]], Answer]

REFUSALS = (Refused, *DATA_ERRORS)


class _Undone(Exception):
    """Rolls a trial back that went well."""


async def each_stored(
    hot: Hot, store: Store[Row, Answer], rows: Sequence[Row], *, marks: int = 0
) -> Answer:
    """Stores all rows in one transaction.

    Args:
        marks: as for ``Hot.write``.

    Raises:
        BadRow: the first one that cannot be stored beside those before it.
    """
    try:
        return await hot.write(lambda cursor: store(cursor, rows), marks=marks)
    except REFUSALS as error:
        raise await _culprit(hot, store, rows, error) from error


async def _culprit(
    hot: Hot, store: Store[Row, Answer], rows: Sequence[Row], error: Exception
) -> BadRow:
    """By halves: so many from the beginning can be stored, and so many cannot."""
    good, bad = 0, len(rows)
    while bad - good > 1:
        middle = (good + bad) // 2
        refusal = await _trial(hot, store, rows[:middle])
        if refusal is None:
            good = middle
        else:
            bad, error = middle, refusal
    return BadRow(good, str(error))


async def _trial(hot: Hot, store: Store[Row, Answer], rows: Sequence[Row]) -> Exception | None:
    """The refusal of these rows; None where they could be stored. Nothing is written."""

    def attempt(cursor: Cursor) -> None:
        store(cursor, rows)
        raise _Undone

    try:
        await hot.write(attempt)
    except REFUSALS as error:
        return error
    except _Undone:
        pass
    return None
