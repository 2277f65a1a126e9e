"""Accepting: a page of updates becomes durable before its channel acknowledges it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

from engine.delivery import Sender
from engine.intake.aliases import Aliases
from engine.intake.mailboxes import MALFORMED, NO_UPDATE, Item, Unreadable
from engine.routes.presses import Presses
from engine.telemetry.observing import Observing
from engine.turns.scopes import order_key
from engine.turns.ticks import Turns
from flows.conversation import partition_of
from flows.errors import BadRow, OutcomeUnknown, StorageDown
from flows.ports import FlowStorage, InboxRow
from flows.routing.registry import FlowRegistry
from flows.updates import Other, Press, Update

_log = logging.getLogger("handrail.engine")


class Inbox:
    """The ``Intake`` of a worker's channels.

    Args:
        registry: the flows; what they are keyed by decides what an update is in order with.
        everywhere: whether other workers take updates in at the same time: then what they have
            taken in is read before anything newer of ours is run.
        observing: who is told of every page; None: nobody.
    """

    def __init__(
        self,
        registry: FlowRegistry,
        storage: FlowStorage,
        turns: Turns,
        sender: Sender,
        presses: Presses,
        aliases: Aliases,
        *,
        everywhere: bool = False,
        observing: Observing | None = None,
    ) -> None:
        self._registry = registry
        self._storage = storage
        self._turns = turns
        self._sender = sender
        self._presses = presses
        self._aliases = aliases
        self._everywhere = everywhere
        self._observing = observing

    async def accept(self, updates: Sequence[Update]) -> Sequence[Update]:
        """Keeps a page; see ``flows.ports.Intake``."""
        if not updates:
            return ()
        begun = perf_counter() if self._observing is not None else 0.0
        items, left_out = await self._keep(await self._aliases.all_received(updates))
        if self._observing is not None:
            seqs, known = [item.seq for item in items], len(updates) - len(items) - len(left_out)
            self._observing.accepted(updates[0].source, seqs, duplicates=known, begun=begun)
        for item in items:
            if isinstance(item.update.content, Press):
                self._presses.accepted(item)
        if items:
            if self._everywhere:
                self._turns.fall_behind()
            self._turns.offer(items)
        return left_out

    async def set_aside(self, source: str, ext: str, body: str, *, at: int) -> None:
        """Keeps what is no update as a dead letter; see ``flows.ports.Intake``. What no storage
        takes, however often it is handed in, is left out.
        """
        row = InboxRow(source, ext, partition_of(source, ""), None, MALFORMED, body, at)
        try:
            (seq,) = await self._storage.accept([row])
        except BadRow as error:
            _log.error("what came in as %s %s is dropped: %s", source, ext, error.reason)
            return
        except OutcomeUnknown as error:
            self._turns.fall_behind()
            raise StorageDown(str(error)) from error
        if seq is not None:
            update = Update(source=source, ext=ext, content=Other(MALFORMED, silent=True), at=at)
            unreadable = Unreadable(body, NO_UPDATE)
            self._turns.offer([Item(seq, row.part, None, update, unreadable=unreadable)])

    async def _keep(self, updates: Sequence[Update]) -> tuple[list[Item], list[Update]]:
        """Stores the page; answers those that are new, and those that no storage could ever take:
        these are left out, or their channel would hand them in for ever.
        """
        left_out: list[Update] = []
        kept, rows = list(updates), [self._row(update) for update in updates]
        while True:
            try:
                seqs = await self._storage.accept(rows)
            except BadRow as error:
                place, culprit = error.index, kept[error.index]
                if culprit.raw is None:
                    _log.error("%s %s is dropped: %s", culprit.source, culprit.ext, error.reason)
                    left_out.append(culprit)
                    del kept[place], rows[place]
                else:
                    kept[place] = replace(culprit, raw=None)
                    rows[place] = self._row(kept[place])
            except OutcomeUnknown as error:
                # handed in again, what is there counts as known: it comes from the database
                self._turns.fall_behind()
                raise StorageDown(str(error)) from error
            else:
                if None in seqs:
                    # another worker may have kept what this one has never seen: it goes first
                    self._turns.fall_behind()
                items = [
                    Item(seq, row.part, row.conv, update, 0, {}, None)
                    for update, row, seq in zip(kept, rows, seqs, strict=True)
                    if seq is not None
                ]
                return items, left_out

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

    async def put_all(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        """Keeps rows that do not come from a channel, all of them or none, and has their turns run
        in their order, whoever holds their partition. Answers their numbers.

        Raises:
            BadRow: one cannot be stored.
            OutcomeUnknown: they may or may not be kept.
        """
        try:
            return await self._storage.accept(rows)
        finally:
            self._turns.fall_behind()

    def forget(self, person: str) -> None:
        """Somebody was erased: nothing in memory that is theirs may be used, or be sent."""
        self._turns.forget_person(person)
        self._sender.forget_person(person)

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
        order = order_key(update, self._registry.keys)
        return InboxRow(
            update.source, update.ext, part, order, update.content.kind, update.to_json(), update.at
        )
