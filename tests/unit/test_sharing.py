"""What a worker wants of the partitions at its next renewal."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from engine.testing.clock import VirtualClock
from engine.workers.partitions import LEASE_TTL, Partitions
from engine.workers.sharing import MODEST, Sharing
from storage import MemoryStorage

pytestmark = pytest.mark.anyio


class Holder:
    """Writes down what it loses."""

    def __init__(self) -> None:
        self.gone: list[frozenset[int]] = []

    async def settle(self, parts: Collection[int]) -> None:
        """Nothing is in flight."""

    async def lost(self, parts: Collection[int]) -> None:
        self.gone.append(frozenset(parts))

    def won(self) -> None:
        """Nothing waits."""

    def renewed(self) -> None:
        """Nothing depends on it."""


async def test_a_partition_that_was_just_taken_was_given_back_without_being_left() -> None:
    """Of 64 partitions one of three workers has 22. Renewed again at once, as after a commit that
    was fenced, it wanted 21, and gave one back in which a send was in flight.
    """
    clock, holder = VirtualClock(), Holder()
    storage = MemoryStorage(clock=clock.now)
    await storage.open()
    partitions = Partitions(storage, clock)
    for other in ("b", "c"):
        await storage.lease(other, 21, LEASE_TTL)
    sharing = Sharing(partitions, clock, holder, alone=False)
    await sharing.start()
    await clock.advance(MODEST)
    await sharing.renew()
    assert len(partitions.fence.epochs) == 22
    await sharing.renew()
    assert len(partitions.fence.epochs) == 22
    assert holder.gone == []
