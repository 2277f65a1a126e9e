"""What was given up, kept with the reason and with what it takes to put it back."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, bindparam, insert, literal_column, select

from flows.ports import DeadLetter
from storage.sql.dialects import ONE, Cursor, Dialect
from storage.sql.tables import dead_letters, inbox, outbox

LETTER = ("conv", "origin", "body", "error", "tries", "at")


class DeadLetters:
    """The table of dead letters. Each takes its place from the row that it was.

    They are few, and each is a statement of its own.
    """

    def __init__(self, sql: Dialect) -> None:
        self._cause = sql.compile(
            insert(dead_letters).from_select(
                [*LETTER, "part", "source", "ext", "kind"],
                select(
                    *(_given(name) for name in LETTER),
                    *(inbox.c.part, inbox.c.source, inbox.c.ext, inbox.c.kind),
                ).where(inbox.c.seq == bindparam("seq_")),
            ),
            *(f"{name}_" for name in LETTER),
            "seq_",
        )
        message = outbox.c
        self._message = sql.compile(
            insert(dead_letters).from_select(
                [*LETTER, "part", "chat", "turn", "n", "slot"],
                select(
                    *(message.conv, literal_column("'outbox'").label("origin"), message.body),
                    *(_given("error"), message.tries + ONE, _given("at")),
                    *(message.part, message.chat, message.turn, message.n, message.slot),
                ).where(message.seq == bindparam("seq_")),
            ),
            *("error_", "at_", "seq_"),
        )

    def bury_causes(self, cursor: Cursor, letters: Iterable[tuple[int, DeadLetter]]) -> None:
        """Keeps causes, given by number, as dead letters."""
        for seq, row in letters:
            values = (row.conv, row.origin, row.body, row.error, row.tries, row.at)
            cursor.execute(self._cause, (*values, seq))

    def bury_messages(self, cursor: Cursor, errors: Iterable[tuple[int, str]], now: int) -> None:
        """Keeps messages that will never arrive, given by number, before they are emptied."""
        for seq, error in errors:
            cursor.execute(self._message, (error, now, seq))


def _given(name: str) -> ColumnElement[object]:
    return bindparam(f"{name}_", type_=dead_letters.c[name].type).label(name)
