"""The journal of a step visit, and one run of the step's handler over it.

A handler suspends at a live ``ask`` and is run again from its top when the answer is there:
the journal answers what is known already, and what was said before is muted. The run carries
the mark that tells a suspension from a real cancellation.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, NoReturn

from flows.errors import ConcurrentAsk, JournalTooLong
from flows.visit import Answer, Visit, Waiting

JOURNAL_LIMIT = 200
"""Answers that one visit of a step may collect."""

TRIES_USED = "tries used"
"""The kind of the journal entry that stands for an ``ask`` whose tries are used up."""

_log = logging.getLogger("handrail.steps")

Note = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Run:
    """One run of a handler: where it stands in the journal, and how it came to rest.

    Attributes:
        fresh: the last answer of the journal is the one that this run was started for.
        muted: what is said now was said by an earlier run.
        position: answers taken from the journal so far.
        messages: messages named so far; the same in every run of the visit.
        waiting: set by the live ``ask``: the mark of a suspension.
        misfit: set when the journal does not fit the code, with the reason.
        concurrent: a second ``ask`` came while one was outstanding.
        closed: the handler has ended; nothing more counts.
        main: the task that the handler runs in.
        line: where the live ``ask`` stands, as ``file:line``.
        aside: tells the messages of ``on_error`` from those of the step.
    """

    flow: str
    visit: Visit
    fresh: bool
    note: Note
    muted: bool
    position: int = 0
    messages: int = 0
    waiting: Waiting | None = None
    misfit: str | None = None
    concurrent: bool = False
    closed: bool = False
    main: asyncio.Task[Any] | None = field(default_factory=asyncio.current_task)
    line: str = ""
    aside: str = ""
    asking: asyncio.Task[Any] | None = None
    _random: Random | None = None

    @property
    def halted(self) -> bool:
        """The handler has come to rest; whatever it does now is only its unwinding."""
        return self.waiting is not None or self.misfit is not None or self.closed

    @property
    def at_fresh(self) -> bool:
        """The next answer of the journal is the fresh one."""
        return self.fresh and self.position == len(self.visit.answers) - 1

    def enter(self) -> None:
        """Called by every method of the turn: a halted run raises its cancellation again."""
        if self.halted:
            self._late()

    def enter_ask(self) -> None:
        """As ``enter``, and tells a second question that is asked at the same time."""
        if self.waiting is not None and asyncio.current_task() not in (self.asking, self.main):
            self.concurrent = True
            raise ConcurrentAsk(self.flow, self.visit.step)
        self.enter()

    def next_answer(self, kind: str, key: str | None) -> Answer | None:
        """The known answer to the ask that stands here, or None when it is the live one."""
        if self.position == len(self.visit.answers):
            if self.position >= JOURNAL_LIMIT:
                raise JournalTooLong(self.flow, self.visit.step, JOURNAL_LIMIT)
            return None
        answer = self.visit.answers[self.position]
        if answer.key != key:
            self.refuse_journal(f"answer {self.position + 1} has key {answer.key!r}, not {key!r}")
        if answer.kind not in (kind, TRIES_USED):
            self.refuse_journal(f"answer {self.position + 1} is {answer.kind!r}, not {kind!r}")
        return answer

    def refuse_journal(self, reason: str) -> NoReturn:
        """The journal does not fit the code: the step is to start from its top."""
        self.misfit = reason
        raise asyncio.CancelledError

    def suspend(self, waiting: Waiting, *, depth: int = 2) -> NoReturn:
        """Marks the run as suspended. The mark decides, never the exception."""
        caller = sys._getframe(depth)
        self.line = f"{caller.f_code.co_filename}:{caller.f_lineno}"
        self.waiting = waiting
        self.asking = asyncio.current_task()
        raise asyncio.CancelledError

    def ordinal(self) -> int:
        """The number of the question that stands here."""
        return self.visit.ordinal(self.position)

    def slot(self, instance: str) -> str:
        """The name of the next message."""
        name = f"{instance}.{self.visit.number}.{self.visit.base}.{self.aside}{self.messages}"
        self.messages += 1
        return name

    def random(self, seed: Callable[[], int]) -> Random:
        """The generator of this visit: the same numbers in every run."""
        if self._random is None:
            self._random = Random(self.visit.seen.setdefault("seed", seed()))  # noqa: S311 - for people's games, not for secrets
        return self._random

    def _late(self) -> NoReturn:
        if self.closed:
            _log.warning(
                "flow %r, step %s: something of it went on after the step had ended; it is ignored",
                self.flow,
                self.visit.step,
            )
        raise asyncio.CancelledError
