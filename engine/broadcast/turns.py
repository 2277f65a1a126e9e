"""The turns of broadcasts: what is to be done about one, done in a transaction each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from engine.broadcast import progress
from engine.broadcast.change import Change
from engine.broadcast.feeding import feed, report
from engine.broadcast.head import Head, Recipient, State
from engine.broadcast.keys import INDEX, broadcast_in, head_key, recipient_key
from engine.intake.mailboxes import Item
from engine.patience import patiently
from flows.conversation import Address, ConversationKey
from flows.errors import CorruptState
from flows.messages.speaking import Translator
from flows.ports import Clock, FlowStorage, Snapshot, TimerRow, TurnCommit
from flows.updates import BroadcastOrder, Person, SendFailed, Update

if TYPE_CHECKING:  # Babel is loaded where there are languages, and nowhere else
    from engine.languages import Languages

LISTED = 100
"""Broadcasts that the index names before those are taken out that were swept."""

PARK = "park"
"""The name of the timer that tells a conversation that its chat is closed."""

_log = logging.getLogger("handrail.broadcast")


class BroadcastTurns:
    """Does what is to be done about broadcasts, for the worker that holds their partitions.

    Args:
        languages: those of the App, for saying how far a broadcast is; None: it has none.
    """

    def __init__(self, storage: FlowStorage, clock: Clock, languages: Languages | None) -> None:
        self._storage = storage
        self._clock = clock
        self._languages = languages

    async def run(self, item: Item) -> TurnCommit:
        """The commit of one turn. It may be run again.

        Raises:
            CorruptState: what is stored of the broadcast cannot be read.
        """
        return await patiently(self._clock, lambda: self._run(item))

    async def _run(self, item: Item) -> TurnCommit:
        broadcast = broadcast_in(item.conv) or ""
        key = head_key(broadcast)
        snapshot = (await self._storage.load([key])).get(key)
        change = Change(item, broadcast, snapshot, self._clock.now())
        head = Head.decode(key, snapshot.state) if snapshot is not None else None
        content = item.update.content
        match content:
            case BroadcastOrder(order="send"):
                after = await self._begun(change, head, content)
            case BroadcastOrder() | SendFailed() if head is None:
                _log.warning("the broadcast %s is not there any more", broadcast)
                return change.unchanged()
            case BroadcastOrder(order="add") if head is not None:
                after = _added(change, head, content.chats)
            case BroadcastOrder(order="feed") if head is not None:
                heeded = content.tick == head.tick and head.ended is None
                words = self._words(head)
                after = await feed(self._storage, change, head, words) if heeded else None
            case BroadcastOrder() if head is not None:
                after = _moved(change, head, content, self._words(head))
            case SendFailed() if head is not None:
                after = await self._failed(change, head, content)
            case _:
                after = None
        return change.unchanged() if after is None else change.committing(after)

    def _words(self, head: Head) -> Translator | None:
        """Those that say how far it is. A locale that is there no more counts as a language, as it
        does where people are spoken to.
        """
        if self._languages is None:
            return None
        return self._languages.words(self._languages.nearest(head.locale or ""))

    async def _begun(self, change: Change, head: Head | None, order: BroadcastOrder) -> Head | None:
        if head is not None:
            return None
        head = Head.begun(change.id, order, change.now)
        await self._list_in_index(change)
        if head.everybody:
            change.feed_at(head.tick, change.now)
        return head

    async def _list_in_index(self, change: Change) -> None:
        index = (await self._storage.load([INDEX])).get(INDEX)
        known = named_in(index)
        if len(known) >= LISTED:
            there = await self._storage.load([head_key(one) for one in known])
            known = [one for one in known if head_key(one) in there]
        change.list_in(index, orjson.dumps([*known, change.id]).decode())

    # --- messages that will never arrive --------------------------------------------------

    async def _failed(self, change: Change, head: Head, failed: SendFailed) -> Head | None:
        if failed.slot == progress.SLOT:
            _log.warning("nobody is shown how far broadcast %s is: %s", head.id, failed.reason)
            return replace(head, report_to=None)
        number = int(change.item.update.ext.rpartition(".")[2])
        key = recipient_key(head.id, number)
        snapshot = (await self._storage.load([key])).get(key)
        if snapshot is None:
            return None
        recipient = Recipient.decode(key, snapshot.state)
        if recipient.outcome is not None:
            return None  # it was sent again by hand, and has failed again
        outcome = "blocked" if failed.blocked else "failed"
        change.tell_apart(head, number, snapshot, replace(recipient, outcome=outcome))
        if failed.blocked:
            await self._park(change, head, recipient.chat, failed)
        return _counted(head, number, outcome)

    async def _park(self, change: Change, head: Head, chat: str, failed: SendFailed) -> None:
        """The person's conversation is told, where there is one, as if it had sent the message."""
        address = Address(head.source, chat)
        key = str(ConversationKey(address, chat))
        try:
            if key not in await self._storage.load([key]):
                return
        except CorruptState as error:
            _log.warning("%s is not told that its chat is closed: %s", key, error)
            return
        update = Update(
            source=head.source,
            ext="",
            content=replace(failed, slot=None, scope=key),
            at=change.now,
            address=address,
            user=Person(id=chat),
        )
        change.timers.append(
            TimerRow(
                conv=key,
                name=PARK,
                part=address.partition,
                due=change.now,
                generation=0,
                source="outbox",
                kind=failed.kind,
                body=update.to_json(),
            )
        )


def named_in(index: Snapshot | None) -> list[str]:
    """The broadcasts that the index names, the oldest first.

    Raises:
        CorruptState: it is none of ours.
    """
    if index is None:
        return []
    names = orjson.loads(index.state)
    if not isinstance(names, list):
        raise CorruptState(INDEX, "it is no list of broadcasts")
    return [str(name) for name in names]


def _added(change: Change, head: Head, chats: Sequence[str]) -> Head | None:
    if head.over:
        return None
    change.add_recipients(head, list(chats))
    head = replace(head, total=head.total + len(chats), lists=head.lists - 1)
    if head.listed and head.state is State.RUNNING:
        change.feed_at(head.tick, change.now)
    return head


def _moved(
    change: Change, head: Head, order: BroadcastOrder, words: Translator | None
) -> Head | None:
    """Pauses, resumes or cancels it; what it cannot do any more is passed over."""
    if head.over:
        return None
    head = replace(head, tick=head.tick + 1, closing=False)
    if order.order == "pause":
        change.stop_feeding()
        return report(change, replace(head, state=State.PAUSED), words)
    change.feed_at(head.tick, change.now)
    if order.order == "resume":
        return replace(head, state=State.RUNNING)
    return replace(head, state=State.CANCELLED, everybody=False, lists=0)


def _counted(head: Head, number: int, outcome: str) -> Head:
    """It was taken for sent where it was not out any more."""
    out = tuple(one for one in head.out if one[0] != number)
    sent = head.sent - (len(out) == len(head.out))
    if outcome == "blocked":
        return replace(head, out=out, sent=sent, blocked=head.blocked + 1)
    return replace(head, out=out, sent=sent, failed=head.failed + 1)
