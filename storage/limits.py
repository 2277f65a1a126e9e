"""What a row may hold, the same in every backend: a row that one of them takes, all take.

The checks raise ValueError or TypeError with the reason; the callers turn it into BadRow with
the place of the row. They run on the hot path: a row is looked at with few calls, and its names
one by one only where all of them together are longer than one may be, or are not plain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from flows.conversation import PARTITIONS
from flows.errors import BadRow
from flows.ports import (
    AuditRow,
    DeadLetter,
    InboxRow,
    InstanceRow,
    LineRow,
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

LATEST = (1 << 53) - 2
"""The latest time of a line, in milliseconds: in Redis it is also a floating-point number."""

_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1

Row = TypeVar("Row")


def check_rows(rows: Sequence[Row], check: Callable[[Row], None]) -> None:
    """Raises BadRow with the place of the first row that ``check`` refuses."""
    index = 0
    try:
        for index, row in enumerate(rows):  # noqa: B007 -- for the error
            check(row)
    except (TypeError, ValueError) as error:
        raise BadRow(index, str(error)) from error


def refuse(index: int, row: Row, check: Callable[[Row], None]) -> None:
    """Raises BadRow with ``index`` when ``check`` refuses the row."""
    try:
        check(row)
    except (TypeError, ValueError) as error:
        raise BadRow(index, str(error)) from error


def check_inbox(row: InboxRow) -> None:
    """A cause that is accepted."""
    joined = f"{row.source}{row.ext}{row.conv}{row.kind}"
    if len(joined) > NAME_CHARS or not joined.isascii() or "\0" in joined:
        _names(row.source, row.ext, row.conv or "", row.kind)
    if type(row.part) is not int or not 0 <= row.part < PARTITIONS:
        raise _no_partition(row.part)
    if type(row.at) is not int or not _LOWEST <= row.at <= _HIGHEST:
        raise _no_number(row.at)
    if len(row.body) > BODY_BYTES or not row.body.isascii() or "\0" in row.body:
        check_text("body", row.body, BODY_BYTES)


def check_notes(notes: str) -> None:
    """The notes of a cause."""
    check_text("notes", notes, BODY_BYTES)


def check_turn(turn: TurnCommit) -> None:
    """Everything that one turn writes."""
    if type(turn.part) is not int or not 0 <= turn.part < PARTITIONS:
        raise _no_partition(turn.part)
    if type(turn.cause) is not int or not _LOWEST <= turn.cause <= _HIGHEST:
        raise _no_number(turn.cause)
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
    joined = f"{result.conv}{result.slot}"
    if len(joined) > NAME_CHARS or not joined.isascii() or "\0" in joined:
        _names(result.conv, result.slot or "")
    if not (type(result.turn) is int and type(result.n) is int and type(result.due) is int):
        _numbers(result.turn, result.n, result.due)
    if not (_LOWEST <= result.turn <= _HIGHEST and _LOWEST <= result.n <= _HIGHEST):
        _numbers(result.turn, result.n)
    if not _LOWEST <= result.due <= _HIGHEST:
        raise _no_number(result.due)
    if result.ref:
        check_text("reference", result.ref, BODY_BYTES)
    if result.error:
        check_text("error", result.error, BODY_BYTES)
    if result.inform is not None:
        check_inbox(result.inform)


def check_audit(row: AuditRow) -> None:
    """What an operator did."""
    _names(row.who, row.what, row.target, row.conv or "")
    check_text("detail", row.detail, BODY_BYTES)
    _numbers(row.at)


def check_line(row: LineRow) -> None:
    """A line of a record."""
    _names(row.conv, row.track, row.name)
    _numbers(row.at)
    if not 0 <= row.at <= LATEST:
        raise ValueError(f"the time {row.at} is not between 0 and {LATEST}")
    check_text("body", row.body, BODY_BYTES)


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
    joined = f"{scope.key}{scope.person}"
    if len(joined) > NAME_CHARS or not joined.isascii() or "\0" in joined:
        _names(scope.key, scope.person or "")
    if type(scope.part) is not int or not 0 <= scope.part < PARTITIONS:
        raise _no_partition(scope.part)
    version = scope.version
    if version is not None and (type(version) is not int or not _LOWEST <= version <= _HIGHEST):
        raise _no_number(version)
    state = scope.state
    if state is not None and (len(state) > STATE_BYTES or not state.isascii() or "\0" in state):
        check_text("state", state, STATE_BYTES)


def _instance(row: InstanceRow) -> None:
    joined = f"{row.conv}{row.id}{row.flow}{row.step}{row.status}"
    if len(joined) > NAME_CHARS or not joined.isascii() or "\0" in joined:
        _names(row.conv, row.id, row.flow, row.step, row.status)
    if not (type(row.flow_version) is int and type(row.updated) is int):
        _numbers(row.flow_version, row.updated)
    if not (_LOWEST <= row.flow_version <= _HIGHEST and _LOWEST <= row.updated <= _HIGHEST):
        _numbers(row.flow_version, row.updated)
    if row.ended is not None:
        _numbers(row.ended)
    if row.result:
        check_text("result", row.result, STATE_BYTES)


def _timer(row: TimerRow | TimerDrop) -> None:
    match row:
        case TimerDrop():
            _names(row.conv, row.name)
        case TimerRow():
            _names(row.conv, row.name, row.source, row.kind)
            if type(row.part) is not int or not 0 <= row.part < PARTITIONS:
                raise _no_partition(row.part)
            _numbers(row.due, row.generation)
            check_text("body", row.body, BODY_BYTES)


def _outbox(row: OutboxRow) -> None:
    joined = f"{row.conv}{row.chat}{row.slot}"
    if len(joined) > NAME_CHARS or not joined.isascii() or "\0" in joined:
        _names(row.conv, row.chat, row.slot or "")
    if type(row.part) is not int or not 0 <= row.part < PARTITIONS:
        raise _no_partition(row.part)
    if not (type(row.turn) is int and type(row.n) is int):
        _numbers(row.turn, row.n)
    if not (_LOWEST <= row.turn <= _HIGHEST and _LOWEST <= row.n <= _HIGHEST):
        _numbers(row.turn, row.n)
    if len(row.body) > BODY_BYTES or not row.body.isascii() or "\0" in row.body:
        check_text("body", row.body, BODY_BYTES)


def _transition(row: TransitionRow) -> None:
    joined = f"{row.conv}{row.instance}{row.flow}{row.source}{row.target}"
    if len(joined) > NAME_CHARS or not joined.isascii() or "\0" in joined:
        _names(row.conv, row.instance, row.flow, row.source or "", row.target or "")
    if not (type(row.turn) is int and type(row.n) is int and type(row.at) is int):
        _numbers(row.turn, row.n, row.at)
    if not (_LOWEST <= row.turn <= _HIGHEST and _LOWEST <= row.n <= _HIGHEST):
        _numbers(row.turn, row.n)
    if not _LOWEST <= row.at <= _HIGHEST:
        raise _no_number(row.at)
    if len(row.cause) > BODY_BYTES or not row.cause.isascii() or "\0" in row.cause:
        check_text("cause", row.cause, BODY_BYTES)


def _dead_letter(row: DeadLetter) -> None:
    if row.origin != "inbox":
        raise ValueError(f"a turn gives up its cause: origin is 'inbox', not {row.origin!r}")
    _names(row.conv or "")
    _numbers(row.tries, row.at)
    check_text("body", row.body, BODY_BYTES)
    check_text("error", row.error, BODY_BYTES)


def _names(*names: str) -> None:
    for name in names:
        check_text("name", name, NAME_CHARS * 4)
        if len(name) > NAME_CHARS:
            raise ValueError(
                f"the name {name[:40]!r}... has {len(name)} characters, {NAME_CHARS} is the most"
            )


def _numbers(*numbers: int) -> None:
    for number in numbers:
        if type(number) is not int or not _LOWEST <= number <= _HIGHEST:
            raise _no_number(number)


def _no_number(number: object) -> TypeError | ValueError:
    if type(number) is not int:
        return TypeError(f"{number!r} is no whole number")
    return ValueError(f"the number {number} does not fit into 64 bits")


def _no_partition(part: object) -> ValueError:
    return ValueError(f"there is no partition {part!r}: they are 0 to {PARTITIONS - 1}")
