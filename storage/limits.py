"""What a row may hold, the same in every backend: a row that one of them takes, all take.

The checks raise ValueError or TypeError with the reason; the callers turn it into BadRow with
the place of the row. They run on the hot path: one joined text per row instead of a test per
column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from flows.conversation import PARTITIONS
from flows.errors import BadRow
from flows.ports import (
    DeadLetter,
    InboxRow,
    InstanceRow,
    OutboxRow,
    ScopeWrite,
    SendResult,
    TimerDrop,
    TimerRow,
    TransitionRow,
    TurnCommit,
)

NAME_CHARS = 191
"""The longest name or key, in characters: what every database can index."""

STATE_BYTES = 1 << 20
BODY_BYTES = 1 << 20

_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1

Row = TypeVar("Row")


def check_rows(rows: Sequence[Row], check: Callable[[Row], None]) -> None:
    """Raises BadRow with the place of the first row that ``check`` refuses."""
    for index, row in enumerate(rows):
        refuse(index, row, check)


def refuse(index: int, row: Row, check: Callable[[Row], None]) -> None:
    """Raises BadRow with ``index`` when ``check`` refuses the row."""
    try:
        check(row)
    except (TypeError, ValueError) as error:
        raise BadRow(index, str(error)) from error


def check_inbox(row: InboxRow) -> None:
    """A cause that is accepted."""
    _names(row.source, row.ext, row.conv or "", row.kind)
    _part(row.part)
    _numbers(row.at)
    check_text("body", row.body, BODY_BYTES)


def check_notes(notes: str) -> None:
    """The notes of a cause."""
    check_text("notes", notes, BODY_BYTES)


def check_turn(turn: TurnCommit) -> None:
    """Everything that one turn writes."""
    _part(turn.part)
    _numbers(turn.cause)
    for scope in turn.scopes:
        _scope(scope)
    for instance in turn.instances:
        _instance(instance)
    for timer in turn.timers:
        _timer(timer)
    for message in turn.outbox:
        _outbox(message)
    for transition in turn.transitions:
        _transition(transition)
    if turn.dead is not None:
        _dead_letter(turn.dead)


def check_result(result: SendResult) -> None:
    """What became of a message."""
    _names(result.conv, result.slot or "")
    _numbers(result.turn, result.n, result.due)
    check_text("reference", result.ref or "", BODY_BYTES)
    check_text("error", result.error, BODY_BYTES)
    if result.inform is not None:
        check_inbox(result.inform)


def check_text(what: str, text: str, limit: int) -> None:
    """A text of at most ``limit`` bytes of UTF-8, without NUL and without half characters."""
    if "\0" in text:
        raise ValueError(f"its {what} holds a NUL character")
    size = len(text)
    if not text.isascii():
        size = len(text.encode())
    if size > limit:
        raise ValueError(f"its {what} has {size} bytes, and {limit} is the most")


def _scope(scope: ScopeWrite) -> None:
    _names(scope.key, scope.person or "")
    _part(scope.part)
    if scope.version is not None:
        _numbers(scope.version)
    if scope.state is not None:
        check_text("state", scope.state, STATE_BYTES)


def _instance(row: InstanceRow) -> None:
    _names(row.conv, row.id, row.flow, row.step, row.status)
    _numbers(row.flow_version, row.updated, row.ended or 0)
    check_text("result", row.result or "", STATE_BYTES)


def _timer(row: TimerRow | TimerDrop) -> None:
    match row:
        case TimerDrop():
            _names(row.conv, row.name)
        case TimerRow():
            _names(row.conv, row.name, row.source, row.kind)
            _part(row.part)
            _numbers(row.due, row.generation)
            check_text("body", row.body, BODY_BYTES)


def _outbox(row: OutboxRow) -> None:
    _names(row.conv, row.chat, row.slot or "")
    _part(row.part)
    _numbers(row.turn, row.n)
    check_text("body", row.body, BODY_BYTES)


def _transition(row: TransitionRow) -> None:
    _names(row.conv, row.instance, row.flow, row.source or "", row.target or "")
    _numbers(row.turn, row.n, row.at)
    check_text("cause", row.cause, BODY_BYTES)


def _dead_letter(row: DeadLetter) -> None:
    if row.origin != "inbox":
        raise ValueError(f"a turn gives up its cause: origin is 'inbox', not {row.origin!r}")
    _names(row.conv or "")
    _numbers(row.tries, row.at)
    check_text("body", row.body, BODY_BYTES)
    check_text("error", row.error, BODY_BYTES)


def _names(*names: str) -> None:
    joined = "".join(names)
    # Most rows pass here: their names together are shorter than one may be.
    if len(joined) <= NAME_CHARS and joined.isascii() and "\0" not in joined:
        return
    for name in names:
        check_text("name", name, NAME_CHARS * 4)
        if len(name) > NAME_CHARS:
            raise ValueError(
                f"the name {name[:40]!r}... has {len(name)} characters, {NAME_CHARS} is the most"
            )


def _numbers(*numbers: int) -> None:
    for number in numbers:
        if type(number) is not int:
            raise TypeError(f"{number!r} is no whole number")
        if not _LOWEST <= number <= _HIGHEST:
            raise ValueError(f"the number {number} does not fit into 64 bits")


def _part(part: int) -> None:
    if type(part) is not int or not 0 <= part < PARTITIONS:
        raise ValueError(f"there is no partition {part!r}: they are 0 to {PARTITIONS - 1}")
