"""Marks: what counts once within a time, and what counts so often."""

from __future__ import annotations

from engine.state.conversation import Conversation
from flows.plain.marks import MOST, Marks

NOW = 1_000_000


def test_a_key_is_claimed_once_within_its_time() -> None:
    marks = Marks({}, NOW)
    assert [marks.claim("a", 50), marks.claim("a", 50), marks.claim("b", 50)] == [True, False, True]


def test_a_claim_ends() -> None:
    marks = Marks({}, NOW)
    marks.claim("a", 50)
    assert not Marks(marks.until, NOW + 49).claim("a", 50)
    assert Marks(marks.until, NOW + 50).claim("a", 50)


def test_what_has_ended_is_not_kept() -> None:
    marks = Marks({}, NOW)
    marks.claim("a", 50)
    assert Marks(marks.until, NOW + 50).until == {}


def test_a_bucket_holds_its_burst_and_fills_again() -> None:
    kept: dict[str, int] = {}
    taken: list[bool] = []
    for at in (0, 0, 0, 99, 100, 150, 300, 300, 300):
        marks = Marks(kept, NOW + at)
        taken.append(marks.spend("a", interval=100, burst=2))
        kept = marks.until
    assert taken == [True, True, False, False, True, False, True, True, False]


def test_only_what_was_spent_counts_in_a_turn_that_fails() -> None:
    marks = Marks({}, NOW)
    marks.claim("a", 50)
    marks.spend("b", interval=100, burst=2)
    assert list(marks.spent.values()) == [NOW + 100]


def test_what_ends_first_is_forgotten_beyond_the_most() -> None:
    marks = Marks({}, NOW)
    for number in range(MOST + 1):
        marks.claim(f"key {number}", 10 + number)
    assert len(marks.until) == MOST
    assert marks.claim("key 0", 10)
    assert not marks.claim("key 2", 10)


def test_a_key_that_is_no_unicode_can_be_claimed() -> None:
    marks = Marks({}, NOW)
    assert marks.claim("\ud800", 10)
    assert not marks.claim("\ud800", 10)


def test_a_state_without_marks_is_as_it_was() -> None:
    assert Conversation().encode() == '{"session":{},"stack":[],"format":3}'


def test_marks_are_stored_with_the_conversation() -> None:
    text = Conversation(marks={"a": NOW}).encode()
    assert Conversation.decode("key", text).marks == {"a": NOW}
