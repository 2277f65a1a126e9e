"""A worker: one process's share of the work, from taking the partitions to giving them back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from engine.bot import Bot
from engine.delivery import Sender
from engine.intake.accepting import Inbox
from engine.intake.aliases import Aliases
from engine.intake.lookout import listen, look_out
from engine.intake.reception import Reception
from engine.routes.claims import Claims
from engine.routes.presses import Presses
from engine.state.timers import fire_timers
from engine.telemetry.standing import Standing
from engine.turns.activity import Activity
from engine.turns.cancelling import failure_of
from engine.turns.either import first, unless
from engine.turns.ticks import Turns
from engine.workers.holding import Holding
from engine.workers.partitions import Partitions
from engine.workers.retention import sweep_for_ever
from engine.workers.sharing import Sharing
from flows.errors import OutcomeUnknown, StorageDown
from flows.menus import ShowsMenus, are_plain, described_once, menus_of
from flows.ports import Channel, Clock, FlowStorage

LOOK_AGAIN = 1.0
"""Seconds between looks into the outbox for messages that nobody has told of."""

ALIASES_AGAIN = 5.0
"""Seconds between two looks whether chats have moved, where other workers may know."""

DRAIN = 10.0
"""Seconds that turns in flight get when the worker stops, and after them sends in flight."""

_log = logging.getLogger("handrail.engine")


class Worker:
    """Runs one bot on one storage and one channel.

    Args:
        storage: an open storage; the worker leases its partitions.
        shared: whether other workers may share the storage.
        channel: where updates come from and messages go to.
        handler_timeout: seconds that the handlers of one turn may take.
        max_state: bytes that a conversation may keep.
        keep: how long what is over is kept.
    """

    def __init__(
        self,
        bot: Bot,
        *,
        storage: FlowStorage,
        shared: bool,
        channel: Channel,
        clock: Clock,
        handler_timeout: float,
        max_state: int,
        keep: timedelta,
    ) -> None:
        self._bot = bot
        self._storage = storage
        self._shared = shared
        self._channel = channel
        self._clock = clock
        self._keep = keep
        self._ready = False
        self._ended = False
        self._failed = asyncio.Event()
        self._at_once = asyncio.Event()
        self._error: BaseException | None = None
        self._draining: asyncio.Task[int] | None = None
        channels = {channel.source: channel}
        self._partitions = Partitions(storage, clock)
        self._presses = Presses(channels, storage, self._partitions, clock)
        self._aliases = Aliases(storage)
        self._sender = Sender(
            storage, self._partitions, channels, clock,
            aliases=self._aliases,
            stopped=self._fail,
            informed=lambda: self._turns.fall_behind(),
            confided=bot.is_confided_in,
            observing=bot.observing,
        )  # fmt: skip
        self._earlier = asyncio.Event()
        self._woken = asyncio.Event()
        self._turns = Turns(
            bot, storage, self._partitions, clock,
            handler_timeout=handler_timeout,
            max_state=max_state,
            delivered=self._sender.add,
            stored=self._sender.stored,
            answered=self._presses.settled,
            picked_up=self._presses.picked_up,
            timed=self._earlier.set,
        )  # fmt: skip
        self._activity = Activity(bot.bots) if bot.typing else None
        self._inbox = Inbox(
            bot.registry, storage, self._turns, self._sender, self._presses, self._aliases,
            everywhere=shared and channel.everywhere,
            observing=bot.observing,
        )  # fmt: skip
        self._reception = Reception(channel, self._inbox, self._partitions, clock)
        self._holding = Holding(
            self._partitions, channel, clock,
            aliases=self._aliases,
            turns=self._turns,
            sender=self._sender,
            reception=self._reception,
            timed=self._earlier.set,
        )  # fmt: skip
        self._sharing = Sharing(self._partitions, clock, self._holding, alone=not channel.shared)

    @property
    def inbox(self) -> Inbox | None:
        """What takes orders from outside, from when there is a share to the end."""
        return self._inbox if self._ready else None

    @property
    def claims(self) -> Claims | None:
        """What tells who is to have an update, from when there is a share to the end."""
        return Claims(self._bot, self._turns, self._aliases) if self._ready else None

    @property
    def is_draining(self) -> bool:
        """Whether ``drain`` was called, or the end has begun."""
        return self._draining is not None

    @property
    def standing(self) -> Standing:
        """How it stands just now."""
        partitions = self._partitions
        return Standing(
            running=True,
            open=self._ready,
            draining=self.is_draining,
            leased=partitions.leased,
            held=len(partitions.fence.epochs),
            arriving=len(partitions.arriving),
            workers=partitions.fence.workers,
            turns_in_flight=self._turns.in_flight,
            updates_waiting=self._turns.mailboxes.waiting,
            sends_waiting=self._sender.waiting,
        )

    async def drain(self, seconds: float) -> int:
        """Takes nothing in and begins no turn any more. Answers how many turns were in flight,
        once they are committed and the sends in flight are recorded; -1 where not all of that
        was done in time. Whoever comes second waits for the first, whose time counts.

        Args:
            seconds: that turns in flight get, and after them sends in flight.
        """
        if self._draining is None:
            in_flight = self._turns.in_flight
            _log.info("draining: %d turns in flight", in_flight)
            self._draining = asyncio.ensure_future(self._drain(seconds, in_flight))
        return await asyncio.shield(self._draining)

    async def run(self, stop: asyncio.Event, at_once: asyncio.Event | None = None) -> None:
        """Works until ``stop`` is set or the channel's input has ended, then drains, unless
        ``at_once`` is set by then: what is in flight is given up.

        Raises:
            AlreadyOwned: another process works on this storage.
            ChannelStopped: the channel cannot go on.
            Exception: a loop of the engine failed, which is a bug.
        """
        self._at_once = at_once or self._at_once
        try:
            if await unless(stop, self._prepare()):
                self._ready = True
                await self._work(stop)
        finally:
            self._ready = False
            await self._partitions.give_back()

    async def _prepare(self) -> None:
        """Makes the channel ready, and takes the share: of what others could have, nothing before
        that.
        """
        if not self._shared:
            await self._sharing.start()
        await self._open_channel()
        await self._aliases.load()
        if self._shared:
            await self._sharing.start()

    async def _open_channel(self) -> None:
        menu = self._bot.menu()
        if are_plain(menu) or not isinstance(self._channel, ShowsMenus):
            await self._channel.open(described_once(menu), self._bot.kinds())
            return
        await self._channel.open([], self._bot.kinds())  # one menu for everybody would be wrong
        await self._channel.show_menus(menus_of(menu))

    async def _work(self, stop: asyncio.Event) -> None:
        loops = [
            self._supervised(loop)
            for loop in (
                self._turns.run(),
                self._sender.record(),
                self._sharing.run(),
                self._presses.run(),
                self._fire_timers(),
                self._holding.open_for_ever(),
                self._look_again(),
                self._reread_aliases(),
                look_out(self._turns.read_back, self._clock, self._woken),
                listen(self._storage, self._clock, self._woken),
                sweep_for_ever(
                    self._storage, self._clock, self._keep,
                    partitions=self._partitions, forget=self._turns.forget_states,
                ),
            )
        ]  # fmt: skip
        stopping = asyncio.ensure_future(stop.wait())
        failing = asyncio.ensure_future(self._failed.wait())
        receiving = asyncio.ensure_future(self._reception.run())
        try:
            await first(stopping, failing, receiving)
            if receiving.done() and not failing.done() and receiving.exception() is None:
                # the input has ended: what came in is finished, unless somebody is in a hurry
                settling = asyncio.ensure_future(self._inbox.settle())
                await first(settling, stopping, failing)
                settling.cancel()
        finally:
            for task in (stopping, failing, receiving):
                task.cancel()
            await asyncio.wait((receiving,))
            try:
                await self.drain(0.0 if self._at_once.is_set() else DRAIN)
            finally:
                if self._draining is not None:
                    self._draining.cancel()
                    await asyncio.wait((self._draining,))
                self._ended = True
                await self._turns.give_up()  # where the drain was broken off, handlers still run
                for task in loops:
                    task.cancel()
                await asyncio.wait(loops)
        if self._error is not None:
            raise self._error
        if not receiving.cancelled():
            receiving.result()

    async def _drain(self, seconds: float, in_flight: int) -> int:
        self._sharing.stop()
        await self._reception.close()
        turns_ended = await self._turns.drain(seconds)
        sends_ended = await self._sender.drain(seconds)
        await self._presses.close()
        return in_flight if turns_ended and sends_ended else -1

    def _supervised(self, loop: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A loop that must not end: if it fails, the worker stops loudly."""

        def over(task: asyncio.Task[None]) -> None:
            if task.cancelled() and self._ended:
                return
            if (error := failure_of(task)) is not None:
                self._fail(error)

        task = asyncio.ensure_future(loop)
        task.add_done_callback(over)
        return task

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._failed.set()

    # --- what is to be done again and again ---------------------------------------------

    async def _fire_timers(self) -> None:
        if self._channel.catch_up:
            await self._clock.sleep(self._channel.catch_up)
        await fire_timers(
            self._storage, self._partitions, self._clock,
            fired=self._turns.fall_behind, earlier=self._earlier, observing=self._bot.observing,
        )  # fmt: skip

    async def _reread_aliases(self) -> None:
        """Another worker may have learnt that a chat has moved."""
        while True:
            await self._clock.sleep(ALIASES_AGAIN)
            if self._partitions.fence.workers == 1:
                continue
            try:
                await self._aliases.load()
            except (StorageDown, OutcomeUnknown) as error:
                _log.warning("the storage does not answer: %s", error)

    async def _look_again(self) -> None:
        """Looks every second for messages that nobody has told of, and for turns that take long."""
        while True:
            await self._clock.sleep(LOOK_AGAIN)
            if self._activity is not None:
                self._activity.look(self._turns.at_work())
            try:
                await self._sender.look_again()
            except (StorageDown, OutcomeUnknown) as error:
                _log.warning("the storage does not answer: %s", error)
