"""A batch of turns in one transaction: read what decides, decide, write what is DONE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from flows.ports import Committed, Fence, Outcome, TurnCommit
from storage.clock import VersionClock
from storage.outcomes import decide
from storage.sql.dead_letters import DeadLetters
from storage.sql.dialects import Cursor, Dialect
from storage.sql.inbox import Inbox
from storage.sql.partitions import Partitions
from storage.sql.scopes import Done, Scopes, keys_of
from storage.sql.tables import instances, outbox, transitions
from storage.sql.timers import Timers


class Commit:
    """What turns write. The statements of a batch go table by table, each over all its rows."""

    def __init__(
        self,
        sql: Dialect,
        *,
        partitions: Partitions,
        inbox: Inbox,
        scopes: Scopes,
        timers: Timers,
        dead_letters: DeadLetters,
    ) -> None:
        self._partitions = partitions
        self._inbox = inbox
        self._scopes = scopes
        self._timers = timers
        self._dead_letters = dead_letters
        self._instance = sql.upserts(
            instances,
            *("conv", "id", "flow", "flow_version", "step", "status", "result"),
            *("updated", "ended"),
        )
        self._message = sql.inserts(
            outbox,
            *("part", "chat", "conv", "turn", "n", "slot", "body"),
            *("state", "tries", "due", "todo"),
        )
        self._transition = sql.inserts(
            transitions,
            *("turn", "n", "conv", "instance", "flow", "source", "target", "cause", "at"),
        )

    def commit(
        self, cursor: Cursor, fence: Fence, turns: Sequence[TurnCommit], versions: VersionClock
    ) -> list[Committed]:
        """The outcome of each turn; those that are DONE are written.

        Whoever locks does it in this order: partitions, causes, scopes.
        """
        held = self._partitions.held_among(cursor, fence, {turn.part for turn in turns})
        undone = self._inbox.undone(cursor, [turn.cause for turn in turns])
        known = self._scopes.known(cursor, keys_of(turns))
        outcomes = list(
            decide(
                turns,
                held=held.parts,
                undone=undone,
                versions=known.versions,
                clock=versions,
                micros=held.micros,
            )
        )
        pairs = zip(turns, outcomes, strict=True)
        done = [pair for pair in pairs if pair[1].outcome is Outcome.DONE]
        if done:
            self._write(cursor, done, known.persons, held.now)
        return outcomes

    def _write(
        self, cursor: Cursor, done: Done, persons: Mapping[str, str | None], now: int
    ) -> None:
        turns = [turn for turn, _ in done]
        self._scopes.write(cursor, done, persons=persons, now=now)
        self._instance(cursor, _instances(turns))
        self._message(cursor, _messages(turns))
        self._transition(cursor, _transitions(turns))
        self._timers.write(cursor, turns)
        self._dead_letters.bury_causes(
            cursor, [(turn.cause, turn.dead) for turn in turns if turn.dead is not None]
        )
        self._inbox.end(cursor, [turn.cause for turn in turns], now)


def _instances(turns: Iterable[TurnCommit]) -> list[tuple[object, ...]]:
    return [
        (
            *(row.conv, row.id, row.flow, row.flow_version, row.step),
            *(row.status, row.result, row.updated, row.ended),
        )
        for turn in turns
        for row in turn.instances
    ]


def _messages(turns: Iterable[TurnCommit]) -> list[tuple[object, ...]]:
    return [
        (row.part, row.chat, row.conv, row.turn, row.n, row.slot, row.body, "new", 0, 0, row.part)
        for turn in turns
        for row in turn.outbox
    ]


def _transitions(turns: Iterable[TurnCommit]) -> list[tuple[object, ...]]:
    return [
        (
            *(row.turn, row.n, row.conv, row.instance, row.flow),
            *(row.source, row.target, row.cause, row.at),
        )
        for turn in turns
        for row in turn.transitions
    ]
