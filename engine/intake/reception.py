"""Receiving: of all workers of a bot, the one that holds the partition of its name receives; or
each of them, where the service hands its updates to any.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from engine.backoff import Backoff
from engine.turns.cancelling import failure_of
from engine.workers.partitions import Partitions
from flows.conversation import partition_of
from flows.errors import ChannelStopped
from flows.ports import Channel, Clock, Intake
from flows.updates import Update

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds until a channel that has failed receives again: from the first to this, doubling."""

FAILURES = 10
"""Failures in a row, about four minutes of them, after which a channel is given up."""

STEADY = 60.0
"""Seconds for which it must have received, if nothing came in meanwhile, to have made progress."""

_log = logging.getLogger("handrail.partitions")


class Reception:
    """Lets the channel receive while it is this worker's turn, and again after it has failed.

    Attributes:
        part: the partition whose holder receives; None: everybody does.
    """

    def __init__(
        self, channel: Channel, intake: Intake, partitions: Partitions, clock: Clock
    ) -> None:
        self.part = None if channel.everywhere else partition_of(channel.source, "")
        self._channel = channel
        self._intake = _Gate(intake, partitions, self.part)
        self._partitions = partitions
        self._clock = clock
        self._elected = asyncio.Event()
        self._closed = False
        self._receiving: asyncio.Task[None] | None = None
        self._backoff = Backoff(base=FIRST_PAUSE, cap=LONGEST_PAUSE)

    def look(self) -> None:
        """Begins, if the partition is open by now."""
        mine = self.part is None or self.part in self._partitions.open.epochs
        if mine and not self._closed:
            self._elected.set()

    async def leave(self) -> None:
        """Receives no more until the next ``look``; returns when the channel has let go."""
        self._elected.clear()
        task, self._receiving = self._receiving, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    async def close(self) -> None:
        """Receives no more, ever; returns when the channel has let go."""
        self._closed = True
        await self.leave()

    async def run(self) -> None:
        """Receives whenever it is this worker's turn, until the channel's input has ended.

        Raises:
            ChannelStopped: the channel cannot go on.
            Exception: what it has raised the last time, where it fails again and again.
        """
        while True:
            await self._elected.wait()
            _log.info("this worker receives for %s", self._channel.source)
            begun = self._clock.monotonic()
            task = self._receiving = asyncio.ensure_future(self._channel.receive(self._intake))
            try:
                await asyncio.wait((task,))
            finally:
                task.cancel()
                await asyncio.wait((task,))
            if self._receiving is not task:
                continue  # it was left
            self._receiving = None
            if (error := failure_of(task)) is None:
                return
            await self._clock.sleep(self._pause(error, self._clock.monotonic() - begun))

    def _pause(self, error: BaseException, lasted: float) -> float:
        """Seconds until the next try. Raises the error where there is to be none."""
        if isinstance(error, ChannelStopped):
            raise error
        if self._intake.take_progress() or lasted >= STEADY:
            self._backoff.reset()
        seconds = self._backoff.next()
        source, failures = self._channel.source, self._backoff.failures
        if failures >= FAILURES:
            _log.error("receiving for %s is given up after %d failures", source, failures)
            raise error
        _log.error(
            "receiving for %s has failed (%d of %d); trying again in %.1f s",
            source, failures, FAILURES, seconds, exc_info=error,
        )  # fmt: skip
        return seconds


class _Gate:
    """The intake, shut where it is not certain that nobody else receives: else what another
    worker has taken in since could be overtaken. Where everybody receives, it is always open.
    """

    def __init__(self, inner: Intake, partitions: Partitions, part: int | None) -> None:
        self._inner = inner
        self._partitions = partitions
        self._part = part
        self._progress = False

    async def accept(self, updates: Sequence[Update]) -> Sequence[Update]:
        await self._open()
        left_out = await self._inner.accept(updates)
        self._progress = True
        return left_out

    async def set_aside(self, source: str, ext: str, body: str, *, at: int) -> None:
        await self._open()
        await self._inner.set_aside(source, ext, body, at=at)
        self._progress = True

    async def settle(self) -> None:
        await self._inner.settle()

    def take_progress(self) -> bool:
        """Whether anything was taken in since this was asked last."""
        made, self._progress = self._progress, False
        return made

    async def _open(self) -> None:
        while self._part is not None and not self._partitions.may_act(self._part):
            await self._partitions.until_renewed()
