"""Which turn a log record comes from: found out only where something is logged.

A turn runs in a task of its own, so what is set there ends with it; tasks and threads that its
handlers start take it along.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

NAMES = ("flow", "step", "instance", "conversation", "turn")
"""The attributes of a log record that tell where it comes from, in the order of the suffix."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Where something happens; None: it belongs to none.

    Attributes:
        flow: the name of the flow.
        step: the name of the step that runs; before the first one, where the person is.
        instance: the id of the instance.
        conversation: what its messages are filed under, which names chat and person.
        turn: the number of the turn: the seq of its inbox row.
    """

    flow: str | None = None
    step: str | None = None
    instance: str | None = None
    conversation: str | None = None
    turn: int | None = None

    def of_record(self) -> dict[str, str | int]:
        """Those that are known, as the ``extra`` of a log record has them."""
        known = {name: getattr(self, name) for name in NAMES}
        return {name: value for name, value in known.items() if value is not None}


Tells = Callable[[], Ids]
"""Answers the ids of here and now."""

HERE: ContextVar[Tells | None] = ContextVar("handrail_ids", default=None)
"""What tells the ids; a turn sets it once, and a send."""


@contextmanager
def about(tells: Tells) -> Iterator[None]:
    """What is logged within is about this, unless more is known already."""
    if HERE.get() is not None:
        yield
        return
    token = HERE.set(tells)
    try:
        yield
    finally:
        HERE.reset(token)


class TurnIds(logging.Filter):
    """Gives each record that is logged during a turn the attributes ``flow``, ``step``,
    ``instance``, ``conversation`` and ``turn``, as far as they are known, and drops none.

    Add it to a handler of yours: filters of loggers are not inherited. A record that has such an
    attribute already, by ``extra``, keeps it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Marks the record; answers True."""
        tells = HERE.get()
        if tells is not None:
            for name, value in tells().of_record().items():
                record.__dict__.setdefault(name, value)
        return True


def ids_of(record: logging.LogRecord) -> dict[str, str | int]:
    """The ids that a record carries, in the order of ``NAMES``."""
    found = {name: record.__dict__.get(name) for name in NAMES}
    return {name: value for name, value in found.items() if isinstance(value, str | int)}
