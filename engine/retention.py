"""Sweeping: what is over is removed after a while, so that the database does not grow for ever."""

from __future__ import annotations

import logging
from datetime import timedelta

from flows.errors import StorageDown
from flows.ports import Clock, FlowStorage

SHORTEST = timedelta(hours=48)
"""Done updates are kept at least this long, so that one that is delivered again is known: twice
the 24 hours for which Telegram does that.
"""

PAUSE = 600.0
"""Seconds between sweeps."""

PAGE = 500
"""Rows a table that are removed in one transaction, so that turns hardly wait for it."""

_log = logging.getLogger("handrail.engine")


async def sweep_for_ever(storage: FlowStorage, clock: Clock, keep: timedelta) -> None:
    """Removes again and again what has been over for longer than ``keep``."""
    while True:
        try:
            await _sweep(storage, clock, keep)
        except StorageDown as error:
            _log.warning("sweeping waits for the storage: %s", error)
        await clock.sleep(PAUSE)


async def _sweep(storage: FlowStorage, clock: Clock, keep: timedelta) -> None:
    before = clock.now() - keep // timedelta(milliseconds=1)
    while True:
        removed = sum((await storage.sweep(before, PAGE)).rows.values())
        if not removed:
            return
        _log.debug("swept %d rows", removed)
        await clock.sleep(0.05)
