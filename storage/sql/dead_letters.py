"""What was given up, kept with the reason and with what it takes to put it back."""

from __future__ import annotations

from sqlite3 import Cursor

from sqlalchemy import ColumnElement, bindparam, insert, literal_column, select

from flows.ports import DeadLetter
from storage.sql.dialects import ONE, SqliteDialect
from storage.sql.tables import dead_letters, inbox, outbox

LETTER = ("conv", "origin", "body", "error", "tries", "at")


class DeadLetters:
    """The table of dead letters. Each takes its place from the row that it was."""

    def __init__(self, sql: SqliteDialect) -> None:
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

    def bury_cause(self, cursor: Cursor, seq: int, letter: DeadLetter) -> None:
        """Keeps a cause as a dead letter."""
        values = (letter.conv, letter.origin, letter.body, letter.error, letter.tries, letter.at)
        cursor.execute(self._cause, (*values, seq))

    def bury_message(self, cursor: Cursor, seq: int, *, error: str, now: int) -> None:
        """Keeps a message that will never arrive, before it is emptied."""
        cursor.execute(self._message, (error, now, seq))


def _given(name: str) -> ColumnElement[object]:
    return bindparam(f"{name}_", type_=dead_letters.c[name].type).label(name)
