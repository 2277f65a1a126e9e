"""Telegram's sending limits, by a clock that a test moves."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import count

import pytest

from engine.backoff import Backoff, delay
from engine.channels.telegram.limits import SendLimits
from engine.channels.telegram.recent import Recent
from engine.testing.clock import VirtualClock
from flows.ports import Pause


def times(chats: Iterable[str], *, clock: VirtualClock, limits: SendLimits) -> list[float]:
    """When each of the sends may go, in seconds, if all are asked for at once and each that has
    to wait asks again after its pause.
    """
    begin, order, moments = clock.monotonic(), count(), list[float]()
    asking = [(clock.monotonic(), next(order), chat) for chat in chats]
    while asking:
        at, _, chat = heapq.heappop(asking)
        clock.skip(max(at - clock.monotonic(), 0))
        pause = limits.admit(chat)
        if pause is None:
            moments.append(clock.monotonic() - begin)
            continue
        again = clock.monotonic() + max(pause.seconds, 0.001)  # a virtual clock's shortest time
        if pause.everybody:
            clock.skip(again - clock.monotonic())
        heapq.heappush(asking, (again, next(order), chat))
    return moments


def made() -> tuple[VirtualClock, SendLimits]:
    clock = VirtualClock()
    return clock, SendLimits(clock)


def most_within(moments: list[float], seconds: float) -> int:
    """The most moments that lie within any window of so many seconds."""
    return max(sum(at <= other < at + seconds for other in moments) for at in moments)


def test_fact_14_a_chat_gets_a_short_burst_and_then_one_a_second() -> None:
    clock, limits = made()
    moments = times(["7"] * 10, clock=clock, limits=limits)
    assert [round(moment, 1) for moment in moments] == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]


def test_fact_14_overall_thirty_a_second() -> None:
    clock, limits = made()
    moments = times(map(str, range(200)), clock=clock, limits=limits)
    assert most_within(moments, 0.999) <= 30
    assert moments[-1] <= 200 / 20


def test_fact_14_a_group_gets_twenty_a_minute() -> None:
    clock, limits = made()
    moments = times(["-7"] * 60, clock=clock, limits=limits)
    assert most_within(moments, 59.999) <= 20


def test_fact_14_albums_count_in_a_group_as_their_messages() -> None:
    clock, limits = made()
    moments = list[float]()
    for sends in [1, 10, 1, 1, 3, 10, 5, 10, 10, 1] * 3:
        while (pause := let_through("-7", sends, limits)) is not None:
            clock.skip(max(pause.seconds, 0.001))
        moments += [clock.monotonic()] * sends
    assert most_within(moments, 59.999) <= 20
    assert moments[-1] - moments[0] <= len(moments) * 6


def test_an_album_goes_at_once_where_nothing_was_sent_for_a_while() -> None:
    clock, limits = made()
    assert let_through("-7", 10, limits) is None
    assert let_through("-7", 10, limits) is not None
    clock.skip(60)
    assert let_through("-7", 10, limits) is None


def test_what_follows_an_album_in_a_private_chat_waits() -> None:
    clock, limits = made()
    assert let_through("7", 10, limits) is None
    clock.skip(7.9)
    assert limits.admit("7") is not None
    clock.skip(0.2)
    assert limits.admit("7") is None


def let_through(chat: str, sends: int, limits: SendLimits) -> Pause | None:
    """How long so many messages in one have to wait."""
    pause = limits.admit(chat)
    return pause if pause is not None or sends == 1 else limits.admit_together(chat, sends)


def test_a_chat_that_has_to_wait_delays_no_other() -> None:
    clock, limits = made()
    while (pause := limits.admit("7")) is None:
        pass
    assert not pause.everybody
    assert times(["1", "2", "3"], clock=clock, limits=limits) == [0, 0, 0]


def test_what_all_have_to_wait_for_is_told_from_what_one_has_to() -> None:
    _, limits = made()
    assert [limits.admit(str(n)) for n in range(10)] == [None] * 10
    pause = limits.admit("10")
    assert pause is not None
    assert pause.everybody


def test_nothing_counts_that_was_not_let_through() -> None:
    clock, limits = made()
    for _ in range(3):
        assert limits.admit("7") is None
    for _ in range(1000):
        assert limits.admit("7") is not None
    clock.skip(1)
    assert limits.admit("7") is None


@pytest.mark.parametrize("workers", [2, 3, 7, 40])
def test_the_shares_of_several_workers_make_the_limit_together(workers: int) -> None:
    moments = list[float]()
    for number in range(workers):
        clock, limits = made()
        limits.allot(1 / workers)
        chats = [f"{number}/{chat}" for chat in range(60)]
        moments += times(chats, clock=clock, limits=limits)
    # a bucket holds one send at least: of very many workers each may send that one at once
    assert most_within(moments, 0.999) <= max(30, 15 + workers)


def test_a_share_that_changes_again_and_again_lets_nothing_more_through() -> None:
    clock, limits = made()
    moments = list[float]()
    for chat in range(2000):
        limits.allot((1, 0.25, 0.5)[chat % 3])
        if limits.admit(str(chat)) is None:
            moments.append(clock.monotonic())
        clock.skip(0.002)
    assert most_within(moments, 0.999) <= 30


def test_a_share_that_grows_is_used_up_again() -> None:
    clock, limits = made()
    limits.allot(0.1)
    slow = times(map(str, range(30)), clock=clock, limits=limits)[-1]
    limits.allot(1)
    assert times(map(str, range(100, 130)), clock=clock, limits=limits)[-1] < slow / 5


def test_the_buckets_of_chats_are_bounded() -> None:
    clock, limits = made()
    for chat in range(10_000):
        clock.skip(1)
        assert limits.admit(f"-{chat}") is None
    assert len(limits._chats) == len(limits._groups) == 4096


def test_the_least_recently_used_entry_is_dropped() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c"), len(recent)) == (1, None, 3, 2)


def test_waiting_doubles_up_to_a_cap_with_jitter() -> None:
    for failures, full in ((1, 1), (2, 2), (5, 16), (7, 60), (10_000, 60)):
        assert full / 2 <= delay(failures, base=1, cap=60) <= full


def test_a_backoff_starts_anew_after_a_success() -> None:
    backoff = Backoff(base=4, cap=100)
    waits = [backoff.next() for _ in range(4)]
    assert waits[-1] >= 16
    backoff.reset()
    assert backoff.next() <= 4
