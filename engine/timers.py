"""Time: what is due in an instance, and the one alarm that wakes a conversation for it.

When something is due stands in the state. The alarm, a row of the storage's timers, only wakes
the conversation in time: it may come too early or for nothing, and then it is set anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from engine.partitions import Partitions
from engine.places import Flows, Place, escalated, every, top
from engine.state import Conversation
from flows.errors import OutcomeUnknown, StorageDown
from flows.instance import FlowInstance
from flows.ports import Clock, FlowStorage

ALARM = "alarm"
"""The name of a conversation's timer."""

SOURCE = "timer"
"""Source of the inbox rows that timers become."""

LONGEST_SLEEP = 1.0
"""Seconds after which the loop looks again, whatever it was told: another process may add."""

_log = logging.getLogger("handrail.timers")


class Kind(IntEnum):
    """What is due; of what is due at once, the first comes first."""

    REMINDER = 1
    TIMEOUT = 2
    SILENCE = 3
    AGE = 4


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is to happen at a time (milliseconds since the epoch)."""

    at: int
    kind: Kind
    place: Place

    @property
    def order(self) -> tuple[int, int]:
        """What sorts them."""
        return self.at, self.kind


def first_due(conversation: Conversation, flows: Flows) -> Due | None:
    """What is due first. Reminders of parked instances are held back."""
    return min(_dues(conversation, flows), key=lambda due: due.order, default=None)


def _dues(conversation: Conversation, flows: Flows) -> Iterator[Due]:
    for root in conversation.stack:
        for place in every(top(root, flows), flows):
            if place.line is place.instance:
                yield from _expiries(place)
            yield from _of_wait(place, reminds=root is conversation.top)


def _expiries(place: Place) -> Iterator[Due]:
    instance = place.instance
    if (instance.silent is None and instance.oldest is None) or escalated(place.root):
        return
    if instance.silent is not None:
        yield Due(instance.silent, Kind.SILENCE, place)
    if instance.oldest is not None:
        yield Due(instance.oldest, Kind.AGE, place)


def _of_wait(place: Place, *, reminds: bool) -> Iterator[Due]:
    visit = place.line.visit
    waiting = visit.waiting if visit is not None else None
    if waiting is None:
        return
    if waiting.deadline is not None:
        yield Due(waiting.deadline, Kind.TIMEOUT, place)
    if waiting.rungs and reminds:
        yield Due(waiting.rungs[0].due, Kind.REMINDER, place)


def pass_over_reminders(root: FlowInstance, flows: Flows, now: int) -> None:
    """A parked instance is on top again and its question is shown: what it was to be reminded of
    meanwhile is over.
    """
    for place in every(top(root, flows), flows):
        visit = place.line.visit
        if visit is not None and visit.waiting is not None:
            visit.waiting.rungs = [rung for rung in visit.waiting.rungs if rung.due > now]


async def fire_timers(
    storage: FlowStorage,
    partitions: Partitions,
    clock: Clock,
    *,
    fired: Callable[[], None],
    earlier: asyncio.Event,
) -> None:
    """Lets due timers become inbox rows for ever.

    Args:
        fired: is called after each round that did.
        earlier: set where a timer was set meanwhile, which may be due before those that were known.
    """
    while True:
        earlier.clear()
        try:
            seqs, wait = await storage.fire(partitions.fence, 200)
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("timers wait for the storage: %s", error)
            seqs, wait = (), LONGEST_SLEEP
        if seqs:
            fired()
            continue
        seconds = LONGEST_SLEEP if wait is None else min(max(wait, 0.001), LONGEST_SLEEP)
        await _either(clock.sleep(seconds), earlier.wait())


async def _either(*works: Coroutine[Any, Any, Any]) -> None:
    """Returns when one of them has, and lets go of the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
