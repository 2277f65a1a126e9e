"""Sweeping: a broadcast that has ended is removed after a while, with its recipients."""

from __future__ import annotations

import logging
from collections.abc import Callable

from engine.broadcast.head import Head
from engine.broadcast.keys import INDEX, erased_as, head_key
from engine.broadcast.turns import named_in
from flows.errors import CorruptState
from flows.ports import Clock, FlowStorage

_log = logging.getLogger("handrail.broadcast")


async def sweep_broadcasts(
    storage: FlowStorage,
    clock: Clock,
    before: int,
    *,
    breath: float,
    may_go_on: Callable[[], bool],
) -> None:
    """Removes the broadcasts that ended before ``before`` (milliseconds since the epoch). Stopped
    in the middle, it goes on the next time: the head, which says how much there is, goes last.

    Args:
        breath: seconds between two steps, in which turns go on.
        may_go_on: is asked before each step.
    """
    for name in named_in((await storage.load([INDEX])).get(INDEX)):
        head = await _head(storage, name)
        if head is None or head.ended is None or head.ended >= before:
            continue
        for person in erased_as(name, head.total):
            if not may_go_on():
                return
            await storage.erase(person)
            await clock.sleep(breath)
        _log.info("the broadcast %s is swept", name)


async def _head(storage: FlowStorage, name: str) -> Head | None:
    key = head_key(name)
    try:
        snapshot = (await storage.load([key])).get(key)
        return None if snapshot is None else Head.decode(key, snapshot.state)
    except CorruptState as error:
        _log.error("%s", error)
        return None
