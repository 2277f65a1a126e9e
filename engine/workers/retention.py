"""Sweeping: what is over is removed after a while, so that the database does not grow for ever."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from engine.broadcast.sweeping import sweep_broadcasts
from engine.workers.partitions import Partitions
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Clock, FlowStorage

SHORTEST = timedelta(hours=48)
"""Done updates are kept at least this long, so that one that is delivered again is known: twice
the 24 hours for which Telegram does that.
"""

PAUSE = 600.0
"""Seconds between sweeps."""

PAGE = 500
"""Rows a table that are removed in one transaction, so that turns hardly wait for it."""

PAGES = 1200
"""Pages of one round; what is left is for the next one."""

BREATH = 0.05
"""Seconds between pages."""

QUIET = 60.0
"""Seconds before broadcasts are looked at: right after its start a bot has more to do."""

SWEEPER = 0
"""The partition whose holder sweeps."""

_log = logging.getLogger("handrail.engine")


async def sweep_for_ever(
    storage: FlowStorage,
    clock: Clock,
    keep: timedelta,
    *,
    partitions: Partitions,
    forget: Callable[[], None],
) -> None:
    """Removes again and again what has been over for longer than ``keep``: in the database, one
    worker for all, and in memory what another process may have erased.
    """
    while True:
        if partitions.may_act(SWEEPER):
            await _unless_down(_sweep(storage, clock, keep, partitions))
        await clock.sleep(QUIET)
        if partitions.may_act(SWEEPER):
            await _unless_down(
                sweep_broadcasts(
                    storage, clock, _before(clock, keep),
                    breath=BREATH, may_go_on=lambda: partitions.may_act(SWEEPER),
                )
            )  # fmt: skip
        await clock.sleep(PAUSE - QUIET)
        forget()


async def _unless_down(sweeping: Awaitable[None]) -> None:
    """What the storage cannot do now, the next round does."""
    try:
        await sweeping
    except (StorageDown, OutcomeUnknown) as error:
        _log.warning("sweeping waits for the storage: %s", error)


async def _sweep(
    storage: FlowStorage, clock: Clock, keep: timedelta, partitions: Partitions
) -> None:
    """A page after the other, with pauses in which turns go on, up to what a round may take."""
    before = _before(clock, keep)
    for _ in range(PAGES):
        removed = sum((await storage.sweep(before, PAGE)).rows.values())
        _log.debug("swept %d rows", removed)
        if not removed or not partitions.may_act(SWEEPER):
            return
        await clock.sleep(BREATH)


def _before(clock: Clock, keep: timedelta) -> int:
    """What ended before this is removed: milliseconds since the epoch."""
    return clock.now() - keep // timedelta(milliseconds=1)
