"""What is done with partitions that come and go: opened, settled, let go of."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from engine.delivery import Sender
from engine.intake.aliases import Aliases
from engine.intake.reception import Reception
from engine.turns.ticks import Turns
from engine.workers.partitions import Partitions
from flows.conversation import PARTITIONS
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Channel, Clock

AGAIN = 1.0
"""Seconds after which partitions are opened that could not be."""

_log = logging.getLogger("handrail.partitions")


class Holding:
    """Brings all that works on partitions in line with those that are held; see
    ``sharing.Holder``.

    Args:
        timed: is told that there may be timers that nobody has looked at.
    """

    def __init__(
        self,
        partitions: Partitions,
        channel: Channel,
        clock: Clock,
        *,
        aliases: Aliases,
        turns: Turns,
        sender: Sender,
        reception: Reception,
        timed: Callable[[], None],
    ) -> None:
        self._partitions = partitions
        self._channel = channel
        self._clock = clock
        self._aliases = aliases
        self._turns = turns
        self._sender = sender
        self._reception = reception
        self._timed = timed
        self._arrived = asyncio.Event()
        self._share = 1.0

    async def settle(self, parts: Collection[int]) -> None:
        """These are being left."""
        if self._reception.part in parts:
            await self._reception.leave()
        await self._turns.settle(parts)
        await self._sender.settle(parts)

    async def lost(self, parts: Collection[int]) -> None:
        """These are somebody else's."""
        if self._reception.part in parts:
            await self._reception.leave()
        self._turns.forget(parts)
        self._sender.forget(parts)

    def won(self) -> None:
        """Some wait to be opened."""
        self._arrived.set()

    def renewed(self) -> None:
        """The lease holds, or it is another share than before."""
        share = len(self._partitions.fence.epochs) / PARTITIONS
        if share not in (0, self._share):
            self._share = share
            try:
                self._channel.allot(share)
            except Exception:  # a bug in a channel must not cost the lease
                _log.exception("the channel could not be told its share of the limits")
        self._turns.wake()

    async def open_for_ever(self) -> None:
        """Opens what was won."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            try:
                await self._aliases.load()
                await self._open()
            except (StorageDown, OutcomeUnknown) as error:
                _log.warning("new partitions wait for the storage: %s", error)
                await self._clock.sleep(AGAIN)
                self._arrived.set()

    async def _open(self) -> None:
        """Lets turns begin where partitions were won, once what is undelivered there is known:
        nothing newer may overtake it. Before anything is received here, what others have
        received is read.
        """
        while parts := self._partitions.arriving:
            fence = self._partitions.fence
            await self._sender.recover(parts)
            self._partitions.admit(parts, fence)
            self._turns.fall_behind()
        self._timed()
        self._reception.look()
