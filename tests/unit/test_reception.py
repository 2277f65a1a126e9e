"""Who receives: only while it is certain that nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from engine.intake.reception import Reception
from engine.testing.channel import TestChannel
from engine.testing.clock import VirtualClock
from engine.workers.partitions import Partitions
from flows.updates import Update
from storage import MemoryStorage

pytestmark = pytest.mark.anyio


class Kept:
    """An intake that counts pages."""

    def __init__(self) -> None:
        self.pages = 0

    async def accept(self, updates: Sequence[Update]) -> Sequence[Update]:
        self.pages += 1
        return ()

    async def set_aside(self, source: str, ext: str, body: str, *, at: int) -> None:
        self.pages += 1

    async def settle(self) -> None:
        """Nothing runs behind it."""


async def test_a_page_waits_where_the_lease_is_over_and_is_kept_once_it_is_renewed() -> None:
    clock, kept, channel = VirtualClock(), Kept(), TestChannel()
    storage = MemoryStorage(clock.now)
    await storage.open()
    partitions = Partitions(storage, clock)
    await partitions.lease(64)
    partitions.admit(range(64), partitions.fence)
    reception = Reception(channel, kept, partitions, clock)
    reception.look()
    receiving = asyncio.ensure_future(reception.run())
    intake = await channel.intake
    clock.skip(14)
    handing_in = asyncio.ensure_future(intake.accept([]))
    await clock.advance(0.1)
    assert kept.pages == 0
    await partitions.lease(64)
    await handing_in
    assert kept.pages == 1
    receiving.cancel()
    await asyncio.wait((receiving,))
    await storage.close()


async def test_one_that_was_left_and_elected_again_receives_again() -> None:
    clock, channel = VirtualClock(), TestChannel()
    storage = MemoryStorage(clock.now)
    await storage.open()
    partitions = Partitions(storage, clock)
    await partitions.lease(64)
    partitions.admit(range(64), partitions.fence)
    reception = Reception(channel, Kept(), partitions, clock)
    receiving = asyncio.ensure_future(reception.run())
    reception.look()
    first = await channel.intake
    await reception.leave()
    reception.look()
    await clock.advance(0.1)
    assert not receiving.done()
    assert channel.intake.done()
    assert await channel.intake is first
    receiving.cancel()
    await asyncio.wait((receiving,))
    await storage.close()
