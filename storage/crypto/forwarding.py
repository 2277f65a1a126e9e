"""A storage that hands every call on to another one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

from flows.ports import (
    AuditRow,
    ChatPage,
    Committed,
    Fence,
    FlowStorage,
    InboxRow,
    Limits,
    Line,
    LineRow,
    MessageName,
    Outcome,
    OutgoingRow,
    Page,
    PendingRow,
    Query,
    SendResult,
    Snapshot,
    Swept,
    Tally,
    TurnCommit,
)


class Forwarding:
    """For each method see ``flows.ports.FlowStorage``; what is not overridden is handed on.

    Args:
        inner: the storage that keeps everything.
    """

    def __init__(self, inner: FlowStorage) -> None:
        self.inner = inner

    async def open(self) -> Limits:
        return await self.inner.open()

    async def close(self) -> None:
        await self.inner.close()

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        return await self.inner.lease(worker, want, ttl)

    async def release(self, worker: str) -> None:
        await self.inner.release(worker)

    async def accept(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        return await self.inner.accept(rows)

    async def pending(
        self, fence: Fence, skip: Collection[int], limit: int
    ) -> Sequence[PendingRow]:
        return await self.inner.pending(fence, skip, limit)

    async def note(self, fence: Fence, seq: int, notes: str) -> Outcome:
        return await self.inner.note(fence, seq, notes)

    async def load(self, keys: Collection[str]) -> Mapping[str, Snapshot]:
        return await self.inner.load(keys)

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        return await self.inner.commit(fence, turns)

    async def fire(self, fence: Fence, limit: int) -> tuple[Sequence[int], float | None]:
        return await self.inner.fire(fence, limit)

    async def outgoing(
        self, fence: Fence, skip: Collection[str], limit: int
    ) -> Sequence[OutgoingRow]:
        return await self.inner.outgoing(fence, skip, limit)

    async def sent(self, fence: Fence, results: Sequence[SendResult]) -> Sequence[Outcome]:
        return await self.inner.sent(fence, results)

    async def refs(self, conv: str, slots: Collection[str]) -> Mapping[str, str]:
        return await self.inner.refs(conv, slots)

    async def waiting(self, names: Collection[MessageName]) -> Mapping[MessageName, int]:
        return await self.inner.waiting(names)

    async def private_chats(self, source: str, after: str | None, limit: int) -> ChatPage:
        return await self.inner.private_chats(source, after, limit)

    async def record(self, rows: Sequence[LineRow]) -> Sequence[int | None]:
        return await self.inner.record(rows)

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
        return await self.inner.lines(
            conv, track, after=after, limit=limit, newest=newest, before=before
        )

    async def alias(self, source: str, chat: str, canonical: str) -> None:
        await self.inner.alias(source, chat, canonical)

    async def aliases(self) -> Mapping[tuple[str, str], str]:
        return await self.inner.aliases()

    async def sweep(self, before: int, limit: int) -> Swept:
        return await self.inner.sweep(before, limit)

    async def erase(self, person: str) -> int:
        return await self.inner.erase(person)

    async def inspect(self, query: Query) -> Page:
        return await self.inner.inspect(query)

    async def tally(self) -> Sequence[Tally]:
        return await self.inner.tally()

    async def audit(self, row: AuditRow) -> None:
        await self.inner.audit(row)

    async def replay(self, dead: int) -> int | None:
        return await self.inner.replay(dead)

    async def recode(self, change: Callable[[str], str]) -> int:
        return await self.inner.recode(change)

    def wakes(self) -> AsyncIterator[None]:
        return self.inner.wakes()
