"""Looking for work that nobody has told this worker of.

What another process puts into the inbox is found by its wake-up, where the storage has some, and
by looking anyway: soon again after something was found, and less and less often while there is
nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from engine.turns.either import either
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Clock, FlowStorage

SHORTEST = 0.05
LONGEST = 1.0
"""Seconds between two looks: from the first after something was found to this, doubling."""

LISTEN_AGAIN = 5.0
"""Seconds after which wake-ups that have failed are listened to again."""

_log = logging.getLogger("handrail.engine")


async def look_out(look: Callable[[], Awaitable[bool]], clock: Clock, woken: asyncio.Event) -> None:
    """Looks for ever; ``look`` answers whether it has found something."""
    pause = LONGEST
    while True:
        await either(clock.sleep(pause), woken.wait())
        woken.clear()
        try:
            found = await look()
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("the storage does not answer: %s", error)
            found = False
        pause = SHORTEST if found else min(2 * pause, LONGEST)


async def listen(storage: FlowStorage, clock: Clock, woken: asyncio.Event) -> None:
    """Sets ``woken`` whenever the storage hints at work, until it is closed."""
    while True:
        try:
            async for _ in storage.wakes():
                woken.set()
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("no wake-ups from the storage, trying again: %s", error)
            await clock.sleep(LISTEN_AGAIN)
        else:
            return
