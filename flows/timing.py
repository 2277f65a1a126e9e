"""Waiting with a clock: reminders, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

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
                f"a reminder comes after a timedelta longer than nothing, not {self.after!r}"
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
