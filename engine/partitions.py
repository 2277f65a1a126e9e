"""The partitions that this worker holds, and the loop that keeps them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import uuid4

from flows.conversation import PARTITIONS
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Clock, Fence, FlowStorage

LEASE_TTL = 15_000
"""Milliseconds for which a partition is leased."""

RENEWAL = 5.0
"""Seconds between renewals. From the event loop, so that a hung one loses its lease."""

_log = logging.getLogger("handrail.partitions")


class Partitions:
    """Holds the current fence.

    Attributes:
        worker: the name of this worker, new with every start.
        fence: what the storage compares at every write.
    """

    def __init__(self, storage: FlowStorage, clock: Clock) -> None:
        self.worker = uuid4().hex
        self.fence = Fence(self.worker, {})
        self._storage = storage
        self._clock = clock

    async def take(self) -> None:
        """Takes the partitions at the start.

        Raises:
            AlreadyOwned: another process works on this storage.
            StorageDown: it cannot be reached.
        """
        self.fence = await self._storage.lease(self.worker, PARTITIONS, LEASE_TTL)

    async def keep(self, lost: Callable[[frozenset[int]], None]) -> None:
        """Renews for ever; calls ``lost`` with the partitions that went to somebody else, or
        came back with another epoch.
        """
        while True:
            await self._clock.sleep(RENEWAL)
            before = self.fence.epochs
            try:
                await self.take()
            except (StorageDown, OutcomeUnknown) as error:
                _log.warning("the lease could not be renewed: %s", error)
                continue
            gone = frozenset(
                part for part, epoch in before.items() if self.fence.epochs.get(part) != epoch
            )
            if gone:
                _log.warning("%d partitions went to another worker", len(gone))
                lost(gone)

    async def give_back(self) -> None:
        """Frees all partitions at once for others; where that fails, their lease runs out."""
        try:
            await self._storage.release(self.worker)
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("the partitions could not be given back: %s", error)
