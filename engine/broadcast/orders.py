"""What is to be done about a broadcast, as rows of the inbox or as timers that become such."""

from __future__ import annotations

from collections.abc import Iterator

from engine.broadcast.keys import head_key, partition_of_broadcast
from flows.messages.broadcasts import CHANNEL, Broadcast
from flows.messages.replies import send_to_json
from flows.ports import InboxRow, TimerRow
from flows.updates import BroadcastOrder, Update

LIST = 500
"""Recipients that one order adds: so many rows are written in one transaction."""

FEED = "feed"
"""The name of the timer that has the next messages fed."""


def orders_of(broadcast: Broadcast) -> Iterator[BroadcastOrder]:
    """What begins a broadcast, in this order."""
    chats = broadcast.chats or ()
    lists = [chats[start : start + LIST] for start in range(0, len(chats), LIST)]
    yield BroadcastOrder(
        order="send",
        source=broadcast.source,
        body=send_to_json(broadcast.reply),
        everybody=broadcast.chats is None,
        lists=len(lists),
        rate=broadcast.rate,
        report_to=broadcast.report_to,
        locale=broadcast.locale,
    )
    for some in lists:
        yield BroadcastOrder(order="add", chats=some)


def row_of(broadcast: str, order: BroadcastOrder, *, ext: str, at: int) -> InboxRow:
    """An order as a row of the inbox.

    Args:
        ext: names the order: a second one of the same name is a duplicate.
        at: when it was given, milliseconds since the epoch.
    """
    update = _update(order, ext, at)
    return InboxRow(
        source=CHANNEL,
        ext=ext,
        part=partition_of_broadcast(broadcast),
        conv=head_key(broadcast),
        kind=order.kind,
        body=update.to_json(),
        at=at,
    )


def feeding(broadcast: str, tick: int, due: int) -> TimerRow:
    """The timer that has the next messages fed."""
    return _timer(broadcast, FEED, BroadcastOrder(order="feed", tick=tick), due)


def timers_of(broadcast: Broadcast, now: int) -> list[TimerRow]:
    """What begins a broadcast as timers that are due at once, one after the other: so it begins
    with the turn that sets them, or not at all.
    """
    return [
        _timer(broadcast.id, f"begin {place}", order, now + place)
        for place, order in enumerate(orders_of(broadcast))
    ]


def _timer(broadcast: str, name: str, order: BroadcastOrder, due: int) -> TimerRow:
    return TimerRow(
        conv=head_key(broadcast),
        name=name,
        part=partition_of_broadcast(broadcast),
        due=due,
        generation=order.tick,
        source=CHANNEL,
        kind=order.kind,
        body=_update(order, "", due).to_json(),
    )


def _update(order: BroadcastOrder, ext: str, at: int) -> Update:
    return Update(source=CHANNEL, ext=ext, content=order, at=at)
