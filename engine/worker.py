"""A worker: one process's share of the work, from taking the partitions to giving them back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from engine.aliases import Aliases
from engine.bot import Bot
from engine.delivery import Sender
from engine.intake import Inbox
from engine.partitions import Partitions
from engine.presses import Presses
from engine.retention import sweep_for_ever
from engine.timers import fire_timers
from engine.turns import Turns
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Channel, Clock, FlowStorage

LOOK_AGAIN = 1.0
"""Seconds between looks into the database for work that nobody has told of."""

DRAIN = 10.0
"""Seconds that turns and sends in flight get when the worker stops."""

_log = logging.getLogger("handrail.engine")


class Worker:
    """Runs one bot on one storage and one channel.

    Args:
        storage: an open storage; the worker leases its partitions.
        channel: where updates come from and messages go to.
        handler_timeout: seconds that the handlers of one turn may take.
        keep: how long what is over is kept.
    """

    def __init__(
        self,
        bot: Bot,
        *,
        storage: FlowStorage,
        channel: Channel,
        clock: Clock,
        handler_timeout: float,
        keep: timedelta,
    ) -> None:
        self._bot = bot
        self._storage = storage
        self._channel = channel
        self._clock = clock
        self._keep = keep
        self._ready = False
        self._failed = asyncio.Event()
        self._at_once = asyncio.Event()
        self._error: BaseException | None = None
        channels = {channel.source: channel}
        self._partitions = Partitions(storage, clock)
        self._presses = Presses(channels)
        self._aliases = Aliases(storage)
        self._sender = Sender(
            storage, self._partitions, channels, clock,
            aliases=self._aliases,
            stopped=self._fail,
            informed=lambda: self._turns.fall_behind(),
        )  # fmt: skip
        self._earlier = asyncio.Event()
        self._turns = Turns(
            bot, storage, self._partitions, clock,
            handler_timeout=handler_timeout,
            delivered=self._sender.add,
            stored=self._sender.stored,
            answered=self._presses.settled,
            timed=self._earlier.set,
        )  # fmt: skip
        self._inbox = Inbox(
            bot.registry, storage, self._turns, self._sender, self._presses, self._aliases
        )

    @property
    def inbox(self) -> Inbox | None:
        """What takes orders from outside, from when earlier work is taken up to the end."""
        return self._inbox if self._ready else None

    async def run(self, stop: asyncio.Event, at_once: asyncio.Event | None = None) -> None:
        """Works until ``stop`` is set or the channel's input has ended, then drains, unless
        ``at_once`` is set by then: what is in flight is given up.

        Raises:
            AlreadyOwned: another process works on this storage.
            ChannelStopped: the channel cannot go on.
            Exception: a loop of the engine failed, which is a bug.
        """
        self._at_once = at_once or self._at_once
        await self._partitions.take()
        try:
            if await _unless(stop, self._prepare()):
                self._ready = True
                await self._work(stop)
        finally:
            self._ready = False
            await self._partitions.give_back()

    async def _prepare(self) -> None:
        """Makes the channel ready, and takes up what an earlier process has left."""
        await self._channel.open(self._bot.commands())
        await self._aliases.load()
        await self._sender.recover()
        await self._turns.read_back()

    async def _work(self, stop: asyncio.Event) -> None:
        loops = [
            self._supervised(loop)
            for loop in (
                self._turns.run(),
                self._sender.record(),
                self._partitions.keep(lost=self._turns.forget),
                self._fire_timers(),
                self._look_again(),
                sweep_for_ever(self._storage, self._clock, self._keep),
            )
        ]
        stopping = asyncio.ensure_future(stop.wait())
        failing = asyncio.ensure_future(self._failed.wait())
        receiving = asyncio.ensure_future(self._channel.receive(self._inbox))
        try:
            await _first(stopping, failing, receiving)
            if receiving.done() and not failing.done() and receiving.exception() is None:
                # the input has ended: what came in is finished, unless somebody is in a hurry
                settling = asyncio.ensure_future(self._inbox.settle())
                await _first(settling, stopping, failing)
                settling.cancel()
        finally:
            for task in (stopping, failing, receiving):
                task.cancel()
            await asyncio.wait((receiving,))
            try:
                await self._drain()
            finally:
                for task in loops:
                    task.cancel()
                await asyncio.wait(loops)
        if self._error is not None:
            raise self._error
        if not receiving.cancelled():
            receiving.result()

    async def _drain(self) -> None:
        seconds = 0.0 if self._at_once.is_set() else DRAIN
        await self._turns.drain(seconds)
        await self._sender.drain(seconds)
        await self._presses.close()

    def _supervised(self, loop: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A loop that must not end: if it fails, the worker stops loudly."""

        def over(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self._fail(error)

        task = asyncio.ensure_future(loop)
        task.add_done_callback(over)
        return task

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._failed.set()

    async def _fire_timers(self) -> None:
        if self._channel.catch_up:
            await self._clock.sleep(self._channel.catch_up)
        await fire_timers(
            self._storage, self._partitions, self._clock,
            fired=self._turns.fall_behind, earlier=self._earlier,
        )  # fmt: skip

    async def _look_again(self) -> None:
        """Wake-ups are only hints: the database is looked at every second anyway."""
        while True:
            await self._clock.sleep(LOOK_AGAIN)
            try:
                await self._turns.read_back()
                await self._sender.look_again()
            except (StorageDown, OutcomeUnknown) as error:
                _log.warning("the storage does not answer: %s", error)


async def _first(*futures: asyncio.Future[Any]) -> None:
    """Returns when one of them is done."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Does the work, unless ``stop`` comes first; answers whether it was done."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await _first(working, stopping)
    finally:
        done = working.done()
        working.cancel()
        stopping.cancel()
        await asyncio.wait((working, stopping))
    if done:
        working.result()
    return done
