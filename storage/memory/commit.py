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
    keys = {scope.key for turn in turns for scope in turn.scopes}
    outcomes = list(
        decide(
            turns,
            held=database.held(fence, {turn.part for turn in turns}),
            undone={turn.cause for turn in turns if turn.cause in database.undone},
            versions={
                key: database.scopes[key].snapshot.version for key in keys if key in database.scopes
            },
            clock=database.versions,
        )
    )
    _check_names(database, turns, outcomes)
    for turn, committed in zip(turns, outcomes, strict=True):
        if committed.outcome is Outcome.DONE:
            _write(database, turn, committed)
    return outcomes


def _check_names(
    database: MemoryDatabase, turns: Sequence[TurnCommit], outcomes: Sequence[Committed]
) -> None:
    """Messages and log rows are written once: a second one of a name is a mistake."""
    seen: set[tuple[str, str, int, int]] = set()
    for index, (turn, committed) in enumerate(zip(turns, outcomes, strict=True)):
        if committed.outcome is not Outcome.DONE:
            continue
        names = [("outbox", row.conv, row.turn, row.n) for row in turn.outbox]
        names += [("transitions", row.conv, row.turn, row.n) for row in turn.transitions]
        for table, conv, cause, n in names:
            known = database.outbox if table == "outbox" else database.transitions
            if (table, conv, cause, n) in seen or (conv, cause, n) in known:
                raise BadRow(index, f"{table} has the row ({conv!r}, {cause}, {n}) already")
            seen.add((table, conv, cause, n))


def _write(database: MemoryDatabase, turn: TurnCommit, committed: Committed) -> None:
    for scope, version in zip(turn.scopes, committed.versions, strict=True):
        if scope.state is not None:
            known = database.scopes.get(scope.key)
            database.scopes[scope.key] = Scope(
                Snapshot(version, turn.cause, scope.state),
                scope.person or (known.person if known else None),
            )
    for row in turn.instances:
        database.instances[row.conv, row.id] = row
    _set_timers(database, turn)
    for message in turn.outbox:
        database.put_message(_message(database, message))
    for log in turn.transitions:
        database.transitions[log.conv, log.turn, log.n] = log
    cause = database.end_cause(turn.cause)
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
        seq=database.next_message(),
        part=row.part,
        chat=row.chat,
        conv=row.conv,
        turn=row.turn,
        n=row.n,
        slot=row.slot,
        body=row.body,
    )


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
