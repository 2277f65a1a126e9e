"""Time: what is due in an instance, and the one alarm that wakes a conversation for it.

When something is due stands in the state. The alarm, a row of the storage's timers, only wakes
the conversation in time: it may come too early or for nothing, and then it is set anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from engine.state.conversation import Conversation
from engine.steps.places import Flows, Place, alone, escalated, every, top
from engine.turns.either import either
from engine.workers.partitions import Partitions
from flows.errors import OutcomeUnknown, StorageDown
from flows.ports import Clock, FlowStorage
from flows.records import record
from flows.turns.instance import FlowInstance

if TYPE_CHECKING:
    from engine.telemetry.observing import Observing

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


@record(frozen=True, slots=True)
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
    """What is due first. Reminders of instances that are not on top are held back, and all of a
    conversation that is parked.
    """
    if all(map(_is_timeless, conversation.stack)):
        return None
    return min(_dues(conversation, flows), key=lambda due: due.order, default=None)


def _is_timeless(root: FlowInstance) -> bool:
    """Nothing in it will ever be due; most of what runs is so, and it is quickly told."""
    if root.silent is not None or root.oldest is not None or not alone(root):
        return False
    waiting = root.visit.waiting if root.visit is not None else None
    return waiting is None or (waiting.deadline is None and not waiting.rungs)


def _dues(conversation: Conversation, flows: Flows) -> Iterator[Due]:
    for root in conversation.stack:
        on_top = root is conversation.top
        for place in every(top(root, flows), flows):
            if place.line is place.instance:
                yield from _expiries(place)
            yield from _of_wait(place, reminds=on_top and not conversation.parked)


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
    observing: Observing | None = None,
) -> None:
    """Lets due timers become inbox rows for ever.

    Args:
        fired: is called after each round that did.
        earlier: set where a timer was set meanwhile, which may be due before those that were known.
        observing: who is told how many there were; None: nobody.
    """
    while True:
        earlier.clear()
        try:
            seqs, wait = await _fire(storage, partitions)
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("timers wait for the storage: %s", error)
            seqs, wait = (), LONGEST_SLEEP
        if seqs:
            if observing is not None:
                observing.timers_fired(len(seqs))
            fired()
            continue
        seconds = LONGEST_SLEEP if wait is None else min(max(wait, 0.001), LONGEST_SLEEP)
        await either(clock.sleep(seconds), earlier.wait())


async def _fire(storage: FlowStorage, partitions: Partitions) -> tuple[Sequence[int], float | None]:
    mine = partitions.open
    if not mine.epochs or not partitions.current:
        return (), None
    return await storage.fire(mine, 200)
