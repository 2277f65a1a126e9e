"""Committing: the turns of many conversations in one transaction, and what becomes of each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from time import perf_counter

from engine.delivery.letters import Letter
from engine.intake.mailboxes import Mailboxes
from engine.patience import patiently
from engine.state.snapshots import Snapshots
from engine.telemetry.observer import TurnOutcome
from engine.telemetry.observing import Observing
from engine.turns.turn import Finished, TurnRunner, given_up, ids_of
from engine.workers.partitions import Partitions
from flows.errors import BadRow, OutcomeUnknown
from flows.ports import Clock, Committed, FlowStorage, Outcome, Snapshot
from flows.updates import Update

TURNS = 200
"""Turns that one commit holds at the most."""

BYTES = 1 << 20
"""Bytes that one commit writes at the most, unless a single turn writes more."""

LARGE = 256 << 10
"""A turn that writes more bytes than this is committed by itself, so that others need not wait."""


def page(finished: Sequence[Finished]) -> int:
    """How many of the finished turns the next commit holds, from the first on. No two of them
    have a scope in common: the second would have run on what is old by then.
    """
    written = 0
    seen: set[str] = set()
    for count, one in enumerate(finished[:TURNS]):
        for scope in one.commit.scopes:
            if scope.key in seen:
                return count
            seen.add(scope.key)
        size = one.size
        written += size
        if count and (size > LARGE or written > BYTES):
            return count
        if size > LARGE:
            return 1
    return min(len(finished), TURNS)


_flow_log = logging.getLogger("handrail.flow")


class Commits:
    """Commits finished turns.

    Args:
        delivered: takes the messages of committed turns, in order.
        stored: is told of chats for which the outbox may hold rows that ``delivered`` never saw.
        answered: is told of every turn that is over, with the notice for its pressed button.
        timed: is told when a timer was set.
        observing: who is told of every commit; None: nobody.
    """

    def __init__(
        self,
        storage: FlowStorage,
        partitions: Partitions,
        clock: Clock,
        *,
        runner: TurnRunner,
        snapshots: Snapshots,
        mailboxes: Mailboxes,
        delivered: Callable[[Sequence[Letter]], None],
        stored: Callable[[Collection[str]], None],
        answered: Callable[[Update, str | None], None],
        timed: Callable[[], None],
        observing: Observing | None,
    ) -> None:
        self._storage = storage
        self._partitions = partitions
        self._clock = clock
        self._runner = runner
        self._snapshots = snapshots
        self._mailboxes = mailboxes
        self._delivered = delivered
        self._stored = stored
        self._answered = answered
        self._timed = timed
        self._observing = observing

    async def commit(self, finished: list[Finished]) -> None:
        """Commits a batch. A row that cannot be stored fails its own turn alone."""
        lost = False
        begun = perf_counter() if self._observing is not None else 0.0

        async def attempt() -> Sequence[Committed]:
            nonlocal lost
            try:
                return await self._storage.commit(
                    self._partitions.fence, [one.commit for one in finished]
                )
            except OutcomeUnknown:
                lost = True
                raise

        while True:
            try:
                results = await patiently(self._clock, attempt)
                break
            except BadRow as error:
                self._replace(finished, error)
        if self._observing is not None:
            outcomes: dict[int, TurnOutcome] = {
                one.item.seq: _outcome(one, result.outcome, lost=lost)
                for one, result in zip(finished, results, strict=True)
            }
            size = sum(one.size for one in finished)
            self._observing.committed(outcomes, size=size, begun=begun)
        letters: list[Letter] = []
        for one, result in zip(finished, results, strict=True):
            if result.outcome is Outcome.DONE:
                if one.commit.outbox:
                    letters.extend(self._ours(one))
                self._done(one, result)
            elif lost and result.outcome is Outcome.GONE:
                self._done_before(one)
            else:
                self._undone(one, result)
        self._delivered(letters)

    def _ours(self, one: Finished) -> Iterable[Letter]:
        """The messages of a turn that are to be sent here. A broadcast's go to anybody: those of
        partitions that others hold are found by them.
        """
        if one.origin is not None:
            return one.letters
        held = self._partitions.fence.epochs
        return [letter for letter in one.letters if letter[0].part in held]

    def _replace(self, finished: list[Finished], error: BadRow) -> None:
        """Puts an apology in place of the culprit; if that cannot be stored, one without the
        results of ``once``; if that cannot either, a dead letter.
        """
        culprit = finished[error.index]
        item, origin = culprit.item, culprit.origin
        if origin is None or (culprit.failed and not item.notes):
            finished[error.index] = given_up(item, self._clock.now(), str(error))
            return
        if culprit.failed:
            item.notes.clear()
        finished[error.index] = self._runner.failed(item, origin, error)

    def _done(self, one: Finished, result: Committed) -> None:
        if one.origin is None:  # it has read nothing that is kept in memory
            self._over(one)
            return
        for scope, version in zip(one.commit.scopes, result.versions, strict=True):
            if scope.state is not None:
                snapshot = Snapshot(version, one.item.seq, scope.state)
                conversation = one.conversations.get(scope.key)
                self._snapshots.remember(scope.key, snapshot, conversation)
        self._over(one)

    def _undone(self, one: Finished, result: Committed) -> None:
        self._drop(one)
        if result.outcome is Outcome.GONE:
            self._answered(one.item.update, None)
            self._mailboxes.done(one.item)
            return
        if result.outcome is Outcome.FENCED:
            # whoever holds the partition runs it; until it is known what is ours, nothing is begun
            self._partitions.doubt()
        self._mailboxes.again(one.item)

    def _done_before(self, one: Finished) -> None:
        """The commit whose answer was lost had gone through, or the person was erased: what
        there is to deliver lies in the database.
        """
        self._drop(one)
        self._stored({row.chat for row in one.commit.outbox})
        self._over(one)

    def _drop(self, one: Finished) -> None:
        for scope in one.commit.scopes:
            self._snapshots.drop(scope.key)

    def _over(self, one: Finished) -> None:
        if one.commit.timers:
            self._timed()
        if one.effects.logs:
            _write(one)
        self._answered(one.item.update, one.effects.notice)
        self._mailboxes.done(one.item)


def _write(one: Finished) -> None:
    """Writes what handlers have put into the log, now that it is true."""
    ids = ids_of(one.item)
    for line in one.effects.logs:
        where = replace(ids, flow=line.flow, step=line.step, instance=line.instance)
        _flow_log.info("%s %s", line.message, line.values or "", extra=where.of_record())


def _outcome(one: Finished, outcome: Outcome, *, lost: bool) -> TurnOutcome:
    """How a turn ended; ``lost``: the answer to an earlier try of its commit was."""
    if outcome is Outcome.CONFLICT:
        return "conflict"
    if outcome is Outcome.FENCED:
        return "fenced"
    if outcome is Outcome.GONE and not lost:
        return "gone"
    if one.commit.dead is not None:
        return "dead"
    return "failed" if one.failed else "done"
