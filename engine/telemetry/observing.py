"""Telling observers: where the engine comes by, and what it tells them.

Whoever has no observer pays one look whether there is one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from engine.telemetry.bounded import Bounded
from engine.telemetry.observer import (
    Accepted,
    CommitEnded,
    Observer,
    SendBegun,
    SendEnded,
    SendOutcome,
    StepBegun,
    StepEnded,
    TurnBegun,
    TurnEnded,
    TurnOutcome,
)
from engine.turns.scopes import message_key
from flows.updates import TimerFired

if TYPE_CHECKING:
    from engine.delivery.letters import Row
    from engine.intake.mailboxes import Item

T = TypeVar("T")

_log = logging.getLogger("handrail.engine")

_Begun = tuple[float, float | None]
"""When a turn began, and how late its timer was."""


class Observing:
    """Tells several observers, and measures how long things take.

    Args:
        now: the time, in milliseconds since the epoch; what timers are late by.
    """

    def __init__(self, observers: Sequence[Observer], now: Callable[[], int]) -> None:
        self.observers = tuple(observers)
        self._now = now
        self._turns: Bounded[int, _Begun] = Bounded()
        self._mistaken: set[str] = set()

    def accepted(self, source: str, turns: Sequence[int], *, duplicates: int, begun: float) -> None:
        """A page is durable; ``begun``: when it was handed in."""
        seconds = perf_counter() - begun
        page = Accepted(source=source, turns=turns, duplicates=duplicates, seconds=seconds)
        self._tell(Observer.accepted, page)

    def turn_begun(self, item: Item) -> None:
        """The turn of an update begins, in its context."""
        update, late = item.update, None
        if isinstance(update.content, TimerFired):
            late = _late(update.content.body.get("due"), self._now())
        begun = TurnBegun(
            turn=item.seq,
            conversation=message_key(update),
            source=update.source,
            kind=update.content.kind,
            tries=item.tries,
            late=late,
        )
        self._turns[item.seq] = (perf_counter(), late)
        self._tell(Observer.turn_begun, begun)

    def turn_ran(self, turn: int) -> None:
        """The handlers of a turn have run, in its context."""
        self._tell(Observer.turn_ran, turn)

    def step_begun(self, step: StepBegun) -> float:
        """A handler begins; answers when."""
        self._tell(Observer.step_begun, step)
        return perf_counter()

    def step_ended(self, step: StepEnded) -> None:
        """A handler has run."""
        self._tell(Observer.step_ended, step)

    def committed(self, outcomes: Mapping[int, TurnOutcome], *, size: int, begun: float) -> None:
        """A commit was answered, and with it its turns are over."""
        now = perf_counter()
        self._tell(
            Observer.committed, CommitEnded(outcomes=outcomes, size=size, seconds=now - begun)
        )
        for turn, outcome in outcomes.items():
            began, late = self._turns.pop(turn, (now, None))
            ended = TurnEnded(turn=turn, outcome=outcome, seconds=now - began, late=late)
            self._tell(Observer.turn_ended, ended)

    def send_begun(self, source: str, row: Row) -> float:
        """A try to send begins; answers when."""
        begun = SendBegun(turn=row.turn, n=row.n, conversation=row.conv, source=source)
        self._tell(Observer.send_begun, begun)
        return perf_counter()

    def send_ended(self, source: str, row: Row, outcome: SendOutcome, *, begun: float) -> None:
        """A try to send is over."""
        seconds = perf_counter() - begun
        ended = SendEnded(turn=row.turn, n=row.n, source=source, outcome=outcome, seconds=seconds)
        self._tell(Observer.send_ended, ended)

    def timers_fired(self, count: int) -> None:
        """So many timers have become updates."""
        self._tell(Observer.timers_fired, count)

    def _tell(self, what: Callable[[Observer, T], None], told: T) -> None:
        name = what.__name__
        for one in self.observers:
            try:
                getattr(one, name)(told)
            except Exception:  # whatever an observer raises: the bot goes on
                self._complain(f"{type(one).__name__}.{name}")

    def _complain(self, name: str) -> None:
        """Once for each: it may happen in every turn."""
        if name not in self._mistaken:
            self._mistaken.add(name)
            _log.exception("the observer's %s has failed; this is told once", name)


def observing_of(observers: Sequence[Observer], now: Callable[[], int]) -> Observing | None:
    """What tells these; None where there are none."""
    return Observing(observers, now) if observers else None


def _late(due: object, now: int) -> float | None:
    return max(now - due, 0) / 1000 if isinstance(due, int) else None
