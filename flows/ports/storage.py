"""The port of storages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Protocol

from flows.ports.rows import (
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


class FlowStorage(Protocol):
    """Where conversations are kept. One object serves one process; all methods are coroutines.

    Every method may raise StorageDown: nothing was written and the call may be repeated.
    A cancelled call has either done all of its work or none.
    """

    async def open(self) -> Limits:
        """Connects and checks the schema; creates or upgrades it where that is its own to do.

        Raises:
            SchemaMismatch: the schema is newer, older (where upgrading is the operator's) or
                not ours; the sentence says which and what to do.
            AlreadyOwned: it is not shared, and another process has it.
        """
        ...

    async def close(self) -> None:
        """Lets everything go. May be called twice, and without ``open``."""
        ...

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        """Renews this worker's partitions, takes free or expired ones (their epoch rises by 1)
        until it holds ``want``, and gives back what is over, the highest numbers first. Atomic.

        ``ttl`` is in milliseconds, by the database's clock. At most one worker holds a
        partition; a worker that was away finds its epoch stale. Every call makes the worker
        known to the others for ``ttl``, also one that gets nothing or wants none; see
        ``Fence.workers``.
        """
        ...

    async def release(self, worker: str) -> None:
        """Gives back all partitions of this worker, at once free for others; it is not known any
        more.
        """
        ...

    async def accept(self, rows: Sequence[InboxRow]) -> Sequence[int | None]:
        """Puts rows into the inbox in one durable commit; all of them or none.

        The answer has one entry a row: its seq, or None for a duplicate (of a row before,
        in this page or done long ago). Seqs ascend in the order of the rows. Not fenced.

        Raises:
            BadRow: a row cannot be stored; nothing was written.
        """
        ...

    async def pending(
        self, fence: Fence, skip: Collection[int], limit: int
    ) -> Sequence[PendingRow]:
        """Undone rows of the fence's partitions that are not in ``skip``, ascending by seq.

        Never passes over an older row of a conversation unless that one is in ``skip``.
        Each row's ``tries`` is raised by one, durably, before it is handed out, and is
        counted in the answer. No conversation may fill the whole page while others wait.
        """
        ...

    async def note(self, fence: Fence, seq: int, notes: str) -> Outcome:
        """Replaces the notes of an undone row, durably: DONE, GONE or FENCED."""
        ...

    async def load(self, keys: Collection[str]) -> Mapping[str, Snapshot]:
        """The scopes as last committed; absent keys are absent from the answer.

        Raises:
            CorruptState: a state is no JSON text.
        """
        ...

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        """One atomic, durable commit of every turn whose outcome is DONE; the others leave no
        trace. One answer a turn, in order. At most one turn a scope key.

        Per turn, in this order: the partition's epoch differs: FENCED; the cause is missing
        or done: GONE; a scope's version differs: CONFLICT; else DONE. A new scope's version
        is the database's clock in microseconds, and every write adds 1, so that a scope that
        was erased and made again never has an old version. All is checked under lock.

        Raises:
            BadRow: the turn at ``index`` cannot be stored; nothing was written.
            OutcomeUnknown: the answer to the commit was lost.
        """
        ...

    async def fire(self, fence: Fence, limit: int) -> tuple[Sequence[int], float | None]:
        """Turns due timers of the fence's partitions into inbox rows, the earliest first, in one
        transaction. Answers their seqs and the seconds until the next timer is due (None:
        there is none). Never early, by the database's clock; each timer once.
        """
        ...

    async def outgoing(
        self, fence: Fence, skip: Collection[str], limit: int
    ) -> Sequence[OutgoingRow]:
        """The oldest undelivered message of each chat of the fence's partitions, if it is due;
        nothing of the chats in ``skip``. Oldest first.
        """
        ...

    async def sent(self, fence: Fence, results: Sequence[SendResult]) -> Sequence[Outcome]:
        """Records what became of messages, in one durable commit; of those that were ``sent``, a
        power cut may take the last 32, which are sent again then. Idempotent: an unknown or
        already recorded one is GONE and changes nothing; FENCED as in ``commit``; else DONE.
        """
        ...

    async def refs(self, conv: str, slots: Collection[str]) -> Mapping[str, str]:
        """The channel's references of messages that were sent; unknown slots are absent."""
        ...

    async def waiting(self, names: Collection[MessageName]) -> Mapping[MessageName, int]:
        """Which of these messages still wait to be delivered, and how often a send of each was
        tried. Those that were sent, given up or erased, and unknown ones, are absent.
        """
        ...

    async def private_chats(self, source: str, after: str | None, limit: int) -> ChatPage:
        """The private chats of a bot that there is a conversation of, each once, in an order of
        the storage's own that does not change. Not fenced.

        Args:
            source: channel and bot.
            after: the ``next`` of the page before, or None.
            limit: how many conversations are looked at, 1 to 1000: a page may hold fewer chats
                than that, or none, and not be the last.
        """
        ...

    async def record(self, rows: Sequence[LineRow]) -> Sequence[int | None]:
        """Puts lines at the end of their tracks, in one durable commit; all of them or none.

        The answer has one entry a row: its place, or None for a duplicate (of a line before, in
        this call or long ago). A place is above all that its track has, and never below the
        line's time, so that a track that was swept or erased gives out no place twice. Whoever
        sees a line has seen all before it, or can. Not fenced.

        Raises:
            BadRow: a row cannot be stored; nothing was written.
        """
        ...

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
        """The lines of a track whose place is above ``after`` and below ``before``, ascending:
        the first of them, or the ``newest``, at most ``limit``.
        """
        ...

    async def alias(self, source: str, chat: str, canonical: str) -> None:
        """From now on ``chat`` is another name of ``canonical``. Nothing is re-keyed."""
        ...

    async def aliases(self) -> Mapping[tuple[str, str], str]:
        """All aliases: (source, chat) to the canonical chat."""
        ...

    async def sweep(self, before: int, limit: int) -> Swept:
        """Removes what ended before ``before``: done inbox rows, delivered messages and their
        references, ended instances, log rows of ended instances, lines that were recorded; at
        most ``limit`` a table. Never an undone row, never anything of a live instance, no line
        of a conversation that has one.
        """
        ...

    async def erase(self, person: str) -> int:
        """Removes a person from every table and file: scopes, instances, timers, messages,
        inbox and outbox rows, log, dead letters, lines. Turns in flight become GONE. Answers how
        many scopes there were, without those that begin with ``broadcast/``: they only say that
        the person is a recipient.

        Of the audit, rows that are about the person (their conversations, or the person as the
        target) stay, with who did what and when: their target becomes ``erased``, their detail
        empty, their conversation None.
        """
        ...

    async def inspect(self, query: Query) -> Page:
        """A page of rows for people to read, newest first unless the query says otherwise."""
        ...

    async def tally(self) -> Sequence[Tally]:
        """How many instances there are, ended ones that are still kept included: a number for
        each flow, step and status of which there are any. In no order. It may go through all of
        them, and holds up no turn meanwhile.
        """
        ...

    async def audit(self, row: AuditRow) -> None:
        """Keeps for good, in one durable commit, what an operator did. No ``sweep`` removes it.

        Raises:
            BadRow: it cannot be stored.
        """
        ...

    async def replay(self, dead: int) -> int | None:
        """Puts a dead letter back, once: into the inbox as a new row (answering its seq), or
        into the outbox (answering its turn). None when there is none of that id.
        """
        ...

    async def recode(self, change: Callable[[str], str]) -> int:
        """Puts ``change(text)`` in place of every text that may hold what people have said:
        states, bodies and notes of inbox and outbox, results of instances, bodies of timers,
        bodies and errors of dead letters, references, lines. Answers how many rows it changed;
        a text that comes back the same is none. Versions and everything else stay as they are.

        It goes page by page, each a durable commit of its own, while turns go on: a row that
        somebody else has changed since it was read is read again. Killed in the middle, it
        has done some of its work, and may be called again.

        Raises:
            Exception: what ``change`` raises; that row and those after it are as they were.
        """
        ...

    def wakes(self) -> AsyncIterator[None]:
        """Hints that another process has added work. They may be lost or invented; the owner
        looks by itself every second anyway.
        """
        ...
