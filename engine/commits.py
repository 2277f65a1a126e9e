"""Committing: the turns of many conversations in one transaction, and what becomes of each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence

from engine.mailboxes import Mailboxes
from engine.partitions import Partitions
from engine.patience import patiently
from engine.snapshots import Snapshots
from engine.turn import Finished, TurnRunner, given_up
from flows.errors import BadRow, OutcomeUnknown
from flows.ports import Clock, Committed, FlowStorage, OutboxRow, Outcome, Snapshot
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
        written += one.size
        if count and (one.size > LARGE or written > BYTES):
            return count
        if one.size > LARGE:
            return 1
    return min(len(finished), TURNS)


class Commits:
    """Commits finished turns.

    Args:
        delivered: takes the outbox rows of committed turns, in order.
        stored: is told of chats for which the outbox may hold rows that ``delivered`` never saw.
        answered: is told of every turn that is over, with the notice for its pressed button.
        timed: is told when a timer was set.
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
        delivered: Callable[[Sequence[OutboxRow]], None],
        stored: Callable[[Collection[str]], None],
        answered: Callable[[Update, str | None], None],
        timed: Callable[[], None],
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

    async def commit(self, finished: list[Finished]) -> None:
        """Commits a batch. A row that cannot be stored fails its own turn alone."""
        lost = False

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
        for one, result in zip(finished, results, strict=True):
            if lost and result.outcome is Outcome.GONE:
                self._done_before(one)
            else:
                self._conclude(one, result)
        self._delivered(
            [
                row
                for one, result in zip(finished, results, strict=True)
                if result.outcome is Outcome.DONE
                for row in one.commit.outbox
            ]
        )

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

    def _conclude(self, one: Finished, result: Committed) -> None:
        match result.outcome:
            case Outcome.DONE:
                for scope, version in zip(one.commit.scopes, result.versions, strict=True):
                    if scope.state is not None:
                        snapshot = Snapshot(version, one.item.seq, scope.state)
                        self._snapshots.remember(scope.key, snapshot)
                self._over(one)
            case Outcome.CONFLICT:
                self._drop(one)
                self._mailboxes.again(one.item)
            case Outcome.GONE | Outcome.FENCED:
                self._drop(one)
                self._answered(one.item.update, None)
                self._mailboxes.done(one.item)

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
        for message, values in one.effects.logs:
            logging.getLogger("handrail.flow").info("%s %s", message, values or "")
        self._answered(one.item.update, one.effects.notice)
        self._mailboxes.done(one.item)
