"""Who gets which partition, as a pure question."""

from __future__ import annotations

from storage.leases import Partition, share_out

NOW, TTL = 1000, 50


def _free(*parts: int) -> list[Partition]:
    return [Partition(part, None, 4, 0) for part in parts]


def _held(owner: str, *parts: int, until: int = NOW + 1) -> list[Partition]:
    return [Partition(part, owner, 4, until) for part in parts]


def _share(rows: list[Partition], want: int) -> list[tuple[int, str | None, int, int]]:
    changed = share_out(rows, "me", want=want, now=NOW, ttl=TTL)
    return sorted((row.part, row.owner, row.epoch, row.until) for row in changed)


def test_free_ones_are_taken_with_a_higher_epoch() -> None:
    assert _share(_free(0, 1, 2), want=2) == [(0, "me", 5, 1050), (1, "me", 5, 1050)]


def test_own_ones_are_renewed_with_their_epoch() -> None:
    assert _share(_held("me", 0), want=1) == [(0, "me", 4, 1050)]


def test_those_of_others_are_left_alone() -> None:
    assert _share(_held("you", 0), want=1) == []


def test_expired_ones_of_others_are_taken() -> None:
    assert _share(_held("you", 0, until=NOW), want=1) == [(0, "me", 5, 1050)]


def test_own_expired_ones_are_taken_anew() -> None:
    assert _share(_held("me", 0, until=NOW), want=1) == [(0, "me", 5, 1050)]


def test_own_expired_ones_that_are_not_wanted_are_given_up() -> None:
    assert _share(_held("me", 0, until=NOW), want=0) == [(0, None, 4, 0)]


def test_what_is_over_is_given_back() -> None:
    assert _share(_held("me", 0, 1), want=1) == [(0, "me", 4, 1050), (1, None, 4, 0)]


def test_wanting_less_than_nothing_is_wanting_nothing() -> None:
    assert _share(_held("me", 0), want=-1) == [(0, None, 4, 0)]
