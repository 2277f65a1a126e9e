"""Small writes that nobody is in a hurry for: they ride along in the next transaction.

A transaction costs as much as what is written in it, so a mark of a sent message does not get one
of its own where another write follows soon: the commit of the next turn takes it along. Where none
does, it leaves by itself after ``WAIT``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from storage.sql.dialects import Cursor, Work

Answer = TypeVar("Answer")

WAIT = 0.002
"""Seconds that a write waits for another one at the most."""

SEATS = 16
"""So many marks wait at the most: half of what may be sent and not marked, so that nobody who
sends has to wait for those who wait here.
"""


class Rider(Generic[Answer]):
    """A write that waits, and whoever awaits it."""

    __slots__ = ("_arrived", "marks", "work")

    def __init__(self, work: Work[Answer], marks: int, arrived: asyncio.Future[Answer]) -> None:
        self.work = work
        self.marks = marks
        self._arrived = arrived

    @property
    def given_up(self) -> bool:
        """Nobody awaits it any more."""
        return self._arrived.done()

    def arrive(self, answer: Answer) -> None:
        """It is committed."""
        if not self._arrived.done():
            self._arrived.set_result(answer)

    def fail(self, error: BaseException) -> None:
        """It could not be written."""
        if not self._arrived.done():
            self._arrived.set_exception(error)


Riders = Sequence[Rider[Any]]


class Stop:
    """Where writes wait.

    Args:
        depart: writes those that wait, when nobody has taken them along.
    """

    def __init__(self, depart: Callable[[], Awaitable[None]]) -> None:
        self._depart = depart
        self._waiting: list[Rider[Any]] = []
        self._alarm: asyncio.TimerHandle | None = None
        # a loop itself holds its tasks weakly
        self._departing: asyncio.Future[None] | None = None

    def has_seats(self, marks: int) -> bool:
        """Whether so many more marks may wait."""
        return sum(rider.marks for rider in self._waiting) + marks <= SEATS

    async def wait(self, work: Work[Answer], marks: int) -> Answer:
        """What the write answers, once it is committed, by whomever."""
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append(Rider(work, marks, arrived))
        if self._alarm is None:
            self._alarm = loop.call_later(WAIT, self._leave)
        return await arrived

    def board(self) -> Riders:
        """Those that wait and are still wanted; whoever takes them writes them."""
        if not self._waiting:
            return ()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        riders, self._waiting = self._waiting, []
        return [rider for rider in riders if not rider.given_up]

    def _leave(self) -> None:
        self._alarm = None
        self._departing = asyncio.ensure_future(self._depart())


def together(riders: Riders, work: Work[Answer]) -> Work[tuple[list[object], Answer]]:
    """One unit of work of all of them: the answers of the riders, and that of ``work``."""

    def all_of_them(cursor: Cursor) -> tuple[list[object], Answer]:
        answers: list[object] = [rider.work(cursor) for rider in riders]
        return answers, work(cursor)

    return all_of_them
