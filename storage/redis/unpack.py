"""What the scripts answer, as the rows of the port and of the listings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import orjson

from flows.errors import CorruptState
from flows.ports import Committed, Line, Outcome, OutgoingRow, PendingRow, Snapshot
from storage.listings import LISTINGS
from storage.redis.keys import number_of

Value = bytes | None
Row = Mapping[str, object]

_OUTCOMES: Final = {
    "d": Outcome.DONE,
    "c": Outcome.CONFLICT,
    "g": Outcome.GONE,
    "f": Outcome.FENCED,
}


def text(value: bytes) -> str:
    """A stored text."""
    return value.decode()


def maybe(value: str) -> str | None:
    """What ``pack.maybe`` has written."""
    return value[1:] if value else None


def rows(flat: Sequence[Value], width: int) -> Iterator[Sequence[Value]]:
    """The rows of a flat answer."""
    for start in range(0, len(flat), width):
        yield flat[start : start + width]


def committed(answer: str) -> list[Committed]:
    """How the turns of a batch ended."""
    return [_committed(one) for one in answer.split(";")]


def outcomes(answer: str) -> list[Outcome]:
    """How results were taken, one letter each."""
    return [_OUTCOMES[letter] for letter in answer]


def snapshot(key: str, value: bytes) -> Snapshot:
    """A scope. Raises CorruptState when it cannot be read."""
    try:
        version, cause, _, state = value.decode().split("\0")
        orjson.loads(state)
        return Snapshot(int(version), number_of(cause), state)
    except ValueError as error:
        raise CorruptState(key, str(error)) from error


def line(row: Sequence[Value]) -> Line:
    """A line of a record: its place and its value."""
    place, value = row
    name, at, body = _fields(value)
    return Line(number_of(place or b""), name, body, int(at))


def pending(row: Sequence[Value]) -> PendingRow:
    """An undone cause: number, row, notes, tries."""
    seq, value, notes, tries = row
    part, conv, source, ext, kind, at, body = _fields(value)
    return PendingRow(
        seq=number_of(seq or b""),
        source=source,
        ext=ext,
        part=int(part, 16),
        conv=maybe(conv),
        kind=kind,
        body=body,
        notes=None if notes is None else text(notes),
        at=int(at),
        tries=int(tries or 0),
    )


def outgoing(row: Sequence[Value]) -> OutgoingRow:
    """An unsent message: number, row, mark."""
    seq, value, mark = row
    part, chat, conv, turn, n, slot, body = _fields(value)
    _, tries, due = _mark(mark)
    return OutgoingRow(
        seq=number_of(seq or b""),
        part=int(part, 16),
        chat=chat,
        conv=conv,
        turn=int(turn),
        n=int(n),
        slot=maybe(slot),
        body=body,
        tries=tries,
        due=due,
    )


def listed(what: str, flat: Sequence[Value]) -> list[Row]:
    """The rows of a listing, with the columns that it shows."""
    width, read = _LISTED[what]
    columns = LISTINGS[what].columns
    return [{column: found[column] for column in columns} for found in map(read, rows(flat, width))]


def standing(value: bytes) -> tuple[str, str, str]:
    """The flow, step and status of an instance."""
    flow, status, _, rest, _ = _fields(value)
    return flow, orjson.loads(rest)[1], status


def _committed(one: str) -> Committed:
    versions = one[1:]
    return Committed(_OUTCOMES[one[0]], tuple(map(int, versions.split(","))) if versions else ())


def _fields(value: Value) -> list[str]:
    return (value or b"").decode().split("\0")


def _mark(mark: Value) -> tuple[str, int, int]:
    if mark is None:
        return "new", 0, 0
    tries, due = mark.split(b"\0")
    return "later", int(tries), int(due)


def _instance(row: Sequence[Value]) -> Row:
    conv, name = _fields(row[0])
    flow, status, _, rest, result = _fields(row[1])
    flow_version, step, updated, ended = orjson.loads(rest)
    return {
        "conv": conv,
        "id": name,
        "flow": flow,
        "flow_version": flow_version,
        "step": step,
        "status": status,
        "result": maybe(result),
        "updated": updated,
        "ended": ended,
    }


def _transition(row: Sequence[Value]) -> Row:
    name = text(row[0] or b"")
    flow, instance, _, rest = _fields(row[1])
    source, target, cause, at = orjson.loads(rest)
    return {
        "conv": name[32:],
        "turn": number_of(name[:16]),
        "n": number_of(name[16:32]),
        "instance": instance,
        "flow": flow,
        "source": source,
        "target": target,
        "cause": cause,
        "at": at,
    }


def _letter(row: Sequence[Value]) -> Row:
    conv, origin, tries, at, error, body, part, *_ = _fields(row[1])
    return {
        "id": number_of(row[0] or b""),
        "part": int(part, 16),
        "conv": maybe(conv),
        "origin": origin,
        "body": body,
        "error": error,
        "tries": int(tries),
        "at": int(at),
    }


def _audited(row: Sequence[Value]) -> Row:
    at, who, what, target, conv, detail = _fields(row[1])
    return {
        "id": number_of(row[0] or b""),
        "at": int(at),
        "who": who,
        "what": what,
        "target": target,
        "detail": detail,
        "conv": maybe(conv),
    }


def _cause(row: Sequence[Value]) -> Row:
    found = pending(row)
    return {column: getattr(found, column) for column in LISTINGS["inbox"].columns}


def _message(row: Sequence[Value]) -> Row:
    found = outgoing(row)
    columns = [column for column in LISTINGS["outbox"].columns if column != "state"]
    return {**{column: getattr(found, column) for column in columns}, "state": _mark(row[2])[0]}


def _timer(row: Sequence[Value]) -> Row:
    conv, name = _fields(row[0])
    place, _, generation, _, kind, due, body = _fields(row[1])
    return {
        "conv": conv,
        "name": name,
        "part": int(place[:2], 16),
        "due": int(due),
        "generation": int(generation),
        "kind": kind,
        "body": body,
    }


_LISTED: Final[Mapping[str, tuple[int, Callable[[Sequence[Value]], Row]]]] = {
    "instances": (2, _instance),
    "transitions": (2, _transition),
    "dead_letters": (2, _letter),
    "audit": (2, _audited),
    "inbox": (4, _cause),
    "outbox": (3, _message),
    "timers": (2, _timer),
}
