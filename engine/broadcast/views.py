"""A broadcast, as people and programs outside of it see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from engine.broadcast import progress
from engine.broadcast.feeding import out_of, settled
from engine.broadcast.head import Head, State
from engine.broadcast.keys import head_key
from flows.errors import UnknownBroadcast
from flows.messages.replies import send_from_json
from flows.ports import FlowStorage, Query
from flows.updates import BroadcastOrder, Update


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastView:
    """How far a broadcast is.

    Attributes:
        text: what it says.
        state: ``queued`` (no bot has begun it yet), ``running``, ``paused``, ``cancelled`` or
            ``done``.
        listed: whether all recipients are known; until then, ``total`` grows.
        total: how many recipients there are.
        fed: for how many it was their turn.
        out: how many messages are on their way.
        sent: how many messages have arrived.
        blocked: how many cannot, because their chat is closed to the bot.
        failed: how many cannot for another reason.
        gone: how many recipients were erased before it was their turn.
        rate: messages a second, at the most.
        left: seconds that it takes at the least; None: it does not go on, or that is not known.
    """

    id: str
    source: str
    text: str
    state: str
    listed: bool
    total: int
    fed: int
    out: int
    sent: int
    blocked: int
    failed: int
    gone: int
    rate: int
    began: datetime
    ended: datetime | None
    left: float | None

    @property
    def settled(self) -> int:
        """How many recipients it is over for."""
        return self.sent + self.blocked + self.failed + self.gone


async def view(storage: FlowStorage, broadcast: str) -> tuple[Head, BroadcastView]:
    """One broadcast, as it is now: also where nothing has fed it for a while.

    Raises:
        UnknownBroadcast: there is none of that id.
        CorruptState: it cannot be read.
    """
    head = (
        await _stored(storage, broadcast)
        or await _queued(storage, broadcast)
        or await _stored(storage, broadcast)  # it has begun between the two looks
    )
    if head is None:
        raise UnknownBroadcast(broadcast)
    if head.out:
        head = settled(head, await storage.waiting(out_of(head)))
    return head, _viewed(head)


async def _stored(storage: FlowStorage, broadcast: str) -> Head | None:
    key = head_key(broadcast)
    snapshot = (await storage.load([key])).get(key)
    return None if snapshot is None else Head.decode(key, snapshot.state)


async def _queued(storage: FlowStorage, broadcast: str) -> Head | None:
    """One whose beginning lies in the inbox still."""
    query = Query(what="inbox", conv=head_key(broadcast), limit=1)
    for row in (await storage.inspect(query)).rows:
        order = Update.from_json(row["body"]).content
        if isinstance(order, BroadcastOrder) and order.order == "send":
            return replace(Head.begun(broadcast, order, row["at"]), state=State.QUEUED)
    return None


def _viewed(head: Head) -> BroadcastView:
    ended = head.ended if head.over else None
    return BroadcastView(
        id=head.id,
        source=head.source,
        text=send_from_json(head.body).text,
        state=head.state.value,
        listed=head.listed or head.state is State.CANCELLED,
        total=head.total,
        fed=head.position,
        out=len(head.out),
        sent=head.sent,
        blocked=head.blocked,
        failed=head.failed,
        gone=head.gone,
        rate=head.rate,
        began=_moment(head.began),
        ended=None if ended is None else _moment(ended),
        left=progress.remaining(head),
    )


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, tz=UTC)
