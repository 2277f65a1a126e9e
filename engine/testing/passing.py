"""Letting time pass for a running App, without waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from engine.testing.clock import VirtualClock, milliseconds
from engine.testing.watch import Watch
from engine.workers.retention import PAUSE
from engine.workers.sharing import RENEWAL

STRIDE = 5_000
"""Milliseconds that are gone through step by step, before and after each leap."""

GRACE = 2.0
"""Real seconds after which the clock goes on although a turn is not done: it may be waiting for
the clock itself, as with a storage that is down.
"""


async def let_pass(
    by: timedelta | float,
    clock: VirtualClock,
    watch: Watch,
    settle: Callable[[], Awaitable[None]],
    alive: Callable[[], bool],
) -> None:
    """Moves the clock; every timer on the way fires at its own time, and what it does is done
    before the clock goes on. Stretches in which the engine would only look, again and again,
    whether there is something to do, are leapt over. Where the process
    dies on the way, the rest just passes.
    """
    end = clock.now() + milliseconds(by)
    await _patiently(settle)
    while (now := clock.now()) < end:
        if not alive():
            clock.skip((end - now) / 1000)
            return
        await clock.advance(min(STRIDE, _goal(clock, watch, end) - now) / 1000)
        await _patiently(settle)
        goal = _goal(clock, watch, end)
        if goal - clock.now() > 2 * STRIDE:
            clock.skip((goal - clock.now() - STRIDE) / 1000)
    await _patiently(settle)


def _goal(clock: VirtualClock, watch: Watch, end: int) -> int:
    """When the next thing happens, or the end; later than now."""
    sleepers = clock.next_due(longer_than=RENEWAL, but=PAUSE)
    dues = [due for due in (watch.due, sleepers, end) if due is not None]
    return max(min(dues), clock.now() + 1)


async def _patiently(settle: Callable[[], Awaitable[None]]) -> None:
    settling = asyncio.ensure_future(settle())
    done, _ = await asyncio.wait((settling,), timeout=GRACE)
    if done:
        settling.result()
    else:
        settling.cancel()
