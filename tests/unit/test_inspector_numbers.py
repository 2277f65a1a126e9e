"""Counts of instances, put together for people to read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.inspector.numbers import REST, Counts, Numbers, Rung, by_flow, funnel, live_at
from engine.testing import VirtualClock
from flows import FlowBuilder, Text
from flows.ports import Tally
from tests.support import Names, Three

FLOW = (
    FlowBuilder("three", Three, Names)
    .ask(Three.FIRST, "First?", Text(), into="first")
    .ask(Three.SECOND, "Second?", Text(), into="second")
    .ask(Three.THIRD, "Third?", Text(), into="third")
    .build(initial=Three.FIRST)
)


def test_the_flows_of_the_code_come_first_and_others_after_them() -> None:
    tallies = [Tally("old", "X", "active", 2), Tally("three", "FIRST", "cancelled", 1)]
    assert by_flow(tallies, ["idle", "three"]) == [
        Numbers("idle", 0, {}),
        Numbers("three", 1, {"cancelled": 1}),
        Numbers("old", 2, {"active": 2}),
    ]


def test_running_are_those_that_have_not_ended() -> None:
    (numbers,) = by_flow(
        [
            Tally("three", "FIRST", status, 1)
            for status in ("active", "escalated", "quarantined", "completed", "expired")
        ],
        [],
    )
    assert (numbers.started, numbers.running) == (5, 3)


def test_who_is_in_several_branches_stands_at_each_step() -> None:
    tallies = [
        Tally("three", "FIRST SECOND", "active", 2),
        Tally("three", "SECOND", "escalated", 1),
        Tally("three", "SECOND", "completed", 9),
        Tally("other", "SECOND", "active", 9),
    ]
    assert live_at(tallies, "three") == {"FIRST": 2, "SECOND": 3}


def test_a_funnel_takes_who_is_further_as_having_come_by() -> None:
    tallies = [
        Tally("three", "FIRST", "cancelled", 5),
        Tally("three", "SECOND", "active", 3),
        Tally("three", "SECOND THIRD", "active", 1),
        Tally("three", "THIRD", "completed", 2),
        Tally("three", "THIRD", "expired", 1),
        Tally("three", "GONE", "active", 7),  # a step of an older version
        Tally("other", "FIRST", "active", 9),
    ]
    assert funnel(tallies, FLOW) == [
        Rung("FIRST", came=12, here=0, left=5),
        Rung("SECOND", came=7, here=4, left=0),
        Rung("THIRD", came=3, here=0, left=1),
    ]


@pytest.mark.anyio
async def test_counts_are_used_again_for_a_moment_and_longer_where_they_took_long() -> None:
    clock = VirtualClock()
    counts = Counts(clock)
    taken = 0

    async def count() -> Sequence[Tally]:
        nonlocal taken
        taken += 1
        clock.skip(1.0)
        return [Tally("three", "FIRST", "active", taken)]

    first = await counts.get(count)
    clock.skip(REST * 1.0 - 0.1)
    assert await counts.get(count) == first
    clock.skip(0.2)
    assert await counts.get(count) != first
    counts.forget()
    await counts.get(count)
    assert taken == 3
