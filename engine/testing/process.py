"""The process of a bot under test: it starts, stops, dies, and starts again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from engine.testing.channel import TestChannel
from engine.testing.faults import Faults
from flows.ports import Clock, FlowStorage, Intake
from flows.updates import Update

if TYPE_CHECKING:
    from engine.app import App


class Process:
    """Runs an App again and again on one storage.

    As a service does, it keeps pages of updates that were not acknowledged, because the process
    died or none ran, and hands them in after the next start.

    Args:
        storage: where conversations are kept; closed while no process runs.
        channel: makes the channel of each start.
    """

    def __init__(
        self,
        app: App,
        storage: FlowStorage,
        clock: Clock,
        faults: Faults,
        channel: Callable[[], TestChannel],
        deps: Any = None,
    ) -> None:
        self._app = app
        self._storage = faults.faulty_storage(storage)
        self._clock = clock
        self._faults = faults
        self._make_channel = channel
        self._deps = deps
        self._channel: TestChannel
        self._stop = asyncio.Event()
        self._at_once = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._kept: list[Sequence[Update]] = []

    @property
    def alive(self) -> bool:
        """Whether it was started, and neither stopped nor died since."""
        return self._running is not None

    async def start(self) -> None:
        """Starts the App. Raises what ``App.run`` raises."""
        self._faults.dead.clear()
        self._stop, self._at_once = asyncio.Event(), asyncio.Event()
        channel = self._channel = self._make_channel()
        run = self._app.run(
            channel=self._faults.faulty_channel(channel), storage=self._storage,
            stop=self._stop, at_once=self._at_once, clock=self._clock, deps=self._deps,
        )  # fmt: skip
        self._running = asyncio.ensure_future(run)
        await self._lives_through(channel.intake)
        kept, self._kept = self._kept, []
        for page in kept:
            await self.hand_in(page)

    async def stop(self) -> None:
        """Stops the App as a signal does: turns and sends in flight are finished."""
        if self._running is None:
            return
        self._stop.set()
        if await self._lives_through(self._running):
            self._running = None

    async def kill(self) -> None:
        """The process is gone: what is in memory is lost, and nothing is finished."""
        running, self._running = self._running, None
        self._faults.dead.set()
        self._at_once.set()
        if running is None:
            return
        if self._stop.is_set() or not self._channel.intake.done():
            running.cancel()  # while it starts or stops, it would not hear of another stop
        self._stop.set()
        await asyncio.wait((running,))
        if not running.cancelled():
            running.result()

    async def hand_in(self, updates: Sequence[Update]) -> None:
        """Hands a page of updates in; keeps it for later where no process lives to take it.

        Raises:
            StorageDown: nothing was kept, and nothing will be unless it is handed in again.
        """
        alive = self._running is not None
        if not alive or not await self._lives_through(self._intake.accept(updates)):
            self._kept.append(updates)

    async def settle(self) -> None:
        """Returns when there is nothing left to do. Raises what ends the App meanwhile."""
        if self._running is None or not await self._lives_through(self._intake.settle()):
            return
        if self._running.done():
            self._running.result()
        await asyncio.sleep(0)  # the answer to a press goes out beside the messages

    @property
    def _intake(self) -> Intake:
        return self._channel.intake.result()

    async def _lives_through(self, work: Awaitable[object]) -> bool:
        """Awaits the work; False: the process has died meanwhile. Raises what ends the App."""
        working = asyncio.ensure_future(work)
        dying = asyncio.ensure_future(self._faults.dead.wait())
        running = self._running or working
        await asyncio.wait((working, dying, running), return_when=asyncio.FIRST_COMPLETED)
        if self._faults.dead.is_set():
            await self.kill()
            working.cancel()
            return False
        dying.cancel()
        if not working.done():
            working.cancel()
            running.result()
        else:
            working.result()
        return True
