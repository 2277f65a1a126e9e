"""Feeding: which messages of a broadcast go into the outbox now.

Only a second's worth of them is in the outbox at a time. What waits there goes out oldest first:
of a hundred thousand that were put there at once, the last would be behind an hour of others, and
so would be every answer to a person that is written meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.broadcast import progress
from engine.broadcast.change import Change
from engine.broadcast.head import Head, Recipient, State
from engine.broadcast.keys import head_key, recipient_key
from engine.broadcast.orders import LIST
from engine.state.conversation import Conversation
from flows.conversation import key_text
from flows.errors import CorruptState
from flows.messages.replies import Reply, edited, send_to_json
from flows.messages.speaking import Translator
from flows.ports import FlowStorage, MessageName, Snapshot

SECOND = 1000
"""Milliseconds between two looks whether there is room for more messages."""

MOST_OUT = 1000
"""Messages that may be on their way at once, those included that are to be tried again later: who
cannot be reached for a while holds up nobody else.
"""

REPORT = 5000
"""Milliseconds between two reports of how far it is."""

_log = logging.getLogger("handrail.broadcast")


@dataclass(frozen=True, slots=True)
class Next:
    """The recipients who are next.

    Attributes:
        known: by number, as they were loaded; who was erased is absent.
        closed: the chats that are known to be closed to the bot.
    """

    numbers: range
    known: Mapping[int, tuple[Snapshot, Recipient]]
    closed: frozenset[str]


async def feed(storage: FlowStorage, change: Change, head: Head, words: Translator | None) -> Head:
    """What is due of a broadcast: whom it goes to, what has become of its messages, more of them.
    Answers what it is from now on.

    Args:
        words: those that say how far it is; None: the original ones.
    """
    if not head.listed:
        return await _list(storage, change, head) if head.state is State.RUNNING else head
    waiting = await _waiting(storage, head)
    head = _settled(head, waiting)
    if head.state is State.RUNNING:
        head = await _send(storage, change, head, waiting)
    head = _ended(head, change.now)
    head = _reported(change, head, waiting, words)
    if head.ended is None and head.state is not State.PAUSED:
        change.feed_at(head.tick, change.now + (0 if head.closing else SECOND))
    return head


def settled(head: Head, waiting: Mapping[MessageName, int]) -> Head:
    """The broadcast as it is now, where nothing has fed it for a while."""
    return _settled(head, waiting)


def out_of(head: Head) -> list[MessageName]:
    """The messages that may be on their way."""
    return [(recipient_key(head.id, number), turn, number) for number, turn in head.out]


async def _list(storage: FlowStorage, change: Change, head: Head) -> Head:
    """Notes the next private chats of the bot as recipients."""
    if not head.everybody:
        return head  # the lists come by themselves
    page = await storage.private_chats(head.source, head.place, LIST)
    change.add_recipients(head, list(page.chats))
    change.feed_at(head.tick, change.now)
    total = head.total + len(page.chats)
    return replace(head, total=total, place=page.next, everybody=page.next is not None)


async def _waiting(storage: FlowStorage, head: Head) -> Mapping[MessageName, int]:
    names = out_of(head)
    if head.report is not None:
        names.append((head_key(head.id), head.report, 0))
    return await storage.waiting(names) if names else {}


def _settled(head: Head, waiting: Mapping[MessageName, int]) -> Head:
    """What does not wait any more has arrived, unless it is told otherwise."""
    out = tuple(
        (number, turn)
        for number, turn in head.out
        if (recipient_key(head.id, number), turn, number) in waiting
    )
    return replace(head, out=out, sent=head.sent + len(head.out) - len(out))


async def _send(
    storage: FlowStorage, change: Change, head: Head, waiting: Mapping[MessageName, int]
) -> Head:
    """Puts as many messages into the outbox as there is room for."""
    fresh = sum(
        waiting[recipient_key(head.id, number), turn, number] == 0 for number, turn in head.out
    )
    room = max(min(head.rate - fresh, MOST_OUT - len(head.out)), 0)
    coming = await _next(storage, head, min(head.position + room, head.total))
    out, blocked, gone = list(head.out), head.blocked, head.gone
    for number in coming.numbers:
        if number not in coming.known:
            gone += 1
            continue
        snapshot, recipient = coming.known[number]
        if recipient.chat in coming.closed:
            blocked += 1
            closed = replace(recipient, outcome="blocked")
            change.tell_apart(head, number, snapshot, closed)
            continue
        change.keep(number, snapshot)
        change.send(head.source, number, recipient.chat, head.body)
        out.append((number, change.item.seq))
    position = coming.numbers.stop
    return replace(head, out=tuple(out), blocked=blocked, gone=gone, position=position)


async def _next(storage: FlowStorage, head: Head, stop: int) -> Next:
    numbers = range(head.position, stop)
    keys = {number: recipient_key(head.id, number) for number in numbers}
    found = await storage.load(list(keys.values())) if keys else {}
    known = {
        number: (found[key], Recipient.decode(key, found[key].state))
        for number, key in keys.items()
        if key in found
    }
    chats = {recipient.chat for _, recipient in known.values()}
    return Next(numbers, known, await _closed(storage, head.source, chats))


async def _closed(storage: FlowStorage, source: str, chats: set[str]) -> frozenset[str]:
    """Which of the private chats are parked: their person has blocked the bot, as far as is
    known.
    """
    keys = {key_text(source, chat, None, chat): chat for chat in chats}
    try:
        found = await storage.load(list(keys)) if keys else {}
        parked = [key for key, one in found.items() if Conversation.decode(key, one.state).parked]
    except CorruptState as error:
        _log.warning("who has blocked the bot is found out by sending: %s", error)
        return frozenset()
    return frozenset(keys[key] for key in parked)


def _ended(head: Head, now: int) -> Head:
    """It has ended once nothing is out any more, and once more: what has failed last was told
    before the second time.
    """
    if head.out or head.state is State.PAUSED or (not head.over and head.position < head.total):
        return replace(head, closing=False)
    if not head.closing:
        return replace(head, closing=True)
    state = head.state if head.over else State.DONE
    return replace(head, state=state, ended=now, closing=False)


def _reported(
    change: Change, head: Head, waiting: Mapping[MessageName, int], words: Translator | None
) -> Head:
    """Shows the chat that wants to know how far it is, unless the last time is on its way yet."""
    on_its_way = head.report is not None and (head_key(head.id), head.report, 0) in waiting
    early = change.now < head.reported + REPORT
    if head.ended is None and (on_its_way or early):
        return head
    return report(change, head, words)


def report(change: Change, head: Head, words: Translator | None) -> Head:
    """Shows the chat that wants to know how far it is, if one does.

    Args:
        words: those that say it; None: the original ones.
    """
    if head.report_to is None:
        return head
    reply = Reply(text=progress.shown(head, words))
    send = reply if head.report is None else edited(progress.SLOT, reply)
    change.show(head, progress.SLOT, send_to_json(send))
    return replace(head, report=change.item.seq, reported=change.now)
