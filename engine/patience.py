"""Waiting for a storage that does not answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Clock

T = TypeVar("T")

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0
"""Seconds between two tries: from the first to this one, doubling."""

_log = logging.getLogger("handrail.engine")


async def patiently(clock: Clock, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Awaits the call, again and again while the storage is down; nothing is lost meanwhile.

    Only for what may be repeated, such as a commit: it is compared, and done once.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return await call()
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("the storage does not answer, trying again in %.1f s: %s", pause, error)
            await clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
