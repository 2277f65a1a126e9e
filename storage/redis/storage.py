"""The storage port over Redis: every call is one script, except those that go page by page."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from flows.errors import BadRow, StorageError
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
from storage.clock import Milliseconds
from storage.people import ERASED, new_chats_of, prefix_of
from storage.redis import listing, pack, recode, sweep, unpack
from storage.redis.failures import not_open
from storage.redis.keys import full_name, number_of, ordered
from storage.redis.link import PATIENCE, Link
from storage.redis.listener import Listener
from storage.redis.location import Location
from storage.redis.pack import packed
from storage.redis.schema import open_format
from storage.redis.server import check_server, durability_of, keeps_history, settings_of
from storage.wakes import Wakes

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Open:
    """What exists between ``open`` and ``close``."""

    link: Link
    wakes: Wakes
    listener: Listener
    keeps_history: bool


class RedisStorage:
    """Conversations in Redis; for each method see ``flows.ports.FlowStorage``.

    Args:
        url: such as ``redis://127.0.0.1:6379/0``; ``?prefix=mybot`` for keys of another name.
        clock: in place of the server's own clock, in milliseconds; for tests.
        patience: seconds that a call waits for the server.
    """

    def __init__(
        self, url: str, *, clock: Milliseconds | None = None, patience: float = PATIENCE
    ) -> None:
        self._place = Location.parse(url)
        self._clock = clock
        self._patience = patience
        self._handle = uuid.uuid4().hex
        self._open: _Open | None = None

    def __str__(self) -> str:
        """The database for messages, without name and password."""
        return str(self._place)

    async def open(self) -> Limits:
        opened = self._open or self._connect_nothing_yet()
        try:
            settings = await settings_of(opened.link)
            check_server(self._place, settings)
            await open_format(opened.link, self._time())
        except BaseException:
            await opened.link.close()
            raise
        self._open = _Open(opened.link, opened.wakes, opened.listener, keeps_history(settings))
        return Limits(
            state_bytes=limits.STATE_BYTES,
            body_bytes=limits.BODY_BYTES,
            durability=durability_of(settings),
            shared=True,
        )

    async def close(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.wakes.close()
            await opened.listener.close()
            await opened.link.close()

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        workers, flat = await self._link.script("lease", self._time(), worker, want, ttl)
        epochs = {
            int(part, 16): int(epoch) for part, epoch in zip(flat[::2], flat[1::2], strict=True)
        }
        return Fence(worker, epochs, workers)

    async def release(self, worker: str) -> None:
        await self._link.script("release", self._time(), worker)

    async def accept(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        link = self._link
        limits.check_rows(rows, limits.check_inbox)
        if not rows:
            return []
        page = packed([pack.cause(row) for row in rows])
        answer: list[int | None] = await link.script(
            "accept", self._time(), self._handle, page, lossy=True
        )
        return answer

    async def pending(
        self, fence: Fence, skip: Collection[int], limit: int
    ) -> Sequence[PendingRow]:
        flat = await self._link.script(
            "pending", self._time(), self._held(fence), packed([*map(ordered, skip)]), limit
        )
        return [unpack.pending(row) for row in unpack.rows(flat, 4)]

    async def note(self, fence: Fence, seq: int, notes: str) -> Outcome:
        link = self._link
        limits.refuse(0, notes, limits.check_notes)
        arguments = (self._time(), self._held(fence), ordered(seq), notes)
        answer: bytes = await link.script("note", *arguments, lossy=True)
        return Outcome(answer.decode())

    async def load(self, keys: Collection[str]) -> Mapping[str, Snapshot]:
        names = list(keys)
        flat = await self._link.script("load", self._time(), packed(names))
        return {
            key: unpack.snapshot(key, value)
            for key, value in zip(names, flat, strict=True)
            if value is not None
        }

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        link = self._link
        limits.check_rows(turns, limits.check_turn)
        if not turns:
            return []
        arguments = (
            self._time(), packed(pack.leases(fence, turns)), packed([*map(pack.turn, turns)]),
        )  # fmt: skip
        answer = (await link.script("commit", *arguments, lossy=True)).decode()
        if answer.startswith("!"):
            index, _, reason = answer[1:].partition(" ")
            raise BadRow(int(index), reason)
        return unpack.committed(answer)

    async def fire(self, fence: Fence, limit: int) -> tuple[Sequence[int], float | None]:
        seqs, now, due = await self._link.script(
            "fire", self._time(), self._held(fence), limit, lossy=True
        )
        fired = [int(seq) for seq in seqs.split(b",") if seq]
        seconds = max(0, number_of(due) - int(now)) / 1000 if due else None
        return fired, seconds

    async def outgoing(
        self, fence: Fence, skip: Collection[str], limit: int
    ) -> Sequence[OutgoingRow]:
        flat = await self._link.script(
            "outgoing", self._time(), self._held(fence), packed(list(skip)), limit
        )
        return [unpack.outgoing(row) for row in unpack.rows(flat, 3)]

    async def sent(self, fence: Fence, results: Sequence[SendResult]) -> Sequence[Outcome]:
        link = self._link
        limits.check_rows(results, limits.check_result)
        if not results:
            return []
        page = packed([pack.result(result) for result in results])
        arguments = (self._time(), self._held(fence), page, self._handle)
        return unpack.outcomes((await link.script("sent", *arguments, lossy=True)).decode())

    async def refs(self, conv: str, slots: Collection[str]) -> Mapping[str, str]:
        link, names = self._link, list(slots)
        if not names:
            return {}
        fields = [f"{conv}\0{slot}" for slot in names]
        found = await link.command("HMGET", self._key("refs"), *fields)
        pairs = zip(names, found, strict=True)
        return {slot: ref.decode() for slot, ref in pairs if ref is not None}

    async def waiting(self, names: Collection[MessageName]) -> Mapping[MessageName, int]:
        link, wanted = self._link, list(names)
        if not wanted:
            return {}
        fields = [f"{conv}\0{turn}\0{n}" for conv, turn, n in wanted]
        tried = await link.script("waiting", self._time(), packed(fields))
        return {
            name: int(tries) for name, tries in zip(wanted, tried, strict=True) if tries is not None
        }

    async def private_chats(self, source: str, after: str | None, limit: int) -> ChatPage:
        prefix = prefix_of(source)
        channel = prefix.partition("/")[0]
        found = await self._link.script("chats", self._time(), channel, prefix, after or "", limit)
        keys = [key.decode() for key in found]
        return ChatPage(new_chats_of(keys, after), keys[-1] if len(keys) == limit else None)

    async def record(self, rows: Sequence[LineRow]) -> Sequence[int | None]:
        link = self._link
        limits.check_rows(rows, limits.check_line)
        if not rows:
            return []
        page = packed([pack.line(row) for row in rows])
        places: list[int | None] = await link.script("record", self._time(), page, lossy=True)
        return places

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
        end = "" if before is None else ordered(before)
        arguments = (self._time(), conv, track, ordered(after + 1), limit, int(newest), end)
        flat = await self._link.script("lines", *arguments)
        return [unpack.line(row) for row in unpack.rows(flat, 2)]

    async def alias(self, source: str, chat: str, canonical: str) -> None:
        await self._link.command("HSET", self._key("aliases"), f"{source}\0{chat}", canonical)

    async def aliases(self) -> Mapping[tuple[str, str], str]:
        flat = await self._link.command("HGETALL", self._key("aliases"))
        names = [tuple(name.decode().split("\0")) for name in flat[::2]]
        return {
            (source, chat): canonical.decode()
            for (source, chat), canonical in zip(names, flat[1::2], strict=True)
        }

    async def sweep(self, before: int, limit: int) -> Swept:
        return await sweep.sweep(self._link, self._time(), before, limit)

    async def erase(self, person: str) -> int:
        link = self._link
        if not person:
            return 0
        scopes: int = await link.script("erase", self._time(), person, ERASED)
        if self._open is not None and self._open.keeps_history:
            await self._rewrite_history(link)
        return scopes

    async def inspect(self, query: Query) -> Page:
        return await listing.inspect(self._link, self._time(), query)

    async def tally(self) -> Sequence[Tally]:
        return await listing.tally(self._link)

    async def audit(self, row: AuditRow) -> None:
        link = self._link
        limits.refuse(0, row, limits.check_audit)
        await link.script("audit", self._time(), pack.audited(row), lossy=True)

    async def replay(self, dead: int) -> int | None:
        arguments = (self._time(), self._handle, ordered(dead), dead)
        answer = await self._link.script("replay", *arguments, lossy=True)
        return None if answer is None else int(answer)

    async def recode(self, change: Callable[[str], str]) -> int:
        return await recode.recode(self._link, self._time(), change)

    async def wakes(self) -> AsyncIterator[None]:
        if self._open is None:
            raise not_open()
        self._open.listener.start()
        async for hint in self._open.wakes.listen():
            yield hint

    @property
    def _link(self) -> Link:
        if self._open is None:
            raise not_open()
        return self._open.link

    def _connect_nothing_yet(self) -> _Open:
        wakes = Wakes()
        listener = Listener(self._place, wakes, handle=self._handle)
        return _Open(Link(self._place, patience=self._patience), wakes, listener, False)

    def _time(self) -> str:
        """What the scripts take for the time; empty for the server's own clock."""
        return "" if self._clock is None else str(self._clock())

    def _key(self, name: str) -> str:
        return full_name(self._place.prefix, name)

    def _held(self, fence: Fence) -> bytes:
        return packed(pack.leases(fence))

    async def _rewrite_history(self, link: Link) -> None:
        """Has the append-only file written anew, without what was removed."""
        try:
            await link.command("BGREWRITEAOF")
        except StorageError as error:
            _log.warning(
                "what was erased stays in the append-only file of Redis at %s until that is "
                "rewritten: %s", self._place, error,
            )  # fmt: skip
