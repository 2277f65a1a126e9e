"""Orders on their way: rows in the inbox of a conversation, and receipts for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace

from engine.operate.homes import Home
from engine.turns.scopes import order_key
from flows.keys import Key
from flows.ports import Clock, FlowStorage, InboxRow, Query
from flows.updates import Order, Update

SOURCE = "order"
"""Source of the inbox rows that orders become."""

LOOK_AGAIN = 0.05
"""Seconds between two looks whether an order is done."""

Put = Callable[[InboxRow, Update], Awaitable[int | None]]
"""Keeps a row durably: answers its number, or None where (source, ext) is known already."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An order that is durable.

    Attributes:
        seq: the number of its row in the inbox.
        conversation: the key of the conversation whose turn it will be.
    """

    seq: int
    conversation: str


def update_of(order: Order, home: Home, *, ext: str, at: int) -> Update:
    """The update that brings an order to a conversation."""
    return Update(
        source=home.address.source,
        ext=ext,
        content=replace(order, scope=home.scope),
        at=at,
        address=home.address,
        user=home.user,
        private=home.user is not None and home.user.id == home.address.chat,
    )


def row_of(update: Update, home: Home, keys: Collection[Key]) -> InboxRow:
    """Its row in the inbox; ``keys`` are what the registered flows are keyed by."""
    return InboxRow(
        source=SOURCE,
        ext=update.ext,
        part=home.address.partition,
        conv=order_key(update, keys) or home.scope,
        kind=update.content.kind,
        body=update.to_json(),
        at=update.at,
    )


def into_inbox(storage: FlowStorage) -> Put:
    """Keeps rows in the inbox; whichever process owns the conversation takes them from there."""

    async def put(row: InboxRow, update: Update) -> int | None:
        (seq,) = await storage.accept([row])
        return seq

    return put


async def until_done(
    receipt: Receipt, storage: FlowStorage, clock: Clock, *, seconds: float
) -> bool:
    """Waits until the turn of an order is committed; False when it takes longer."""
    deadline = clock.monotonic() + seconds
    while await _is_undone(receipt, storage):
        if clock.monotonic() >= deadline:
            return False
        await clock.sleep(LOOK_AGAIN)
    return True


async def _is_undone(receipt: Receipt, storage: FlowStorage) -> bool:
    query = Query(what="inbox", conv=receipt.conversation, limit=1000)
    # oldest first: what is not in the first page is behind a thousand others, and undone too
    page = await storage.inspect(query)
    return page.next is not None or any(row["seq"] == receipt.seq for row in page.rows)
