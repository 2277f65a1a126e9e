"""The bare commits of a storage: turns as the engine makes them, without the engine."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from flows import Address
from flows.conversation import ConversationKey
from flows.ports import (
    Committed,
    Fence,
    FlowStorage,
    InboxRow,
    InstanceRow,
    OutboxRow,
    Outcome,
    ScopeWrite,
    SendResult,
    TransitionRow,
    TurnCommit,
)
from storage import MemoryStorage, open_storage
from tests.bench.bot import EXCHANGES, app
from tests.bench.measure import talking
from tests.bench.people import SOURCE, Crowd

BATCH = 100
"""Turns of one commit."""

PEOPLE = 200


class Recording(MemoryStorage):
    """A storage that keeps what was committed."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[TurnCommit] = []

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        self.turns += turns
        return await super().commit(fence, turns)


async def commits_per_second(url: str, *, seconds: float) -> float:
    """How many turns a second the storage of an empty database commits, ``BATCH`` at once, and
    nothing else: their causes are accepted beforehand, and their messages marked as sent
    afterwards, as in a bot at work.
    """
    patterns = await _recorded()
    storage = open_storage(url)
    await storage.open()
    try:
        fence = await storage.lease("bench", 64, 3_600_000)
        return await _committing(storage, fence, patterns, seconds)
    finally:
        await storage.release("bench")
        await storage.close()


async def _committing(
    storage: FlowStorage, fence: Fence, patterns: Sequence[TurnCommit], seconds: float
) -> float:
    people = [_Committer(name) for name in map(str, range(PEOPLE))]
    spent, done, place = 0.0, 0, 0
    while spent < seconds:
        batch = [people[(place + offset) % PEOPLE] for offset in range(BATCH)]
        place += BATCH
        turns = [
            person.turn(seq, patterns)
            for person, seq in zip(batch, await _accepted(storage, batch, place), strict=True)
        ]
        begin = perf_counter()
        answer = await storage.commit(fence, turns)
        spent += perf_counter() - begin
        done += len(turns)
        for person, committed in zip(batch, answer, strict=True):
            if committed.outcome is not Outcome.DONE:
                raise RuntimeError(f"a commit ended as {committed.outcome}")
            person.version = committed.versions[0]
        await storage.sent(fence, [_arrived(row) for turn in turns for row in turn.outbox])
    return done / spent


def _arrived(row: OutboxRow) -> SendResult:
    return SendResult(
        conv=row.conv, turn=row.turn, n=row.n, state="sent", slot=row.slot, ref=f"{row.turn}"
    )


class _Committer:
    """Somebody whose turns are committed: over and over the same, each time on the version that
    the one before has made.
    """

    def __init__(self, name: str) -> None:
        self._address = Address(SOURCE, name)
        self._conv = str(ConversationKey(self._address, name))
        self._next = 0
        self._instance = ""
        self.version: int | None = None

    def cause(self, number: int) -> InboxRow:
        """What the next turn is for."""
        return InboxRow(
            source=SOURCE, ext=f"{self._address.chat}.{number}", part=self._address.partition,
            conv=self._conv, kind="text", body='{"text": "Ada Lovelace"}', at=1,
        )  # fmt: skip

    def turn(self, seq: int, patterns: Sequence[TurnCommit]) -> TurnCommit:
        """The next turn."""
        pattern = patterns[self._next % len(patterns)]
        if self._next % len(patterns) == 0:
            self._instance = f"{seq}-1"
        self._next += 1
        part, conv = self._address.partition, self._conv
        return TurnCommit(
            cause=seq,
            part=part,
            scopes=[
                ScopeWrite(
                    key=conv, part=part, version=self.version, state=one.state, person=one.person
                )
                for one in pattern.scopes
            ],
            instances=[
                InstanceRow(
                    conv=conv, id=self._instance, flow=one.flow,
                    flow_version=one.flow_version, step=one.step, status=one.status,
                    updated=one.updated, result=one.result, ended=one.ended,
                )
                for one in pattern.instances
            ],
            outbox=[
                OutboxRow(
                    part=part, chat=str(self._address), conv=conv, turn=seq, n=one.n,
                    slot=f"{seq}.{one.n}", body=one.body,
                )
                for one in pattern.outbox
            ],
            transitions=[
                TransitionRow(
                    conv=conv, turn=seq, n=one.n, instance=one.instance, flow=one.flow,
                    source=one.source, target=one.target, cause=one.cause, at=one.at,
                )
                for one in pattern.transitions
            ],
        )  # fmt: skip


async def _accepted(storage: FlowStorage, people: Sequence[_Committer], number: int) -> list[int]:
    seqs = await storage.accept([one.cause(number) for one in people])
    return [seq for seq in seqs if seq is not None]


async def _recorded() -> Sequence[TurnCommit]:
    """What the engine commits for each exchange with one person."""
    storage = Recording()
    async with talking(storage, Crowd(1), app()):
        pass
    whole = len(storage.turns) // len(EXCHANGES) * len(EXCHANGES)
    return storage.turns[whole - len(EXCHANGES) : whole]
