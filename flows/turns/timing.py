"""Waiting with a clock: how long an answer may take, and who is reminded when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flows.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Reminder:
    """What is said to a person who has not answered; the question follows it.

    Attributes:
        after: how long after the question.
        text: what is said; empty: the engine's own words.

    Raises:
        DefinitionError: ``after`` is nothing, or less.
    """

    after: timedelta
    text: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.after, timedelta) or self.after <= timedelta(0):
            raise DefinitionError(
                f"a reminder comes after a timedelta longer than nothing, not {self.after!r}. With "
                "a text of its own it is Reminder(timedelta(...), 'text')."
            )


Remind = timedelta | Reminder | Sequence[timedelta | Reminder]
"""One reminder or several; a bare timedelta is a reminder in the engine's own words."""


def ladder(remind: Remind | None) -> tuple[Reminder, ...]:
    """The reminders in order of time. Raises DefinitionError for what is no reminder."""
    if remind is None:
        return ()
    rungs = remind if isinstance(remind, Sequence) else (remind,)
    made = (rung if isinstance(rung, Reminder) else Reminder(rung) for rung in rungs)
    return tuple(sorted(made, key=lambda one: one.after))


def check_timeout(timeout: timedelta | None) -> None:
    """Raises DefinitionError for what is no time that a person could have."""
    if timeout is not None and (not isinstance(timeout, timedelta) or timeout <= timedelta(0)):
        raise DefinitionError(f"a timeout must be a timedelta longer than nothing, not {timeout!r}")


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock of a question.

    Attributes:
        timeout: how long the answer may take; None: for ever.
        reminders: the next one first.
        on_timeout: decides when the time is up and the handler does not.
    """

    timeout: timedelta | None = None
    reminders: tuple[Reminder, ...] = ()
    on_timeout: Any = None

    @classmethod
    def of(cls, timeout: timedelta | None, remind: Remind | None, on_timeout: Any) -> Timing:
        """The timing as it is written at a question. Raises DefinitionError."""
        if timeout is None and remind is None and on_timeout is None:
            return UNTIMED
        check_timeout(timeout)
        return cls(timeout, ladder(remind), on_timeout)

    def over(self, default: Timing) -> Timing:
        """This one, with what it does not say taken from the default."""
        if self is UNTIMED:
            return default
        return Timing(
            self.timeout or default.timeout,
            self.reminders or default.reminders,
            self.on_timeout or default.on_timeout,
        )

    def deadline(self, now: int) -> int | None:
        """When the time is up, in milliseconds as ``now``."""
        return None if self.timeout is None else now + milliseconds(self.timeout)


UNTIMED = Timing()
"""For ever, and without a word."""


def milliseconds(time: timedelta) -> int:
    """The length in whole milliseconds."""
    return time // timedelta(milliseconds=1)
