"""Several at once: nothing is lost, nothing is done twice, and no deadlock comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from flows.ports import DeadLetter, Fence, FlowStorage, Outcome, Query, TimerDrop, TurnCommit
from storage.testing.backend import EVERYTHING, TTL, Ability, Backend, Contract
from storage.testing.rows import (
    LISTINGS,
    NOWHERE,
    accepted,
    cause,
    conv,
    full_turn,
    message,
    part,
    pending,
    person,
    scope,
    sent,
    timer,
    turn,
)

USERS = [f"user{number}" for number in range(24)]
COUNTERS = [f"contract//counter{number}" for number in range(8)]
ROUNDS = 4
MOST_TRIES = 200


class RaceContract(Contract):
    """Calls that run into each other, by one handle and by two."""

    async def test_two_writers_with_overlapping_batches_lose_nothing(
        self, backend: Backend
    ) -> None:
        workers = await self.pair(backend)
        writers = [
            _Writer(storage, fence, Random(seed)) for seed, (storage, fence) in enumerate(workers)
        ]
        await asyncio.gather(*(writer.write() for writer in writers))
        assert await _totals(workers[0][0]) == 2 * ROUNDS * len(COUNTERS)
        assert [list(await pending(*worker)) for worker in workers] == [[], []]

    async def test_two_batches_of_one_worker_lose_nothing(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        writers = [_Writer(storage, fence, Random(seed)) for seed in range(2)]
        await asyncio.gather(*(writer.write() for writer in writers))
        assert await _totals(storage) == 2 * ROUNDS * len(COUNTERS)

    async def test_of_two_workers_that_create_a_scope_one_wins(self, backend: Backend) -> None:
        (first, one), (second, two) = await self.pair(backend)
        for number in range(5):
            key = f"contract//new{number}"
            mine, other = _one_of(one), _one_of(two)
            committed = await asyncio.gather(
                first.commit(one, [await _creation(first, mine, key)]),
                second.commit(two, [await _creation(second, other, key)]),
            )
            outcomes = [answer.outcome for (answer,) in committed]
            assert sorted(outcomes) == [Outcome.CONFLICT, Outcome.DONE]
            winner = mine if outcomes[0] is Outcome.DONE else other
            assert (await first.load([key]))[key].state == f'"{winner}"'

    async def test_of_two_turns_with_one_cause_one_is_done(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        for number in range(5):
            (seq,) = await accepted(storage, "ada")
            keys = [f"contract//{number}{letter}" for letter in "ab"]
            answers = await asyncio.gather(
                *(
                    storage.commit(fence, [replace(turn(seq), scopes=[scope("ada", key=key)])])
                    for key in keys
                )
            )
            assert sorted(answer.outcome for (answer,) in answers) == [Outcome.DONE, Outcome.GONE]
            assert len(await storage.load(keys)) == 1

    async def test_a_cause_that_comes_by_two_ways_is_accepted_once(self, backend: Backend) -> None:
        first, second = await backend.open(), await backend.open()
        pages = await asyncio.gather(
            first.accept([cause(f"{number}") for number in range(20)]),
            second.accept([cause(f"{number}") for number in reversed(range(20))]),
        )
        forth, back = pages[0], pages[1][::-1]
        assert [(one is None) + (two is None) for one, two in zip(forth, back, strict=True)] == (
            [1] * 20
        )

    async def test_a_timer_fires_once_for_two_calls(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        rows = [timer("ada", due=backend.now(), name=f"t{number}") for number in range(10)]
        await storage.commit(fence, [replace(turn(seq), timers=rows)])
        answers = await asyncio.gather(*(storage.fire(fence, 6) for _ in range(4)))
        fired = [number for seqs, _ in answers for number in seqs]
        assert len(fired) == len(set(fired)) == 10
        assert [row.seq for row in await pending(storage, fence)] == sorted(fired)

    async def test_a_timer_is_either_dropped_or_fires(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        for _ in range(5):
            first, second = await accepted(storage, "ada", "ada")
            set_ = replace(turn(first), scopes=[], timers=[timer("ada", due=backend.now())])
            await storage.commit(fence, [set_])
            drop = TimerDrop(conv=conv("ada"), name="wait")
            dropped = replace(turn(second), scopes=[], timers=[drop])
            (done,), (fired, _) = await asyncio.gather(
                storage.commit(fence, [dropped]), storage.fire(fence, 5)
            )
            assert done.outcome is Outcome.DONE
            assert [row.seq for row in await pending(storage, fence)] == list(fired)
            assert await storage.fire(fence, 5) == ([], None)
            await storage.commit(fence, [replace(turn(number), scopes=[]) for number in fired])

    async def test_a_message_has_one_result(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        row = message(seq)
        await storage.commit(fence, [replace(turn(seq), outbox=[row])])
        answers = await asyncio.gather(
            *(storage.sent(fence, [sent(row, ref=ref)]) for ref in ("1", "2", "3"))
        )
        outcomes = [outcome for (outcome,) in answers]
        assert sorted(outcomes) == [Outcome.DONE, Outcome.GONE, Outcome.GONE]
        kept = await storage.refs(row.conv, [str(row.slot)])
        assert kept == {row.slot: str(outcomes.index(Outcome.DONE) + 1)}

    async def test_a_turn_is_erased_or_gone(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        operator = await backend.open()
        for steps in range(8):
            (seq,) = await accepted(storage, "ada")
            erasing = asyncio.ensure_future(operator.erase(person("ada")))
            for _ in range(steps):
                await asyncio.sleep(0)
            await storage.commit(fence, [full_turn(seq)])
            await erasing
            # Where the turn came first it is erased with the rest, where it came last it is gone.
            assert await storage.load([conv("ada")]) == {}
            assert list(await storage.outgoing(fence, NOWHERE, 10)) == []
            assert [len((await storage.inspect(query)).rows) for query in LISTINGS] == [0] * 6

    async def test_a_dead_letter_goes_back_once_for_two_calls(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        operator = await backend.open()
        (seq,) = await accepted(storage, "ada")
        letter = DeadLetter(
            conv=conv("ada"), origin="inbox", body='"hi"', error="it kills", tries=5, at=9
        )
        await storage.commit(fence, [TurnCommit(cause=seq, part=part("ada"), dead=letter)])
        (row,) = (await storage.inspect(Query(what="dead_letters"))).rows
        answers = await asyncio.gather(
            storage.replay(row["id"]), operator.replay(row["id"]), storage.replay(row["id"])
        )
        assert answers.count(None) == 2
        assert len(await pending(storage, fence)) == 1

    async def test_a_takeover_waits_for_the_commit_in_flight_or_fences_it(
        self, backend: Backend
    ) -> None:
        self.need(backend, Ability.SHARED)
        self.need(backend, Ability.HELD)
        storage, stale = await self.start(backend)
        other = await backend.open()
        (seq,) = await accepted(storage, "ada")
        async with backend.hold(storage) as arrived:
            commit = asyncio.ensure_future(storage.commit(stale, [turn(seq, state='"old"')]))
            await arrived.wait()
            backend.advance(TTL + 1)
            taking = asyncio.ensure_future(other.lease("second", EVERYTHING, TTL))
            # Time to take over, for a storage that does not wait; no verdict hangs on how much.
            await asyncio.wait({taking}, timeout=0.1)
            overtaken = taking.done() and part("ada") in taking.result().epochs
        (late,) = await commit
        await taking
        fence = await other.lease("second", EVERYTHING, TTL)
        assert late.outcome is Outcome.FENCED or not overtaken
        (again,) = await other.commit(fence, [turn(seq, state='"new"')])
        assert (late.outcome, again.outcome) in (
            (Outcome.DONE, Outcome.GONE),
            (Outcome.FENCED, Outcome.DONE),
        )
        state = '"old"' if late.outcome is Outcome.DONE else '"new"'
        assert (await other.load([conv("ada")]))[conv("ada")].state == state


@dataclass(frozen=True, slots=True)
class _Writer:
    """Counts by batches of turns, each of which writes two counters that others write, too."""

    storage: FlowStorage
    fence: Fence
    random: Random

    async def write(self) -> None:
        mine = [user for user in USERS if part(user) in self.fence.epochs]
        for _ in range(ROUNDS):
            users = self.random.sample(mine, len(COUNTERS) // 2)
            causes = list(zip(users, await accepted(self.storage, *users), strict=True))
            for _ in range(MOST_TRIES):
                causes = await self._batch(causes)
                if not causes:
                    break
            assert not causes, f"{len(causes)} turns were in conflict {MOST_TRIES} times"

    async def _batch(self, causes: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """A turn for each cause; those that were in conflict are answered."""
        keys = self.random.sample(COUNTERS, 2 * len(causes))
        found = await self.storage.load(keys)
        await asyncio.sleep(0)
        turns = []
        for (user, seq), *both in zip(causes, keys[::2], keys[1::2], strict=True):
            known = [found.get(key) for key in both]
            writes = [
                replace(
                    scope(
                        user,
                        row.version if row else None,
                        str(int(row.state) + 1) if row else "1",
                        key=key,
                    ),
                    person=None,
                )
                for key, row in zip(both, known, strict=True)
            ]
            turns.append(TurnCommit(cause=seq, part=part(user), scopes=writes))
        answers = await self.storage.commit(self.fence, turns)
        assert {answer.outcome for answer in answers} <= {Outcome.DONE, Outcome.CONFLICT}
        pairs = zip(causes, answers, strict=True)
        return [one for one, answer in pairs if answer.outcome is Outcome.CONFLICT]


async def _totals(storage: FlowStorage) -> int:
    return sum(int(row.state) for row in (await storage.load(COUNTERS)).values())


def _one_of(fence: Fence) -> str:
    """A person whose chat is in the fence's partitions."""
    return next(user for user in USERS if part(user) in fence.epochs)


async def _creation(storage: FlowStorage, user: str, key: str) -> TurnCommit:
    (seq,) = await accepted(storage, user)
    write = scope(user, state=f'"{user}"', key=key)
    return TurnCommit(cause=seq, part=part(user), scopes=[write])
