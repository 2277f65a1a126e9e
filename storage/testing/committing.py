"""Committing turns: all of a turn or nothing, and never over something newer."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from flows.errors import OutcomeUnknown
from flows.ports import DeadLetter, Fence, FlowStorage, Outcome, Query, TurnCommit
from storage.testing.backend import Ability, Backend, Contract
from storage.testing.cancelling import ALL_KINDS, written
from storage.testing.rows import (
    NOWHERE,
    accepted,
    conv,
    full_turn,
    part,
    pending,
    person,
    scope,
    turn,
)


class CommitContract(Contract):
    """``commit`` and ``load``."""

    async def test_a_turn_writes_rows_of_every_kind(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        (committed,) = await storage.commit(fence, [full_turn(seq)])
        assert committed.outcome is Outcome.DONE
        assert await written(storage, fence, "ada") == ALL_KINDS
        _, seconds = await storage.fire(fence, 1)
        assert seconds is not None
        assert list(await pending(storage, fence)) == []

    async def test_load_gives_what_was_committed(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        (committed,) = await storage.commit(fence, [turn(seq, state='{"a": 1}')])
        found = await storage.load([conv("ada"), conv("bob")])
        assert list(found) == [conv("ada")]
        snapshot = found[conv("ada")]
        assert (snapshot.version,) == committed.versions
        assert (snapshot.cause, snapshot.state) == (seq, '{"a": 1}')

    async def test_versions_start_at_the_clock_and_rise_by_one(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "ada")
        earliest = backend.now() * 1000
        (new,) = await storage.commit(fence, [turn(first)])
        (changed,) = await storage.commit(fence, [turn(second, version=new.versions[0])])
        assert new.versions[0] >= earliest
        assert changed.versions[0] == new.versions[0] + 1

    async def test_a_scope_that_is_only_compared_keeps_its_version(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "ada")
        (new,) = await storage.commit(fence, [turn(first)])
        looked = turn(second, version=new.versions[0], state=None)
        (committed,) = await storage.commit(fence, [looked])
        assert committed.outcome is Outcome.DONE
        assert committed.versions == new.versions
        assert (await storage.load([conv("ada")]))[conv("ada")].cause == first

    async def test_an_absent_scope_that_is_only_compared_stays_absent(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        (committed,) = await storage.commit(fence, [turn(seq, state=None)])
        assert committed.outcome is Outcome.DONE
        assert await storage.load([conv("ada")]) == {}

    async def test_a_turn_may_write_several_scopes(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        both = [scope("ada"), scope("ada", key="contract//ada")]
        whole = TurnCommit(cause=seq, part=part("ada"), scopes=both)
        (committed,) = await storage.commit(fence, [whole])
        assert len(committed.versions) == 2
        assert set(await storage.load([row.key for row in both])) == {row.key for row in both}

    async def test_one_scope_out_of_date_holds_back_the_others(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        both = [scope("ada"), scope("ada", 12, key="contract//ada")]
        whole = TurnCommit(cause=seq, part=part("ada"), scopes=both)
        (committed,) = await storage.commit(fence, [whole])
        assert committed.outcome is Outcome.CONFLICT
        assert await storage.load([row.key for row in both]) == {}

    @pytest.mark.parametrize("stale", [{0}, {1}, {2}, {0, 1, 2}])
    async def test_a_conflict_fails_only_its_own_turn(
        self, backend: Backend, stale: set[int]
    ) -> None:
        storage, fence = await self.start(backend)
        users = ["ada", "bob", "cyd"]
        seqs = await accepted(storage, *users)
        turns = [
            full_turn(seq, user, version=12 if place in stale else None)
            for place, (seq, user) in enumerate(zip(seqs, users, strict=True))
        ]
        committed = await storage.commit(fence, turns)
        for place, user in enumerate(users):
            conflict = place in stale
            assert committed[place].outcome is (Outcome.CONFLICT if conflict else Outcome.DONE)
            assert bool(committed[place].versions) is not conflict
            assert bool(await written(storage, fence, user)) is not conflict
        undone = [row.seq for row in await pending(storage, fence)]
        assert undone == [seqs[place] for place in sorted(stale)]

    async def test_of_two_that_create_a_scope_one_wins(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "ada")
        await storage.commit(fence, [turn(first, state='"first"')])
        (late,) = await storage.commit(fence, [turn(second, state='"second"')])
        assert late.outcome is Outcome.CONFLICT
        assert (await storage.load([conv("ada")]))[conv("ada")].state == '"first"'

    async def test_a_stale_version_conflicts(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        seqs = await accepted(storage, "ada", "ada", "ada")
        (new,) = await storage.commit(fence, [turn(seqs[0])])
        version = new.versions[0]
        await storage.commit(fence, [turn(seqs[1], version=version, state='"newer"')])
        (late,) = await storage.commit(fence, [turn(seqs[2], version=version, state='"lost"')])
        assert late.outcome is Outcome.CONFLICT
        assert (await storage.load([conv("ada")]))[conv("ada")].state == '"newer"'

    async def test_an_erased_scope_is_not_brought_back(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "ada")
        (new,) = await storage.commit(fence, [turn(first)])
        await storage.erase(person("ada"))
        (late,) = await storage.commit(fence, [turn(second, version=new.versions[0])])
        assert late.outcome is Outcome.GONE
        assert await storage.load([conv("ada")]) == {}

    async def test_a_scope_made_again_never_has_an_old_version(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        (old,) = await storage.commit(fence, [turn(seq)])
        await storage.erase(person("ada"))
        again, late = await accepted(storage, "ada", "ada")
        (new,) = await storage.commit(fence, [turn(again)])
        assert new.versions[0] > old.versions[0]
        (lost,) = await storage.commit(fence, [turn(late, version=old.versions[0])])
        assert lost.outcome is Outcome.CONFLICT

    async def test_a_missing_cause_is_gone(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (committed,) = await storage.commit(fence, [full_turn(4711)])
        assert committed.outcome is Outcome.GONE
        assert await written(storage, fence, "ada") == set()

    async def test_a_done_cause_is_gone(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        (done,) = await storage.commit(fence, [turn(seq)])
        (again,) = await storage.commit(fence, [turn(seq, version=done.versions[0], state='"2"')])
        assert again.outcome is Outcome.GONE
        assert (await storage.load([conv("ada")]))[conv("ada")].state == '{"n": 1}'

    async def test_two_turns_of_a_batch_do_not_share_a_cause(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        first = replace(turn(seq), scopes=[scope("ada", key="contract//1")])
        second = replace(turn(seq), scopes=[scope("ada", key="contract//2")])
        committed = await storage.commit(fence, [first, second])
        assert [answer.outcome for answer in committed] == [Outcome.DONE, Outcome.GONE]
        assert list(await storage.load(["contract//1", "contract//2"])) == ["contract//1"]

    async def test_gone_is_said_before_conflict(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (committed,) = await storage.commit(fence, [turn(4711, version=12)])
        assert committed.outcome is Outcome.GONE

    async def test_a_large_batch_is_one_commit(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        users = [f"user{number}" for number in range(200)]
        seqs = await accepted(storage, *users)
        turns = [full_turn(seq, user) for seq, user in zip(seqs, users, strict=True)]
        turns[77] = replace(turns[77], scopes=[scope(users[77], 12)])
        committed = await storage.commit(fence, turns)
        others = {answer.outcome for place, answer in enumerate(committed) if place != 77}
        assert (others, committed[77].outcome) == ({Outcome.DONE}, Outcome.CONFLICT)
        assert len(await storage.load([conv(user) for user in users])) == 199
        assert len(await storage.outgoing(fence, NOWHERE, 1000)) == 199

    async def test_a_cause_that_is_given_up_becomes_a_dead_letter(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        letter = DeadLetter(
            conv=conv("ada"), origin="inbox", body='"hi"', error="it kills", tries=5, at=9
        )
        given_up = TurnCommit(cause=seq, part=part("ada"), dead=letter)
        (committed,) = await storage.commit(fence, [given_up])
        assert committed.outcome is Outcome.DONE
        assert list(await pending(storage, fence)) == []
        (row,) = (await storage.inspect(Query(what="dead_letters"))).rows
        assert (row["conv"], row["error"], row["tries"]) == (conv("ada"), "it kills", 5)

    @pytest.mark.parametrize("applied", [False, True])
    async def test_a_lost_answer_is_told_and_can_be_read_again(
        self, backend: Backend, applied: bool
    ) -> None:
        self.need(backend, Ability.LOST_ANSWERS)
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        backend.lose_answer(storage, applied=applied)
        with pytest.raises(OutcomeUnknown):
            await storage.commit(fence, [full_turn(seq)])
        found = await storage.load([conv("ada")])
        assert bool(found) is applied
        (again,) = await storage.commit(fence, [full_turn(seq)])
        assert again.outcome is (Outcome.GONE if applied else Outcome.DONE)

    async def test_concurrent_calls_on_one_handle_lose_nothing(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        shared = "contract//everybody"

        async def write(user: str) -> None:
            for _ in range(5):
                await _count(storage, fence, user, shared)

        await asyncio.gather(write("ada"), write("bob"), write("cyd"))
        assert (await storage.load([shared]))[shared].state == "15"


async def _count(storage: FlowStorage, fence: Fence, user: str, key: str) -> None:
    """A turn that adds 1 to a scope which others write as well; it runs until it is first."""
    (seq,) = await accepted(storage, user)
    outcome = Outcome.CONFLICT
    while outcome is Outcome.CONFLICT:
        found = (await storage.load([key])).get(key)
        await asyncio.sleep(0)
        state = str(int(found.state) + 1) if found else "1"
        write = scope(user, found.version if found else None, state, key=key)
        whole = TurnCommit(cause=seq, part=part(user), scopes=[replace(write, person=None)])
        (committed,) = await storage.commit(fence, [whole])
        outcome = committed.outcome
    assert outcome is Outcome.DONE
