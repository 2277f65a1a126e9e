"""Rows whose texts are sealed on the way in, and opened on the way out.

Sealed is what people have said and what was said to them. Plain stay what the storage has to
find rows by: keys of conversations, ids, steps, times.

The rows are built whole and not copied with changes: that would cost more than the encryption.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flows.ports import (
    DeadLetter,
    InboxRow,
    InstanceRow,
    Line,
    LineRow,
    OutboxRow,
    OutgoingRow,
    PendingRow,
    ScopeWrite,
    SendResult,
    TimerDrop,
    TimerRow,
    TurnCommit,
)
from storage.crypto.keys import CannotOpen, Keyring

NOBODY = "-"
"""The place of texts that belong to no conversation."""

_log = logging.getLogger("handrail.storage")


class Rows:
    """Seals and opens rows.

    Args:
        state_bytes, body_bytes: the most that a text may have before it is sealed.
    """

    def __init__(self, keys: Keyring, *, state_bytes: int, body_bytes: int) -> None:
        self._keys = keys
        self._state_bytes = state_bytes
        self._body_bytes = body_bytes

    # --- in: ValueError says why a text cannot be stored --------------------------------

    def inbox(self, row: InboxRow) -> InboxRow:
        return InboxRow(
            source=row.source,
            ext=row.ext,
            part=row.part,
            conv=row.conv,
            kind=row.kind,
            body=self._body(row.body, row.conv),
            at=row.at,
        )

    def notes(self, seq: int, notes: str) -> str:
        return self._sealed("notes", notes, _note(seq), self._body_bytes)

    def turn(self, turn: TurnCommit) -> TurnCommit:
        return TurnCommit(
            cause=turn.cause,
            part=turn.part,
            scopes=[self._scope(row) for row in turn.scopes],
            instances=[self._instance(row) for row in turn.instances],
            timers=[self._timer(row) for row in turn.timers],
            outbox=[self._outbox(row) for row in turn.outbox],
            transitions=turn.transitions,
            dead=self._dead(turn.dead) if turn.dead is not None else None,
        )

    def result(self, result: SendResult) -> SendResult:
        return SendResult(
            conv=result.conv,
            turn=result.turn,
            n=result.n,
            state=result.state,
            slot=result.slot,
            ref=self._sealed("reference", result.ref, result.conv, self._body_bytes)
            if result.ref is not None
            else None,
            due=result.due,
            error=self._sealed("error", result.error, result.conv, self._body_bytes),
            inform=self.inbox(result.inform) if result.inform is not None else None,
        )

    def line(self, row: LineRow) -> LineRow:
        return replace(row, body=self._body(row.body, row.conv))

    def _scope(self, row: ScopeWrite) -> ScopeWrite:
        if row.state is None:
            return row
        return ScopeWrite(
            key=row.key,
            part=row.part,
            version=row.version,
            state=self._sealed("state", row.state, row.key, self._state_bytes),
            person=row.person,
        )

    def _instance(self, row: InstanceRow) -> InstanceRow:
        if row.result is None:
            return row
        result = self._sealed("result", row.result, row.conv, self._state_bytes)
        return replace(row, result=result)

    def _timer(self, row: TimerRow | TimerDrop) -> TimerRow | TimerDrop:
        if isinstance(row, TimerDrop):
            return row
        return replace(row, body=self._body(row.body, row.conv))

    def _outbox(self, row: OutboxRow) -> OutboxRow:
        return OutboxRow(
            part=row.part,
            chat=row.chat,
            conv=row.conv,
            turn=row.turn,
            n=row.n,
            slot=row.slot,
            body=self._body(row.body, row.conv),
        )

    def _dead(self, letter: DeadLetter) -> DeadLetter:
        error = self._sealed("error", letter.error, letter.conv or NOBODY, self._body_bytes)
        return replace(letter, body=self._body(letter.body, letter.conv), error=error)

    def _body(self, text: str, conv: str | None) -> str:
        return self._sealed("body", text, NOBODY if conv is None else conv, self._body_bytes)

    def _sealed(self, what: str, text: str, place: str, most: int) -> str:
        if "\0" in text:
            raise ValueError(f"its {what} holds a NUL character")
        size = len(text) if text.isascii() else len(text.encode())
        if size > most:
            raise ValueError(f"its {what} has {size} bytes, and {most} is the most")
        return self._keys.seal(text, place)

    # --- out: what cannot be opened is handed out as it is, and comes back as it is ------

    def state(self, key: str, state: str) -> str:
        """Raises CannotOpen."""
        return self._keys.open(state, key)

    def pending(self, row: PendingRow) -> PendingRow:
        return PendingRow(
            seq=row.seq,
            source=row.source,
            ext=row.ext,
            part=row.part,
            conv=row.conv,
            kind=row.kind,
            body=self._opened(row.body, row.conv, "update", row.seq),
            notes=self._opened_notes(row.notes, row.seq),
            at=row.at,
            tries=row.tries,
        )

    def outgoing(self, row: OutgoingRow) -> OutgoingRow:
        return replace(row, body=self._opened(row.body, row.conv, "message", row.seq))

    def reference(self, conv: str, ref: str) -> str:
        return self._opened(ref, conv, "the reference of a message of", conv)

    def recorded(self, conv: str, line: Line) -> Line:
        return replace(line, body=self._opened(line.body, conv, "line", line.n))

    def listed(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """A row of a listing, whichever it is."""
        shown = dict(row)
        for name in ("body", "result", "error"):
            if (text := row.get(name)) is not None:
                shown[name] = self._opened(text, row["conv"], name, row.get("seq", row.get("id")))
        if row.get("notes") is not None:
            shown["notes"] = self._opened_notes(row["notes"], row["seq"])
        return shown

    def _opened_notes(self, notes: str | None, seq: int) -> str | None:
        if notes is None:
            return None
        return self._try(notes, _note(seq), "notes", seq)

    def _opened(self, text: str, conv: str | None, what: str, which: object) -> str:
        return self._try(text, NOBODY if conv is None else conv, what, which)

    def _try(self, text: str, place: str, what: str, which: object) -> str:
        try:
            return self._keys.open(text, place)
        except CannotOpen as error:
            _log.error("%s %s cannot be read: %s", what, which, error)
            return text


def _note(seq: int) -> str:
    return f"note {seq}"
