"""The storage port over SQL. What every turn needs runs on the event loop, see ``hot``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from sqlite3 import Cursor

from flows.errors import BadRow
from flows.ports import (
    Committed,
    Fence,
    InboxRow,
    Limits,
    Outcome,
    OutgoingRow,
    Page,
    PendingRow,
    Query,
    SendResult,
    Snapshot,
    Swept,
    TurnCommit,
)
from storage import limits
from storage.clock import Milliseconds, system_clock
from storage.sql import aliases, erase, listing, migrate, replay, sweep
from storage.sql.cold import ColdConnections, whole
from storage.sql.commit import Commit
from storage.sql.connect import PATIENCE, async_engine, patient_engine
from storage.sql.dead_letters import DeadLetters
from storage.sql.dialects import SqliteDialect
from storage.sql.failures import DATA_ERRORS
from storage.sql.hot import HotConnection, not_open
from storage.sql.inbox import Inbox
from storage.sql.location import Location
from storage.sql.outbox import Outbox
from storage.sql.owner import FileOwner
from storage.sql.partitions import Partitions
from storage.sql.scopes import Scopes
from storage.sql.timers import Timers
from storage.wakes import Wakes

DURABILITY = {
    "FULL": "Every commit is on the disk when it returns: it survives the end of the process and "
    "a power cut.",
    "EXTRA": "Every commit is on the disk, its folder entry included, when it returns: it "
    "survives the end of the process and a power cut.",
    "NORMAL": "Commits survive the end of the process; a power cut may take the last ones.",
}


@dataclass(frozen=True, slots=True)
class _Open:
    """What exists between ``open`` and ``close``."""

    hot: HotConnection
    cold: ColdConnections
    wakes: Wakes


class SqlStorage:
    """Conversations in an SQLite file; for each method see ``flows.ports.FlowStorage``.

    One process works on a file (see ``owner``); others may open it to look, and to put rows
    into the inbox.

    Args:
        url: such as ``sqlite+aiosqlite:///handrail.db``; ``?synchronous=NORMAL`` trades the
            last commits before a power cut for speed.
        clock: the database's clock, in milliseconds. SQLite has none but that of its process.
        patience: seconds that a call waits for another program's lock.
    """

    def __init__(
        self, url: str, *, clock: Milliseconds = system_clock, patience: float = PATIENCE
    ) -> None:
        self._location = Location.parse(url)
        self._patience = patience
        self._owner = FileOwner(self._location.path)
        self._open: _Open | None = None
        sql = SqliteDialect()
        self._partitions = Partitions(sql, clock)
        self._inbox = Inbox(sql, self._partitions)
        self._scopes = Scopes(sql)
        self._dead_letters = DeadLetters(sql)
        self._timers = Timers(sql, clock, self._partitions, self._inbox)
        self._outbox = Outbox(
            sql,
            clock,
            partitions=self._partitions,
            inbox=self._inbox,
            dead_letters=self._dead_letters,
        )
        self._commit = Commit(
            sql,
            clock,
            partitions=self._partitions,
            inbox=self._inbox,
            scopes=self._scopes,
            timers=self._timers,
            dead_letters=self._dead_letters,
        )
        self._sql = sql

    async def open(self) -> Limits:
        if self._open is None:
            await asyncio.to_thread(migrate.upgrade_file, self._location, patience=self._patience)
            self._open = self._connect()
        return Limits(
            state_bytes=limits.STATE_BYTES,
            body_bytes=limits.BODY_BYTES,
            durability=DURABILITY[self._location.synchronous],
            shared=False,
        )

    async def close(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.wakes.close()
            await opened.hot.close()
        self._owner.release()

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        hot = self._opened.hot
        if not self._owner.is_held:
            self._owner.acquire()
            try:
                # Whoever held partitions of this file before is dead, or has let them go.
                await hot.write(self._partitions.free_all)
            except BaseException:
                self._owner.release()
                raise
        return await hot.write(partial(self._partitions.lease, worker=worker, want=want, ttl=ttl))

    async def release(self, worker: str) -> None:
        hot = self._opened.hot
        if self._owner.is_held and await hot.write(
            partial(self._partitions.release, worker=worker)
        ):
            self._owner.release()

    async def accept(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        limits.check_rows(rows, limits.check_inbox)
        return await self._opened.hot.write(partial(self._inbox.accept, rows=rows))

    async def pending(
        self, fence: Fence, skip: Collection[int], limit: int
    ) -> Sequence[PendingRow]:
        work = partial(self._inbox.pending, fence=fence, skip=skip, limit=limit)
        return await self._opened.hot.write(work)

    async def note(self, fence: Fence, seq: int, notes: str) -> Outcome:
        limits.refuse(0, notes, limits.check_notes)
        work = partial(self._inbox.note, fence=fence, seq=seq, notes=notes)
        return await self._opened.hot.write(work)

    async def load(self, keys: Collection[str]) -> Mapping[str, Snapshot]:
        return await self._opened.hot.read(partial(self._scopes.load, keys=keys))

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        limits.check_rows(turns, limits.check_turn)
        hot = self._opened.hot
        try:
            return await hot.write(partial(self._commit.commit, fence=fence, turns=turns))
        except DATA_ERRORS:
            return await hot.write(partial(self._one_by_one, fence=fence, turns=turns))

    async def fire(self, fence: Fence, limit: int) -> tuple[Sequence[int], float | None]:
        return await self._opened.hot.write(partial(self._timers.fire, fence=fence, limit=limit))

    async def outgoing(
        self, fence: Fence, skip: Collection[str], limit: int
    ) -> Sequence[OutgoingRow]:
        work = partial(self._outbox.outgoing, fence=fence, skip=skip, limit=limit)
        return await self._opened.hot.read(work)

    async def sent(self, fence: Fence, results: Sequence[SendResult]) -> Sequence[Outcome]:
        limits.check_rows(results, limits.check_result)
        work = partial(self._outbox.sent, fence=fence, results=results)
        return await self._opened.hot.write(work)

    async def refs(self, conv: str, slots: Collection[str]) -> Mapping[str, str]:
        return await self._opened.hot.read(partial(self._outbox.refs, conv=conv, slots=slots))

    async def alias(self, source: str, chat: str, canonical: str) -> None:
        await whole(
            aliases.alias(
                self._opened.cold, self._sql, source=source, chat=chat, canonical=canonical
            )
        )

    async def aliases(self) -> Mapping[tuple[str, str], str]:
        return await whole(aliases.aliases(self._opened.cold))

    async def sweep(self, before: int, limit: int) -> Swept:
        return await whole(sweep.sweep(self._opened.cold, before, limit))

    async def erase(self, person: str) -> int:
        return await whole(erase.erase(self._opened.cold, person))

    async def inspect(self, query: Query) -> Page:
        return await whole(listing.inspect(self._opened.cold, query))

    async def replay(self, dead: int) -> int | None:
        return await whole(replay.replay(self._opened.cold, dead))

    def wakes(self) -> AsyncIterator[None]:
        """Never yields: nobody tells an SQLite file's owner of others' work. Ends on close."""
        return self._opened.wakes.listen()

    @property
    def _opened(self) -> _Open:
        if self._open is None:
            raise not_open()
        return self._open

    def _connect(self) -> _Open:
        path, synchronous = self._location.path, self._location.synchronous
        hot = patient_engine(path, synchronous=synchronous, patience=self._patience)
        cold = async_engine(path, synchronous=synchronous, patience=self._patience)
        return _Open(
            hot=HotConnection(hot, path, patience=self._patience),
            cold=ColdConnections(cold, path, patience=self._patience),
            wakes=Wakes(),
        )

    def _one_by_one(
        self, cursor: Cursor, fence: Fence, turns: Sequence[TurnCommit]
    ) -> list[Committed]:
        """Finds the turn that cannot be written. What it writes meanwhile is rolled back."""
        answer = []
        for index, turn in enumerate(turns):
            try:
                answer += self._commit.commit(cursor, fence, [turn])
            except DATA_ERRORS as error:
                raise BadRow(index, str(error)) from error
        return answer
