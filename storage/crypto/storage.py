"""A storage that keeps what people have said encrypted, whichever storage keeps it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from flows.errors import BadRow, CorruptState, StorageDown
from flows.ports import (
    Committed,
    Fence,
    FlowStorage,
    InboxRow,
    Limits,
    Line,
    LineRow,
    Outcome,
    OutgoingRow,
    Page,
    PendingRow,
    Query,
    SendResult,
    Snapshot,
    TurnCommit,
)
from storage.crypto import marks
from storage.crypto.forwarding import Forwarding
from storage.crypto.keys import CannotOpen, Keyring, room
from storage.crypto.rows import Rows
from storage.limits import NAME_CHARS

Row = TypeVar("Row")

LONGEST_PLACE = NAME_CHARS * 4
"""Bytes of the longest key of a conversation."""

KEY_MISSING = "With that key, 'handrail replay' has the dead letter handled"
"""What to do about a state that nothing is wrong with."""


class EncryptedStorage(Forwarding):
    """Keeps states, updates, messages, results, timers and dead letters encrypted in ``inner``.

    What was stored before there was a key stays readable, and is encrypted when it is written
    next. For each method see ``flows.ports.FlowStorage``.

    Args:
        inner: the storage that keeps everything.
        keys: the first one encrypts, all of them decrypt.
    """

    def __init__(self, inner: FlowStorage, keys: Keyring) -> None:
        super().__init__(inner)
        self._keys = keys
        self._rows: Rows | None = None

    async def open(self) -> Limits:
        """Raises SecretKeyMissing where the database was written with a key that is not here."""
        limits = await self.inner.open()
        used = await marks.check(self.inner, self._keys.ids)
        if self._keys.primary not in used:
            await marks.use(self.inner, self._keys.primary)
        limits = replace(
            limits,
            state_bytes=room(limits.state_bytes, LONGEST_PLACE),
            body_bytes=room(limits.body_bytes, LONGEST_PLACE),
            sealed=True,
        )
        self._rows = Rows(self._keys, state_bytes=limits.state_bytes, body_bytes=limits.body_bytes)
        return limits

    async def accept(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        return await self.inner.accept(_each(rows, self._opened.inbox))

    async def pending(
        self, fence: Fence, skip: Collection[int], limit: int
    ) -> Sequence[PendingRow]:
        found = await self.inner.pending(fence, skip, limit)
        return [self._opened.pending(row) for row in found]

    async def note(self, fence: Fence, seq: int, notes: str) -> Outcome:
        (sealed,) = _each([notes], lambda text: self._opened.notes(seq, text))
        return await self.inner.note(fence, seq, sealed)

    async def load(self, keys: Collection[str]) -> Mapping[str, Snapshot]:
        found = await self.inner.load(keys)
        return {key: self._snapshot(key, snapshot) for key, snapshot in found.items()}

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        return await self.inner.commit(fence, _each(turns, self._opened.turn))

    async def outgoing(
        self, fence: Fence, skip: Collection[str], limit: int
    ) -> Sequence[OutgoingRow]:
        found = await self.inner.outgoing(fence, skip, limit)
        return [self._opened.outgoing(row) for row in found]

    async def sent(self, fence: Fence, results: Sequence[SendResult]) -> Sequence[Outcome]:
        return await self.inner.sent(fence, _each(results, self._opened.result))

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        """Besides, says again which key is in use: a rotation may have retired it that has not
        seen this worker, which was started with the old key alone and wrote nothing just then.
        """
        fence = await self.inner.lease(worker, want, ttl)
        if self._keys.primary not in await marks.in_use(self.inner):
            await marks.use(self.inner, self._keys.primary)
        return fence

    async def refs(self, conv: str, slots: Collection[str]) -> Mapping[str, str]:
        found = await self.inner.refs(conv, slots)
        return {slot: self._opened.reference(conv, ref) for slot, ref in found.items()}

    async def record(self, rows: Sequence[LineRow]) -> Sequence[int | None]:
        return await self.inner.record(_each(rows, self._opened.line))

    async def lines(
        self,
        conv: str,
        track: str,
        *,
        after: int,
        limit: int,
        newest: bool = False,
        before: int | None = None,
    ) -> Sequence[Line]:
        found = await self.inner.lines(
            conv, track, after=after, limit=limit, newest=newest, before=before
        )
        return [self._opened.recorded(conv, line) for line in found]

    async def aliases(self) -> Mapping[tuple[str, str], str]:
        return marks.without(await self.inner.aliases())

    async def inspect(self, query: Query) -> Page:
        page = await self.inner.inspect(query)
        return Page([self._opened.listed(row) for row in page.rows], page.next)

    async def recode(self, change: Callable[[str], str]) -> int:
        return await self.inner.recode(lambda text: self._keys.reseal(text, change))

    @property
    def _opened(self) -> Rows:
        if self._rows is None:
            raise StorageDown("the storage is not open. Await open() before anything else.")
        return self._rows

    def _snapshot(self, key: str, snapshot: Snapshot) -> Snapshot:
        try:
            state = self._opened.state(key, snapshot.state)
        except CannotOpen as error:
            if error.missing:
                raise CorruptState(key, str(error), remedy=KEY_MISSING) from error
            raise CorruptState(key, str(error)) from error
        return Snapshot(snapshot.version, snapshot.cause, state)


def _each(rows: Sequence[Row], change: Callable[[Row], Row]) -> Sequence[Row]:
    """The rows, changed. Raises BadRow with the place of the first that cannot be stored."""
    changed: list[Row] = []
    for index, row in enumerate(rows):
        try:
            changed.append(change(row))
        except ValueError as error:
            raise BadRow(index, str(error)) from error
    return changed
