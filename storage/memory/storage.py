"""The storage port over dictionaries. No method but ``recode`` awaits anything, so each is one
step.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from itertools import count

import orjson

from flows.errors import CorruptState, StorageDown
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
)
from flows.ports import TurnCommit as Turn
from storage import limits
from storage.clock import Milliseconds, system_clock
from storage.leases import fence_of, given_back, known_workers, share_out
from storage.memory import operate, recode
from storage.memory.commit import commit_turns
from storage.memory.database import Cause, Dead, MemoryDatabase, Message
from storage.wakes import Wakes

LIMITS = Limits(
    state_bytes=limits.STATE_BYTES,
    body_bytes=limits.BODY_BYTES,
    durability="Nothing survives the end of the process: conversations are kept in its memory.",
    shared=True,
    sealed=True,
)

NOT_OPEN = "the storage is not open. Await open() before anything else."


class MemoryStorage:
    """Conversations in memory; for what each method promises see ``flows.ports.FlowStorage``.

    Args:
        clock: the database's clock, in milliseconds; taken from ``database`` when one is given.
        database: another handle's ``database``, to work on the same conversations.
    """

    def __init__(
        self, clock: Milliseconds = system_clock, *, database: MemoryDatabase | None = None
    ) -> None:
        self._database = database if database is not None else MemoryDatabase(clock)
        self._wakes: Wakes | None = None

    @property
    def database(self) -> MemoryDatabase:
        """What is stored, to be shared with another handle."""
        return self._database

    async def open(self) -> Limits:
        if self._wakes is None:
            self._wakes = Wakes()
            self._database.handles.append(self._wakes)
        return LIMITS

    async def close(self) -> None:
        if self._wakes is not None:
            self._database.handles.remove(self._wakes)
            self._wakes.close()
            self._wakes = None

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        database = self._opened()
        now = database.clock()
        changed = share_out(database.partitions, worker, want=want, now=now, ttl=ttl)
        for row in changed:
            database.partitions[row.part] = row
        workers = known_workers(database.workers, worker, now=now, ttl=ttl)
        return fence_of(database.partitions, worker, workers)

    async def release(self, worker: str) -> None:
        database = self._opened()
        database.workers.pop(worker, None)
        for row in given_back([row for row in database.partitions if row.owner == worker]):
            database.partitions[row.part] = row

    async def accept(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        database = self._opened()
        limits.check_rows(rows, limits.check_inbox)
        answer = [database.put_cause(row) for row in rows]
        if any(seq is not None for seq in answer):
            self._hint_others()
        return answer

    async def pending(
        self, fence: Fence, skip: Collection[int], limit: int
    ) -> Sequence[PendingRow]:
        database = self._opened()
        held = database.held(fence)
        skipped = set(skip)
        # One row of each conversation before the second of any, so that none fills the page.
        places: dict[object, count[int]] = {}
        ranked = [
            (next(places.setdefault(cause.conv or cause.seq, count())), seq, cause)
            for seq, cause in database.undone.items()
            if cause.part in held and seq not in skipped
        ]
        chosen = sorted(ranked, key=lambda rank: rank[:2])[:limit]
        causes = [cause for _, _, cause in sorted(chosen, key=lambda rank: rank[1])]
        return [self._hand_out(cause) for cause in causes]

    async def note(self, fence: Fence, seq: int, notes: str) -> Outcome:
        database = self._opened()
        limits.refuse(0, notes, limits.check_notes)
        cause = database.inbox.get(seq)
        if cause is None:
            return Outcome.GONE
        if cause.part not in database.held(fence):
            return Outcome.FENCED
        if cause.done is not None:
            return Outcome.GONE
        cause.notes = notes
        return Outcome.DONE

    async def load(self, keys: Collection[str]) -> Mapping[str, Snapshot]:
        scopes = self._opened().scopes
        found = {key: scopes[key].snapshot for key in keys if key in scopes}
        for key, snapshot in found.items():
            try:
                orjson.loads(snapshot.state)
            except ValueError as error:
                raise CorruptState(key, str(error)) from error
        return found

    async def commit(self, fence: Fence, turns: Sequence[Turn]) -> Sequence[Committed]:
        database = self._opened()
        limits.check_rows(turns, limits.check_turn)
        return commit_turns(database, fence, turns)

    async def fire(self, fence: Fence, limit: int) -> tuple[Sequence[int], float | None]:
        database = self._opened()
        held = database.held(fence)
        now = database.clock()
        waiting = sorted(
            (timer.row.due, name)
            for name, timer in database.timers.items()
            if timer.row.part in held
        )
        due = [name for at, name in waiting if at <= now][:limit]
        seqs = [operate.fire(database, name) for name in due]
        left = waiting[len(due) :]
        seconds = max(0, left[0][0] - now) / 1000 if left else None
        return [seq for seq in seqs if seq is not None], seconds

    async def outgoing(
        self, fence: Fence, skip: Collection[str], limit: int
    ) -> Sequence[OutgoingRow]:
        database = self._opened()
        held = database.held(fence)
        now = database.clock()
        heads: dict[str, Message] = {}
        for seq in sorted(database.unsent):
            message = database.unsent[seq]
            if message.part in held:
                heads.setdefault(message.chat, message)
        ready = [m for m in heads.values() if m.due <= now and m.chat not in skip]
        return [_outgoing(message) for message in ready[:limit]]

    async def sent(self, fence: Fence, results: Sequence[SendResult]) -> Sequence[Outcome]:
        database = self._opened()
        limits.check_rows(results, limits.check_result)
        held = database.held(fence)
        return [self._settle(result, held) for result in results]

    async def refs(self, conv: str, slots: Collection[str]) -> Mapping[str, str]:
        messages = self._opened().messages
        return {slot: messages[conv, slot][0] for slot in slots if (conv, slot) in messages}

    async def waiting(self, names: Collection[MessageName]) -> Mapping[MessageName, int]:
        database = self._opened()
        found = {name: database.outbox[name] for name in names if name in database.outbox}
        return {name: row.tries for name, row in found.items() if row.seq in database.unsent}

    async def private_chats(self, source: str, after: str | None, limit: int) -> ChatPage:
        return operate.private_chats(self._opened(), source, after, limit)

    async def record(self, rows: Sequence[LineRow]) -> Sequence[int | None]:
        database = self._opened()
        limits.check_rows(rows, limits.check_line)
        return [database.put_line(row) for row in rows]

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
        found = [
            line
            for line in self._opened().track(conv, track)
            if line.n > after and (before is None or line.n < before)
        ]
        return found[-limit:] if newest else found[:limit]

    async def alias(self, source: str, chat: str, canonical: str) -> None:
        self._opened().aliases[source, chat] = canonical

    async def aliases(self) -> Mapping[tuple[str, str], str]:
        return dict(self._opened().aliases)

    async def sweep(self, before: int, limit: int) -> Swept:
        return operate.sweep(self._opened(), before, limit)

    async def erase(self, person: str) -> int:
        return operate.erase(self._opened(), person)

    async def inspect(self, query: Query) -> Page:
        return operate.inspect(self._opened(), query)

    async def tally(self) -> Sequence[Tally]:
        return operate.tally(self._opened())

    async def audit(self, row: AuditRow) -> None:
        database = self._opened()
        limits.refuse(0, row, limits.check_audit)
        database.put_audit(row)

    async def replay(self, dead: int) -> int | None:
        return operate.replay(self._opened(), dead)

    async def recode(self, change: Callable[[str], str]) -> int:
        return await recode.recode(self._opened(), change)

    def wakes(self) -> AsyncIterator[None]:
        if self._wakes is None:
            raise StorageDown(NOT_OPEN)
        return self._wakes.listen()

    def _opened(self) -> MemoryDatabase:
        if self._wakes is None:
            raise StorageDown(NOT_OPEN)
        return self._database

    def _hint_others(self) -> None:
        for handle in self._database.handles:
            if handle is not self._wakes:
                handle.hint()

    def _hand_out(self, cause: Cause) -> PendingRow:
        cause.tries += 1
        return cause.pending()

    def _settle(self, result: SendResult, held: Collection[int]) -> Outcome:
        database = self._database
        message = database.outbox.get((result.conv, result.turn, result.n))
        if message is None:
            return Outcome.GONE
        if message.part not in held:
            return Outcome.FENCED
        if message.seq not in database.unsent:
            return Outcome.GONE
        match result.state:
            case "sent":
                database.end_message(message, "sent")
                if result.slot is not None and result.ref is not None:
                    database.messages[result.conv, result.slot] = (result.ref, database.clock())
            case "later":
                message.state = "later"
                message.due = result.due
                message.tries += 1
            case "dead":
                self._bury(message, result)
        return Outcome.DONE

    def _bury(self, message: Message, result: SendResult) -> None:
        database = self._database
        dead = Dead(
            id=database.next_dead(),
            part=message.part,
            conv=message.conv,
            origin="outbox",
            body=message.body or "",
            error=result.error,
            tries=message.tries + 1,
            at=database.clock(),
            row=message,
        )
        database.put_dead(dead)
        database.end_message(message, "dead")
        if result.inform is not None:
            database.put_cause(result.inform)


def _outgoing(message: Message) -> OutgoingRow:
    return OutgoingRow(
        seq=message.seq,
        part=message.part,
        chat=message.chat,
        conv=message.conv,
        turn=message.turn,
        n=message.n,
        slot=message.slot,
        body=message.body or "",
        tries=message.tries,
        due=message.due,
    )
