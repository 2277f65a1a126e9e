"""Telegram's sending limits, in a loop whose time is computed rather than waited for."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

from engine.channels.telegram.backoff import Backoff, delay
from engine.channels.telegram.limits import SendLimits
from engine.channels.telegram.recent import Recent


class _NoWait(selectors.SelectSelector):
    """Moves the loop's time on by what it was asked to wait, and a microsecond each round.

    Without the latter, timers that are due within a rounding error would come due for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.passed += timeout or 1e-6
        return super().select(0)


class _ComputedTime(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._no_wait = _NoWait()
        super().__init__(self._no_wait)

    def time(self) -> float:
        return self._no_wait.passed


def run(main: Callable[[], Coroutine[Any, Any, list[float]]]) -> list[float]:
    with asyncio.Runner(loop_factory=_ComputedTime) as runner:
        return runner.run(main())


async def times(limits: SendLimits, chats: list[str]) -> list[float]:
    """When each of the sends may go, all asked for at once."""
    loop = asyncio.get_running_loop()

    async def one(chat: str) -> float:
        await limits.wait(chat)
        return loop.time()

    return sorted(await asyncio.gather(*(one(chat) for chat in chats)))


def most_within(moments: list[float], seconds: float) -> int:
    """The most moments that lie within any window of so many seconds."""
    return max(sum(at <= other < at + seconds for other in moments) for at in moments)


def test_fact_14_a_chat_gets_a_short_burst_and_then_one_a_second() -> None:
    moments = run(lambda: times(SendLimits(), ["7"] * 10))
    assert [round(moment, 2) for moment in moments] == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]


def test_fact_14_overall_thirty_a_second() -> None:
    moments = run(lambda: times(SendLimits(), [str(n) for n in range(200)]))
    assert most_within(moments, 0.999) <= 30
    assert moments[-1] <= 200 / 20


def test_fact_14_a_group_gets_twenty_a_minute() -> None:
    moments = run(lambda: times(SendLimits(), ["-7"] * 60))
    assert most_within(moments, 59.999) <= 20


def test_a_chat_that_has_to_wait_delays_no_other() -> None:
    async def main() -> list[float]:
        limits = SendLimits()
        slow = asyncio.ensure_future(times(limits, ["7"] * 20))
        await asyncio.sleep(0)
        others = await times(limits, ["1", "2", "3"])
        await slow
        return others

    assert max(run(main)) < 0.1


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
