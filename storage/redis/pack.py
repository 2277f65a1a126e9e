"""Rows on their way to the scripts: texts only, since numbers in Lua are floating point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import orjson

from flows.ports import (
    AuditRow,
    DeadLetter,
    Fence,
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
from storage.redis.keys import ordered, part_name

Packed: TypeAlias = list[object]

_PARTS = tuple(part_name(part) for part in range(64))


def packed(value: object) -> bytes:
    """The value as JSON, which the scripts decode."""
    return orjson.dumps(value)


def maybe(text: str | None) -> str:
    """A text that may be absent; '' stands for that."""
    return "" if text is None else f"={text}"


def leases(fence: Fence, turns: Sequence[TurnCommit] | None = None) -> Mapping[str, str]:
    """What the fence says of its partitions, as they are stored; only those of the ``turns``."""
    epochs = fence.epochs
    parts = epochs if turns is None else {turn.part for turn in turns} & epochs.keys()
    return {_PARTS[part]: f"{epochs[part]}\0{fence.worker}" for part in parts}


def cause(row: InboxRow) -> Packed:
    """An inbox row."""
    conv = maybe(row.conv)
    return [part_name(row.part), conv, row.source, row.ext, row.kind, str(row.at), row.body]


def audited(row: AuditRow) -> str:
    """What an operator did, as it is stored."""
    conv = maybe(row.conv)
    return "\0".join((str(row.at), row.who, row.what, row.target, conv, row.detail))


def turn(row: TurnCommit) -> Packed:
    """All that a turn writes."""
    cause_ = ordered(row.cause)
    return [
        _PARTS[row.part],
        cause_,
        [_scope(scope) for scope in row.scopes],
        [_instance(instance) for instance in row.instances],
        [_timer(timer, row.cause, place) for place, timer in enumerate(row.timers)],
        [_message(message) for message in row.outbox],
        [_transition(transition) for transition in row.transitions],
        _letter(row.dead) if row.dead is not None else False,
    ]


def line(row: LineRow) -> Packed:
    """A line of a record."""
    return [row.conv, row.track, row.name, str(row.at), row.body]


def result(row: SendResult) -> Packed:
    """What became of a message."""
    has_reference = row.state == "sent" and row.slot is not None and row.ref is not None
    return [
        f"{row.conv}\0{row.turn}\0{row.n}",
        row.state,
        f"{row.conv}\0{row.slot}" if has_reference else "",
        row.ref or "",
        str(row.due),
        row.error,
        cause(row.inform) if row.inform is not None else False,
    ]


def _scope(row: ScopeWrite) -> Packed:
    version = "" if row.version is None else str(row.version)
    return [row.key, version, False if row.state is None else row.state, maybe(row.person)]


def _instance(row: InstanceRow) -> Packed:
    live = "1" if row.ended is None else "0"
    rest = orjson.dumps([row.flow_version, row.step, row.updated, row.ended]).decode()
    return [
        f"{row.conv}\0{row.id}",
        f"{row.flow}\0{row.status}\0{live}{ordered(row.updated)}",
        "" if row.ended is None else str(row.ended),
        f"{rest}\0{maybe(row.result)}",
    ]


def _timer(row: TimerRow | TimerDrop, cause_: int, place: int) -> Packed:
    name = f"{row.conv}\0{row.name}"
    if isinstance(row, TimerDrop):
        return [name, "", ""]
    number = f"timer:{cause_}.{place}"
    rest = (number, str(row.generation), row.source, row.kind, str(row.due), row.body)
    return [name, f"{_PARTS[row.part]}{ordered(row.due)}", "\0".join(rest)]


def _message(row: OutboxRow) -> Packed:
    return [
        *(_PARTS[row.part], row.chat, row.conv),
        *(str(row.turn), str(row.n), maybe(row.slot), row.body),
    ]


def _transition(row: TransitionRow) -> Packed:
    rest = orjson.dumps([row.source, row.target, row.cause, row.at]).decode()
    name = f"{ordered(row.turn)}{ordered(row.n)}{row.conv}"
    return [name, row.flow, row.instance, str(row.at), rest]


def _letter(row: DeadLetter) -> Packed:
    return [maybe(row.conv), row.origin, str(row.tries), str(row.at), row.error, row.body]
