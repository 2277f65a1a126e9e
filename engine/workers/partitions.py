"""The partitions that this worker holds, and what may be done with each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import uuid4

from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Clock, Fence, FlowStorage

LEASE_TTL = 15_000
"""Milliseconds for which a partition is leased."""

MARGIN = 6.0
"""Seconds before the end of a lease from which on it is not used any more: what is begun with it
must be over, or have reached the storage, while it still holds. A send may take a second less.
"""

_log = logging.getLogger("handrail.partitions")


@dataclass(frozen=True, slots=True)
class Change:
    """What a renewal has changed. A partition that came back with another epoch is in both: in
    between it may have been anybody's.
    """

    lost: frozenset[int] = frozenset()
    won: frozenset[int] = frozenset()


class Partitions:
    """Holds the current fence, and knows until when it may be acted upon.

    A partition that was won is not ``open`` at first: messages that wait in it must be known
    before a turn adds newer ones. One that is to be given back is left before it is: nothing
    more is begun in it, and what is in flight may still be committed.

    Attributes:
        worker: the name of this worker, new with every start.
        fence: all that is held: what the storage compares at every write.
        open: that part of it in which turns may begin.
        overdue: set where somebody wanted to act, and the time of the lease is up.
    """

    def __init__(self, storage: FlowStorage, clock: Clock) -> None:
        self.worker = uuid4().hex
        self.fence = Fence(self.worker, {})
        self.open = self.fence
        self.overdue = asyncio.Event()
        self._storage = storage
        self._clock = clock
        self._deadline = 0.0
        self._arriving: frozenset[int] = frozenset()
        self._leaving: frozenset[int] = frozenset()
        self._renewed = asyncio.Event()

    @property
    def current(self) -> bool:
        """Whether the lease still holds, by the clock of this process: it goes by the time before
        the last renewal, so that a worker that was stopped finds out by itself when it wakes up.
        Where it does not, a renewal is called for.
        """
        if self._clock.monotonic() < self._deadline:
            return True
        self.overdue.set()
        return False

    @property
    def leased(self) -> bool:
        """As ``current``, for who only looks: nothing is called for."""
        return self._clock.monotonic() < self._deadline

    @property
    def arriving(self) -> frozenset[int]:
        """What was won and is not open yet."""
        return self._arriving

    @property
    def leaving(self) -> frozenset[int]:
        """What is about to be given back."""
        return self._leaving

    def may_act(self, part: int) -> bool:
        """Whether something may be sent, answered or received for the partition now."""
        return part in self.fence.epochs and part not in self._leaving and self.current

    def doubt(self) -> None:
        """The storage has refused something: nothing is done until the lease is renewed."""
        self._deadline = 0.0
        self.overdue.set()

    async def lease(self, want: int) -> Change:
        """Renews the lease, and takes or gives back partitions until ``want`` are held.

        Raises:
            AlreadyOwned: another process works on this storage.
            StorageDown: it cannot be reached.
            OutcomeUnknown: what was taken or given back is known after the next call.
        """
        before, begun = self.fence.epochs, self._clock.monotonic()
        self.fence = await self._storage.lease(self.worker, want, LEASE_TTL)
        self._deadline = begun + LEASE_TTL / 1000 - MARGIN
        self.overdue.clear()
        now = self.fence.epochs
        change = Change(
            lost=frozenset(part for part, epoch in before.items() if now.get(part) != epoch),
            won=frozenset(part for part, epoch in now.items() if before.get(part) != epoch),
        )
        # what was left and is held all the same has to be opened anew
        self._arriving = ((self._arriving | self._leaving) - change.lost) | change.won
        self._leaving = frozenset()
        self._sort()
        self._renewed.set()
        self._renewed = asyncio.Event()
        return change

    def admit(self, parts: Collection[int], fence: Fence) -> None:
        """What waited in these, under that fence, is known: turns may begin."""
        now, then = self.fence.epochs, fence.epochs
        self._arriving -= {part for part in parts if now.get(part) == then.get(part)}
        self._sort()

    def leave(self, parts: Iterable[int]) -> None:
        """These are given back soon: nothing more is begun in them."""
        self._leaving |= frozenset(parts)
        self._sort()

    async def until_renewed(self) -> None:
        """Returns after the next renewal."""
        await self._renewed.wait()

    async def give_back(self) -> None:
        """Frees all partitions at once for others; where that fails, their lease runs out."""
        self.leave(self.fence.epochs)
        try:
            await self._storage.release(self.worker)
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("the partitions could not be given back: %s", error)

    def _sort(self) -> None:
        shut = self._arriving | self._leaving
        if not shut:
            self.open = self.fence
            return
        epochs = {part: epoch for part, epoch in self.fence.epochs.items() if part not in shut}
        self.open = Fence(self.worker, epochs, self.fence.workers)
