"""Accepting: a page of updates becomes durable before its channel acknowledges it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.delivery import Sender
from engine.mailboxes import Item
from engine.presses import Presses
from engine.turns import Turns
from flows.conversation import partition_of
from flows.ports import FlowStorage, InboxRow
from flows.updates import Update


class Inbox:
    """The ``Intake`` of a worker's channels."""

    def __init__(
        self, storage: FlowStorage, turns: Turns, sender: Sender, presses: Presses
    ) -> None:
        self._storage = storage
        self._turns = turns
        self._sender = sender
        self._presses = presses

    async def accept(self, updates: Sequence[Update]) -> None:
        """Keeps a page; see ``flows.ports.Intake``."""
        if not updates:
            return
        seqs = await self._storage.accept([_row(update) for update in updates])
        items = [
            Item(seq=seq, box=_box(update, seq), update=update)
            for update, seq in zip(updates, seqs, strict=True)
            if seq is not None
        ]
        for item in items:
            self._presses.accepted(item.update)
        if items:
            self._turns.offer(items)

    async def settle(self) -> None:
        """Returns when nothing is left to do; see ``flows.ports.Intake``."""
        while not (self._turns.idle.is_set() and self._sender.idle.is_set()):
            await self._turns.idle.wait()
            await self._sender.idle.wait()


def _box(update: Update, seq: int) -> str:
    key = update.conversation
    return str(key) if key is not None else f"#{seq}"


def _row(update: Update) -> InboxRow:
    key = update.conversation
    if update.address is not None:
        part = update.address.partition
    else:
        part = partition_of(update.source, "")
    return InboxRow(
        source=update.source,
        ext=update.ext,
        part=part,
        conv=str(key) if key is not None else None,
        kind=update.content.kind,
        body=update.to_json(),
        at=update.at,
    )
