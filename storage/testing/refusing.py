"""Turns with rows that cannot be stored: named, and nothing of the batch is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flows.errors import BadRow
from flows.ports import Outcome, Query, TurnCommit
from storage.testing.backend import Backend, Contract
from storage.testing.cancelling import written
from storage.testing.rows import (
    accepted,
    conv,
    full_turn,
    message,
    pending,
    timer,
    turn,
)

Spoil = Callable[[TurnCommit], TurnCommit]


def _with_nul(whole: TurnCommit) -> TurnCommit:
    return replace(whole, outbox=[replace(whole.outbox[0], body='"\0"')])


def _beyond_64_bits(whole: TurnCommit) -> TurnCommit:
    return replace(whole, instances=[replace(whole.instances[0], updated=1 << 63)])


def _half_character(whole: TurnCommit) -> TurnCommit:
    return replace(whole, transitions=[replace(whole.transitions[0], cause="\ud800")])


def _too_large(whole: TurnCommit) -> TurnCommit:
    # No backend takes so much: a message of 64 MiB.
    return replace(whole, outbox=[replace(whole.outbox[0], body="9" * (1 << 26))])


def _name_too_long(whole: TurnCommit) -> TurnCommit:
    return replace(whole, instances=[replace(whole.instances[0], step="S" * 192)])


def _twice_the_same_message(whole: TurnCommit) -> TurnCommit:
    return replace(whole, outbox=[whole.outbox[0], whole.outbox[0]])


SPOILS = (
    _with_nul,
    _beyond_64_bits,
    _half_character,
    _twice_the_same_message,
    _too_large,
    _name_too_long,
)


class RefusalContract(Contract):
    """``BadRow``, as ``commit`` raises it."""

    @pytest.mark.parametrize(
        "spoil",
        SPOILS,
        ids=["nul", "64 bits", "half a character", "a message twice", "too large", "a long name"],
    )
    @pytest.mark.parametrize("place", [0, 1, 2])
    async def test_a_row_that_cannot_be_stored_is_named(
        self, backend: Backend, spoil: Spoil, place: int
    ) -> None:
        storage, fence = await self.start(backend)
        users = ["ada", "bob", "cyd"]
        seqs = await accepted(storage, *users)
        turns = [full_turn(seq, user) for seq, user in zip(seqs, users, strict=True)]
        turns[place] = spoil(turns[place])
        with pytest.raises(BadRow) as refusal:
            await storage.commit(fence, turns)
        assert refusal.value.index == place
        for user in users:
            assert await written(storage, fence, user) == set()
        assert [row.seq for row in await pending(storage, fence)] == seqs

    @pytest.mark.parametrize("places", [{0, 2}, {1, 2}, {0, 1, 2, 3, 4}])
    async def test_of_several_bad_rows_one_is_named_until_none_is_left(
        self, backend: Backend, places: set[int]
    ) -> None:
        storage, fence = await self.start(backend)
        users = ["ada", "bob", "cyd", "dan", "eve"]
        seqs = await accepted(storage, *users)
        turns = {
            place: full_turn(seq, user)
            for place, (seq, user) in enumerate(zip(seqs, users, strict=True))
        }
        for place in places:
            # The database finds this one, where the others are found before it is asked.
            spoil = _twice_the_same_message if place == 2 else _with_nul
            turns[place] = spoil(turns[place])
        for _ in places:
            with pytest.raises(BadRow) as refusal:
                await storage.commit(fence, list(turns.values()))
            del turns[list(turns)[refusal.value.index]]
        assert not turns.keys() & places
        committed = await storage.commit(fence, list(turns.values()))
        assert [answer.outcome for answer in committed] == [Outcome.DONE] * len(turns)

    async def test_a_bad_row_of_a_turn_that_fails_anyway_spoils_no_other(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "bob")
        stale = _twice_the_same_message(full_turn(first, version=12))
        committed = await storage.commit(fence, [stale, full_turn(second, "bob")])
        outcomes = [answer.outcome for answer in committed]
        assert outcomes == [Outcome.CONFLICT, Outcome.DONE]

    async def test_a_numbers_edge_is_no_reason_to_refuse(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        largest = (1 << 63) - 1
        whole = full_turn(seq)
        edge = replace(
            whole,
            instances=[replace(whole.instances[0], updated=largest, flow_version=-largest - 1)],
            timers=[replace(timer("ada", due=largest), generation=largest)],
            transitions=[replace(whole.transitions[0], at=largest, n=largest)],
        )
        (committed,) = await storage.commit(fence, [edge])
        assert committed.outcome is Outcome.DONE
        (row,) = (await storage.inspect(Query(what="instances"))).rows
        assert (row["updated"], row["flow_version"]) == (largest, -largest - 1)
        (row,) = (await storage.inspect(Query(what="timers"))).rows
        assert (row["due"], row["generation"]) == (largest, largest)
        (row,) = (await storage.inspect(Query(what="transitions"))).rows
        assert (row["at"], row["n"]) == (largest, largest)

    async def test_a_state_may_be_as_large_as_the_limit_says(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        largest = '"' + "x" * (backend.limits.state_bytes - 2) + '"'
        (committed,) = await storage.commit(fence, [turn(seq, state=largest)])
        assert committed.outcome is Outcome.DONE
        assert (await storage.load([conv("ada")]))[conv("ada")].state == largest

    async def test_a_state_beyond_the_limit_is_named(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "bob")
        # Counted in bytes: in characters it would fit.
        larger = '"' + "é" * (backend.limits.state_bytes // 2) + '"'
        with pytest.raises(BadRow) as refusal:
            await storage.commit(fence, [turn(first), turn(second, "bob", state=larger)])
        assert refusal.value.index == 1
        assert await storage.load([conv("ada"), conv("bob")]) == {}

    async def test_a_message_is_written_once(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "bob")
        said = replace(turn(first), outbox=[message(first)])
        await storage.commit(fence, [said])
        copy = replace(turn(second, "bob"), outbox=[message(first)])
        with pytest.raises(BadRow):
            await storage.commit(fence, [copy])
