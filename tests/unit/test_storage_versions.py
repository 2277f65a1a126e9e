"""Versions of scopes, and the outcomes of a batch."""

from __future__ import annotations

from flows.ports import Committed, Outcome, ScopeWrite, TurnCommit
from storage.clock import VersionClock
from storage.outcomes import decide


def _turn(cause: int, version: int | None) -> TurnCommit:
    write = ScopeWrite(key="k", part=0, version=version, state="{}")
    return TurnCommit(cause=cause, part=0, scopes=[write])


def _decide(*turns: TurnCommit, versions: dict[str, int] | None = None) -> list[Committed]:
    return list(
        decide(
            turns,
            held={0},
            undone={1, 2, 3},
            versions=versions or {},
            clock=VersionClock(),
            micros=5000,
        )
    )


def test_versions_rise_while_the_clock_stands() -> None:
    clock = VersionClock()
    assert [clock.first(5000), clock.first(5000)] == [5000, 5001]


def test_versions_rise_above_all_that_were_written() -> None:
    clock = VersionClock()
    clock.seen(7777)
    assert clock.first(5000) == 7778


def test_versions_rise_when_the_clock_goes_back() -> None:
    clock = VersionClock()
    assert [clock.first(9000), clock.first(5000)] == [9000, 9001]


def test_a_second_turn_of_a_scope_in_the_batch_conflicts() -> None:
    first, second = _decide(_turn(1, 10), _turn(2, 10), versions={"k": 10})
    assert (first.outcome, second.outcome) == (Outcome.DONE, Outcome.CONFLICT)


def test_a_second_turn_that_knows_the_first_is_done() -> None:
    first, second = _decide(_turn(1, 10), _turn(2, 11), versions={"k": 10})
    assert (first.versions, second.versions) == ((11,), (12,))


def test_a_second_turn_of_a_cause_in_the_batch_is_gone() -> None:
    first, second = _decide(_turn(1, None), _turn(1, None))
    assert (first.outcome, second.outcome) == (Outcome.DONE, Outcome.GONE)


def test_a_conflicting_turn_leaves_its_cause_to_the_next() -> None:
    first, second = _decide(_turn(1, 10), _turn(1, None))
    assert (first.outcome, second.outcome) == (Outcome.CONFLICT, Outcome.DONE)
