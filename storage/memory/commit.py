"""A batch of turns, written into the dictionaries: all that are DONE, or nothing at all."""

from __future__ import annotations

from collections.abc import Sequence

from flows.errors import BadRow
from flows.ports import (
    Committed,
    DeadLetter,
    Fence,
    InboxRow,
    OutboxRow,
    Outcome,
    Snapshot,
    TimerDrop,
    TimerRow,
    TurnCommit,
)
from storage.memory.database import Dead, MemoryDatabase, Message, Scope, Timer
from storage.outcomes import decide


def commit_turns(
    database: MemoryDatabase, fence: Fence, turns: Sequence[TurnCommit]
) -> list[Committed]:
    """The outcome of each turn, what is DONE being written. Raises BadRow, nothing written."""
    outcomes = decide(
        turns,
        held=database.held(fence, {turn.part for turn in turns}),
        undone=[turn.cause for turn in turns if turn.cause in database.undone],
        versions=_versions(database, turns),
        clock=database.versions,
        micros=database.clock() * 1000,
    )
    _check_names(database, turns, outcomes)
    now = database.clock()
    for turn, committed in zip(turns, outcomes, strict=True):
        if committed.outcome is Outcome.DONE:
            _write(database, turn, committed, now)
    return outcomes


def _versions(database: MemoryDatabase, turns: Sequence[TurnCommit]) -> dict[str, int]:
    """The versions of the scopes that are there."""
    versions: dict[str, int] = {}
    for turn in turns:
        for scope in turn.scopes:
            known = database.scopes.get(scope.key)
            if known is not None:
                versions[scope.key] = known.snapshot.version
    return versions


def _check_names(
    database: MemoryDatabase, turns: Sequence[TurnCommit], outcomes: Sequence[Committed]
) -> None:
    """Messages and log rows are written once: a second one of a name is a mistake."""
    messages: set[tuple[str, int, int]] = set()
    moves: set[tuple[str, int, int]] = set()
    for index, (turn, committed) in enumerate(zip(turns, outcomes, strict=True)):
        if committed.outcome is not Outcome.DONE:
            continue
        for message in turn.outbox:
            name = (message.conv, message.turn, message.n)
            if name in messages or name in database.outbox:
                raise BadRow(index, f"outbox has the row {name} already")
            messages.add(name)
        for move in turn.transitions:
            name = (move.conv, move.turn, move.n)
            if name in moves or name in database.transitions:
                raise BadRow(index, f"transitions has the row {name} already")
            moves.add(name)


def _write(database: MemoryDatabase, turn: TurnCommit, committed: Committed, now: int) -> None:
    for scope, version in zip(turn.scopes, committed.versions, strict=True):
        if scope.state is not None:
            known = database.scopes.get(scope.key)
            database.scopes[scope.key] = Scope(
                Snapshot(version, turn.cause, scope.state),
                scope.person or (known.person if known else None),
            )
    for row in turn.instances:
        database.instances[row.conv, row.id] = row
    if turn.timers:
        _set_timers(database, turn)
    for message in turn.outbox:
        database.put_message(_message(database, message))
    for log in turn.transitions:
        database.transitions[log.conv, log.turn, log.n] = log
    cause = database.end_cause(turn.cause, now)
    if turn.dead is not None:
        database.put_dead(_dead(turn.dead, database.next_dead(), cause.row))


def _set_timers(database: MemoryDatabase, turn: TurnCommit) -> None:
    for place, row in enumerate(turn.timers):
        match row:
            case TimerDrop():
                database.timers.pop((row.conv, row.name), None)
            case TimerRow():
                timer = Timer(f"timer:{turn.cause}.{place}", row)
                database.timers[row.conv, row.name] = timer


def _message(database: MemoryDatabase, row: OutboxRow) -> Message:
    return Message(
        database.next_message(), row.part, row.chat, row.conv, row.turn, row.n, row.slot, row.body,
        "new", 0, 0,
    )  # fmt: skip


def _dead(letter: DeadLetter, number: int, cause: InboxRow) -> Dead:
    return Dead(
        id=number,
        part=cause.part,
        conv=letter.conv,
        origin=letter.origin,
        body=letter.body,
        error=letter.error,
        tries=letter.tries,
        at=letter.at,
        row=cause,
    )
