"""How buttons are laid out in rows, by the width of their labels."""

from __future__ import annotations

from collections.abc import Iterable

ROW_CHARACTERS = 28
"""How many characters of labels go into one row of buttons, so that phones show them whole."""
ROW_BUTTONS = 4


def rows_by_width(labels: Iterable[str], columns: int | None = None) -> tuple[int, ...]:
    """How many buttons stand in each row; ``columns``: in all rows but the last."""
    rows: list[int] = []
    room = 0
    for label in labels:
        crowded = columns is None and len(label) > room
        if not rows or crowded or rows[-1] == (columns or ROW_BUTTONS):
            rows.append(0)
            room = ROW_CHARACTERS
        rows[-1] += 1
        room -= len(label)
    return tuple(rows)
