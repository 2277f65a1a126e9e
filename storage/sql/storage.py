"""The storage port over SQL, for every kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from functools import partial

from flows.ports import (
    AuditRow,
    ChatPage,
    Committed,
    Fence,
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
from storage import limits
from storage.clock import Milliseconds, VersionClock, system_clock
from storage.sql import aliases, audit, chats, erase, listing, recode, replay, sweep
from storage.sql.cold import whole
from storage.sql.connect import PATIENCE
from storage.sql.culprit import each_stored
from storage.sql.database import Database, Opened
from storage.sql.dialects import Cursor
from storage.sql.file import FileDatabase
from storage.sql.hot import not_open
from storage.sql.location import Location, locate
from storage.sql.partitions import LeaseCall
from storage.sql.statements import statements_of


class SqlStorage:
    """Conversations in an SQL database; for each method see ``flows.ports.FlowStorage``.

    Args:
        url: such as ``sqlite+aiosqlite:///handrail.db``, where ``?synchronous=NORMAL`` trades
            the last commits before a power cut for speed, or
            ``postgresql+asyncpg://user:password@host/name``.
        clock: in milliseconds, in place of the database's own. SQLite has none but that of its
            process.
        patience: seconds that a call waits for another program's lock.

    Raises:
        StorageError: the URL names no database that can be worked with, or its driver is not
            installed.
    """

    def __init__(
        self, url: str, *, clock: Milliseconds | None = None, patience: float = PATIENCE
    ) -> None:
        place = locate(url)
        self._database: Database
        if isinstance(place, Location):
            self._database = FileDatabase(place, patience=patience)
            clock = clock or system_clock
        else:
            from storage.sql.servers.database import ServerDatabase  # its drivers are extras

            self._database = ServerDatabase(place, patience=patience)
        self._open: Opened | None = None
        self._leased: Collection[int] = frozenset()
        self._sql = self._database.sql
        self._statements = statements_of(type(self._sql), clock)
        self._versions = VersionClock()

    async def open(self) -> Limits:
        if self._open is None:
            self._open = await self._database.open()
        return Limits(
            state_bytes=limits.STATE_BYTES,
            body_bytes=limits.BODY_BYTES,
            durability=self._open.durability,
            shared=self._database.shared,
        )

    async def close(self) -> None:
        opened, self._open = self._open, None
        await self._database.close(opened)

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        call = LeaseCall(worker, want, ttl)
        fence = await self._database.lease(self._opened, self._statements.partitions, call)
        self._leased = frozenset(fence.epochs)
        return fence

    async def release(self, worker: str) -> None:
        await self._database.release(self._opened, self._statements.partitions, worker)
        self._leased = frozenset()

    async def accept(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        limits.check_rows(rows, limits.check_inbox)
        return await each_stored(self._opened.hot, self._accept, rows)

    async def pending(
        self, fence: Fence, skip: Collection[int], limit: int
    ) -> Sequence[PendingRow]:
        work = partial(self._statements.inbox.pending, fence=fence, skip=skip, limit=limit)
        return await self._opened.hot.write(work)

    async def note(self, fence: Fence, seq: int, notes: str) -> Outcome:
        limits.refuse(0, notes, limits.check_notes)
        work = partial(self._statements.inbox.note, fence=fence, seq=seq, notes=notes)
        return await self._opened.hot.write(work)

    async def load(self, keys: Collection[str]) -> Mapping[str, Snapshot]:
        return await self._opened.hot.read(partial(self._statements.scopes.load, keys=keys))

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        limits.check_rows(turns, limits.check_turn)

        def commit(cursor: Cursor, turns: Sequence[TurnCommit]) -> list[Committed]:
            return self._statements.commit.commit(cursor, fence, turns, self._versions)

        return await each_stored(self._opened.hot, commit, turns)

    async def fire(self, fence: Fence, limit: int) -> tuple[Sequence[int], float | None]:
        opened = self._opened
        async with opened.firing:
            return await opened.hot.write(
                partial(self._statements.timers.fire, fence=fence, limit=limit)
            )

    async def outgoing(
        self, fence: Fence, skip: Collection[str], limit: int
    ) -> Sequence[OutgoingRow]:
        work = partial(self._statements.outbox.outgoing, fence=fence, skip=skip, limit=limit)
        return await self._opened.hot.read(work)

    async def sent(self, fence: Fence, results: Sequence[SendResult]) -> Sequence[Outcome]:
        limits.check_rows(results, limits.check_result)

        def sent(cursor: Cursor, results: Sequence[SendResult]) -> list[Outcome]:
            return self._statements.outbox.sent(cursor, fence, results)

        plain = all(result.state == "sent" for result in results)
        marks = len(results) if plain else 0
        return await each_stored(self._opened.hot, sent, results, marks=marks)

    async def refs(self, conv: str, slots: Collection[str]) -> Mapping[str, str]:
        return await self._opened.hot.read(
            partial(self._statements.outbox.refs, conv=conv, slots=slots)
        )

    async def waiting(self, names: Collection[MessageName]) -> Mapping[MessageName, int]:
        return await whole(chats.waiting(self._opened.cold, names))

    async def private_chats(self, source: str, after: str | None, limit: int) -> ChatPage:
        return await whole(chats.private_chats(self._opened.cold, source, after, limit))

    async def record(self, rows: Sequence[LineRow]) -> Sequence[int | None]:
        limits.check_rows(rows, limits.check_line)
        return await each_stored(self._opened.hot, self._statements.lines.record, rows)

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
        work = partial(
            self._statements.lines.read,
            conv=conv,
            track=track,
            after=after,
            before=before,
            limit=limit,
            newest=newest,
        )
        return await self._opened.hot.read(work)

    async def alias(self, source: str, chat: str, canonical: str) -> None:
        work = aliases.alias(
            self._opened.cold, self._sql, source=source, chat=chat, canonical=canonical
        )
        await whole(work)

    async def aliases(self) -> Mapping[tuple[str, str], str]:
        return await whole(aliases.aliases(self._opened.cold))

    async def sweep(self, before: int, limit: int) -> Swept:
        return await whole(sweep.sweep(self._opened.cold, before, limit))

    async def erase(self, person: str) -> int:
        return await whole(erase.erase(self._opened.cold, person))

    async def inspect(self, query: Query) -> Page:
        return await whole(listing.inspect(self._opened.cold, query))

    async def tally(self) -> Sequence[Tally]:
        return await whole(listing.tally(self._opened.cold))

    async def audit(self, row: AuditRow) -> None:
        limits.refuse(0, row, limits.check_audit)
        await whole(audit.keep(self._opened.cold, row))

    async def replay(self, dead: int) -> int | None:
        answer, part = await whole(replay.replay(self._opened.cold, dead))
        if part is not None and part not in self._leased and self._sql.notify is not None:
            await self._opened.hot.write(partial(self._statements.inbox.announce, parts=[part]))
        return answer

    async def recode(self, change: Callable[[str], str]) -> int:
        return await whole(recode.recode(self._opened.cold, change))

    def wakes(self) -> AsyncIterator[None]:
        """Hints where the database can tell of others' work: PostgreSQL. Ends on close."""
        self._database.listen(self._opened)
        return self._opened.wakes.listen()

    @property
    def _opened(self) -> Opened:
        if self._open is None:
            raise not_open()
        return self._open

    def _accept(self, cursor: Cursor, rows: Sequence[InboxRow]) -> list[int | None]:
        seqs = self._statements.inbox.accept(cursor, rows)
        foreign = {row.part for row in rows if row.part not in self._leased}
        if foreign:
            self._statements.inbox.announce(cursor, foreign)
        return seqs
