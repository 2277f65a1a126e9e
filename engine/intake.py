"""Accepting: a page of updates becomes durable before its channel acknowledges it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from engine.aliases import Aliases
from engine.delivery import Sender
from engine.mailboxes import Item
from engine.presses import Presses
from engine.scopes import order_key
from engine.turns import Turns
from flows.conversation import partition_of
from flows.errors import BadRow, OutcomeUnknown, StorageDown
from flows.ports import FlowStorage, InboxRow
from flows.registry import FlowRegistry
from flows.updates import Update

_log = logging.getLogger("handrail.engine")


class Inbox:
    """The ``Intake`` of a worker's channels.

    Args:
        registry: the flows; what they are keyed by decides what an update is in order with.
    """

    def __init__(
        self,
        registry: FlowRegistry,
        storage: FlowStorage,
        turns: Turns,
        sender: Sender,
        presses: Presses,
        aliases: Aliases,
    ) -> None:
        self._registry = registry
        self._storage = storage
        self._turns = turns
        self._sender = sender
        self._presses = presses
        self._aliases = aliases

    async def accept(self, updates: Sequence[Update]) -> None:
        """Keeps a page; see ``flows.ports.Intake``."""
        if not updates:
            return
        updates = [await self._aliases.received(update) for update in updates]
        items = await self._keep(updates)
        for item in items:
            self._presses.accepted(item.update)
        if items:
            self._turns.offer(items)

    async def _keep(self, updates: Sequence[Update]) -> list[Item]:
        """Stores the page; answers those that are new. One that no storage could ever take is
        left out, or its channel would hand it in for ever.
        """
        kept, rows = list(updates), [self._row(update) for update in updates]
        while True:
            try:
                seqs = await self._storage.accept(rows)
            except BadRow as error:
                place, culprit = error.index, kept[error.index]
                if culprit.raw is None:
                    _log.error("%s %s is dropped: %s", culprit.source, culprit.ext, error.reason)
                    del kept[place], rows[place]
                else:
                    kept[place] = replace(culprit, raw=None)
                    rows[place] = self._row(kept[place])
            except OutcomeUnknown as error:
                # handed in again, what is there counts as known: it comes from the database
                self._turns.fall_behind()
                raise StorageDown(str(error)) from error
            else:
                return [
                    Item(seq=seq, part=row.part, conv=row.conv, update=update)
                    for update, row, seq in zip(kept, rows, seqs, strict=True)
                    if seq is not None
                ]

    async def put(self, row: InboxRow, update: Update) -> int | None:
        """Keeps a row that does not come from a channel, and lets its turn run; answers its
        number, or None where it is known already.

        Raises:
            BadRow: it cannot be stored.
            OutcomeUnknown: it may or may not be kept.
        """
        try:
            (seq,) = await self._storage.accept([row])
        except OutcomeUnknown:
            self._turns.fall_behind()
            raise
        if seq is not None:
            self._turns.offer([Item(seq=seq, part=row.part, conv=row.conv, update=update)])
        return seq

    def forget(self) -> None:
        """Somebody was erased: what is in memory of conversations may be theirs."""
        self._turns.forget_states()

    async def settle(self) -> None:
        """Returns when nothing is left to do; see ``flows.ports.Intake``."""
        while not (self._turns.idle.is_set() and self._sender.idle.is_set()):
            await self._turns.idle.wait()
            await self._sender.idle.wait()

    def _row(self, update: Update) -> InboxRow:
        if update.address is not None:
            part = update.address.partition
        else:
            part = partition_of(update.source, "")
        return InboxRow(
            source=update.source,
            ext=update.ext,
            part=part,
            conv=order_key(update, self._registry.keys),
            kind=update.content.kind,
            body=update.to_json(),
            at=update.at,
        )
