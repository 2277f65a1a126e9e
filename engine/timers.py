"""Timers: what sets them, and the loop that lets due ones become inbox rows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from engine.partitions import Partitions
from flows.conversation import ConversationKey
from flows.errors import OutcomeUnknown, StorageDown
from flows.instance import FlowInstance
from flows.ports import Clock, FlowStorage, TimerDrop, TimerRow
from flows.updates import Person, TimerFired, Update

TTL = "ttl"
"""The timer that ends a flow whose person has been silent for too long."""

SOURCE = "timer"
"""Source of the inbox rows that timers become."""

LONGEST_SLEEP = 1.0
"""Seconds after which the loop looks again, whatever it was told: another process may add."""

_log = logging.getLogger("handrail.timers")


def ttl_timer(
    ttl: timedelta, instance: FlowInstance, *, key: ConversationKey, user: Person, now: int
) -> TimerRow:
    """The timer that an accepted input starts anew."""
    fired = Update(
        source=key.address.source,
        ext="",
        content=TimerFired(TTL, {"instance": instance.id, "inputs": instance.inputs}),
        at=now,
        address=key.address,
        user=user,
    )
    return TimerRow(
        conv=str(key),
        name=f"{TTL}:{instance.id}",
        part=key.address.partition,
        due=now + ttl // timedelta(milliseconds=1),
        generation=instance.inputs,
        source=SOURCE,
        kind=fired.content.kind,
        body=fired.to_json(),
    )


def drop_timers(instance: FlowInstance, *, key: ConversationKey) -> TimerDrop:
    """What removes the timers of an ended instance."""
    return TimerDrop(conv=str(key), name=f"{TTL}:{instance.id}")


async def fire_timers(
    storage: FlowStorage, partitions: Partitions, clock: Clock, *, fired: Callable[[], None]
) -> None:
    """Lets due timers become inbox rows for ever; calls ``fired`` after each round that did."""
    while True:
        try:
            seqs, wait = await storage.fire(partitions.fence, 200)
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("timers wait for the storage: %s", error)
            seqs, wait = (), LONGEST_SLEEP
        if seqs:
            fired()
            continue
        await clock.sleep(LONGEST_SLEEP if wait is None else min(max(wait, 0.001), LONGEST_SLEEP))
