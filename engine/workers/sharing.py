"""Sharing the partitions with other workers: renewing, making room, and taking over.

Every worker wants an equal share. When one more appears, the others give back what is over: a
partition is left first, so that the turns and sends in flight end where they were begun, and
only then is it free for somebody else. Nobody tells anybody anything: how many workers there
are is all that a renewal says.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from math import ceil
from typing import Protocol

from engine.turns.either import either
from engine.workers.partitions import Change, Partitions
from flows.conversation import PARTITIONS
from flows.errors import AlreadyOwned, OutcomeUnknown, StorageDown
from flows.ports import Clock

RENEWAL = 5.0
"""Seconds between renewals. From the event loop, so that a hung one loses its lease."""

SOON = 1.0
"""Seconds between them while the share is not reached, and after one that has failed."""

UNSETTLED = 20.0
"""Seconds after a change for which a share that is not reached may still be: longer than the
lease of a worker that has died.
"""

MODEST = 2.0
"""Seconds after a change for which nobody takes more than the least share, so that what is free
goes to those who have less, who look more often than that.
"""

SETTLE = 5.0
"""Seconds that turns and sends in flight get before their partition is given back."""

_log = logging.getLogger("handrail.partitions")


class Holder(Protocol):
    """What works on the partitions."""

    async def settle(self, parts: Collection[int]) -> None:
        """Returns when nothing is in flight in these partitions, which are being left."""
        ...

    async def lost(self, parts: Collection[int]) -> None:
        """These are somebody else's: nothing that is kept of them may be used."""
        ...

    def won(self) -> None:
        """There are partitions that wait to be opened."""
        ...

    def renewed(self) -> None:
        """The lease holds, perhaps after it had not; or it is another share than before."""
        ...


class Sharing:
    """Keeps this worker's share.

    Args:
        alone: share with nobody: all partitions, or none.
    """

    def __init__(
        self, partitions: Partitions, clock: Clock, holder: Holder, *, alone: bool
    ) -> None:
        self._partitions = partitions
        self._clock = clock
        self._holder = holder
        self._alone = alone
        self._stopping = False
        self._known = 0
        self._changed = 0.0
        self._told = (0, 0)

    async def start(self) -> None:
        """Takes the share, as far as others have left something of it.

        Raises:
            AlreadyOwned: another process works on this storage, and it is not to be shared.
            StorageDown: it cannot be reached.
        """
        await self._partitions.lease(0)
        if self._alone and self._partitions.fence.workers > 1:
            await self._wait_for_the_dead()
        self._known = self._partitions.fence.workers
        await self._lease(self._want())

    async def run(self) -> None:
        """Renews for ever."""
        pause, failures = self._seconds(), 0
        while True:
            await either(self._clock.sleep(pause), self._partitions.overdue.wait())
            try:
                await self.renew()
            except (StorageDown, OutcomeUnknown) as error:
                failures += 1
                level = logging.WARNING if failures == 1 else logging.DEBUG
                _log.log(level, "the lease could not be renewed, trying again: %s", error)
                await self._clock.sleep(SOON)
                pause = 0.0
            else:
                if failures:
                    _log.info("the lease is renewed again after %d failures", failures)
                pause, failures = self._seconds(), 0

    async def renew(self) -> None:
        """Renews once, after it has made room for workers that have come."""
        await self._make_room()
        await self._lease(self._want())

    def stop(self) -> None:
        """Takes nothing more, and makes no more room: all is given back soon."""
        self._stopping = True

    async def _wait_for_the_dead(self) -> None:
        """One that was killed counts until its lease is over."""
        seconds = UNSETTLED
        _log.warning(
            "another worker is known on this database; waiting %.0f s for it to be over", seconds
        )
        await self._partitions.give_back()
        await self._clock.sleep(seconds)
        await self._partitions.lease(0)
        others = self._partitions.fence.workers - 1
        if others:
            await self._partitions.give_back()
            raise AlreadyOwned(
                f"{others} other worker{'s' if others > 1 else ''} of a bot that several "
                "processes serve run on this database, and what runs here would take "
                "conversations away from them. Stop them first, or name another database with "
                "HANDRAIL_DATABASE_URL."
            )

    async def _make_room(self) -> None:
        workers = self._partitions.fence.workers
        came, self._known = workers > self._known, workers
        held = sorted(self._partitions.fence.epochs)
        over = held[PARTITIONS // workers :]
        if self._alone or self._stopping or not ((came and over) or self._partitions.leaving):
            return
        # the storage takes back the highest numbers
        self._partitions.leave(over)
        settling = self._holder.settle(frozenset(self._partitions.leaving))
        await either(settling, self._clock.sleep(SETTLE))

    def _want(self) -> int:
        held, workers = len(self._partitions.fence.epochs), self._known
        if self._alone:
            return PARTITIONS
        if self._stopping:
            return held
        least = PARTITIONS // workers
        modest = held < least or self._clock.monotonic() < self._changed + MODEST
        # nothing is given back that was not left before: something in it may be in flight
        kept = held - len(self._partitions.leaving)
        return max(kept, least if modest else ceil(PARTITIONS / workers))

    async def _lease(self, want: int) -> None:
        given = self._partitions.leaving
        change = await self._partitions.lease(want)
        if change.lost:
            if taken := change.lost - given:
                _log.warning("%d partitions were lost: the lease was over", len(taken))
            await self._holder.lost(change.lost)
        if self._partitions.arriving:
            self._holder.won()
        self._tell(change)
        self._holder.renewed()

    def _tell(self, change: Change) -> None:
        held, workers = len(self._partitions.fence.epochs), self._partitions.fence.workers
        if change != Change() or (held, workers) != self._told:
            self._told = held, workers
            self._changed = self._clock.monotonic()
            _log.info(
                "this worker holds %d of %d partitions; workers: %d", held, PARTITIONS, workers
            )

    def _seconds(self) -> float:
        """How long the next renewal may wait."""
        held, workers = len(self._partitions.fence.epochs), self._partitions.fence.workers
        if workers != self._known and not self._alone:
            return 0.0
        unsettled = self._clock.monotonic() < self._changed + UNSETTLED
        lacking = held < ceil(PARTITIONS / workers)
        return SOON if lacking and unsettled and not self._stopping else RENEWAL
