"""The journal of a step visit, and one run of the step's handler over it.

A handler suspends at a live ``ask`` and is run again from its top when the answer is there:
the journal answers what is known already, and what was said before is muted. The run carries
the mark that tells a suspension from a real cancellation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from flows.errors import ConcurrentAsk, JournalTooLong
from flows.records import record
from flows.turns.timing import Timing
from flows.turns.visit import Answer, Visit, Waiting

if TYPE_CHECKING:
    from flows.flow import Flow

JOURNAL_LIMIT = 200
"""Answers that one visit of a step may collect."""

TRIES_USED = "tries used"
"""The kind of the journal entry that stands for an ``ask`` whose tries are used up."""

TIMED_OUT = "timed out"
"""The kind of the journal entry that stands for an ``ask`` that nobody answered in time."""

MISSED = "missed"
"""The kind of a journal entry that is there for one run: something has come that the question does
not take, and its ``otherwise`` is to be called. Its value tells whether it was a refused answer.
"""

_log = logging.getLogger("handrail.steps")

Note = Callable[[], Awaitable[None]]


@record(frozen=True, slots=True)
class Calling:
    """A step calls another flow, and waits for its end.

    Attributes:
        data: what it starts with, in its JSON form.
    """

    flow: Flow[Any, Any, Any]
    key: str | None
    data: dict[str, Any]


class Run:
    """One run of a handler: where it stands in the journal, and how it came to rest.

    Attributes:
        fresh: the last answer of the journal is the one that this run was started for.
        muted: what is said now was said by an earlier run.
        position: answers taken from the journal so far.
        messages: messages named so far; the same in every run of the visit.
        root: the id of the instance that was not called by another one.
        shared: several people may answer, as in a flow of a chat.
        timing: what questions have that say nothing of time.
        held: the prompt is kept back: the branch of a fork is not talked about now.
        tickets: those that this run has drawn, and whether an event has come by each.
        waiting: set by the live ``ask``: the mark of a suspension.
        calling: set by the live ``call``: another such mark.
        misfit: set when the journal does not fit the code, with the reason.
        halted: the handler has come to rest, by a suspension, a misfit or its end; whatever it
            does now is only its unwinding.
        concurrent: a second ``ask`` came while one was outstanding.
        closed: the handler has ended; nothing more counts.
        main: the task that the handler runs in.
        left: the cancellation that has left the live ``ask``; its traceback tells where that is.
        aside: tells the messages of ``on_error`` from those of the step.
    """

    def __init__(
        self,
        flow: str,
        visit: Visit,
        note: Note,
        muted: bool,
        root: str,
        shared: bool,
        timing: Timing,
        held: bool,
    ) -> None:
        self.flow = flow
        self.visit = visit
        self.note = note
        self.muted = muted
        self.root = root
        self.shared = shared
        self.timing = timing
        self.held = held
        self.fresh = False
        self.position = 0
        self.messages = 0
        self.waiting: Waiting | None = None
        self.calling: Calling | None = None
        self.misfit: str | None = None
        self.halted = False
        self.concurrent = False
        self.closed = False
        self.main: asyncio.Task[Any] | None = asyncio.current_task()
        self.left: asyncio.CancelledError | None = None
        self.aside = ""
        self.asking: asyncio.Task[Any] | None = None
        self.tickets: dict[str, bool] = {}
        self._random: Random | None = None

    @property
    def suspended(self) -> bool:
        """It has come to a live ``ask`` or ``call``."""
        return self.waiting is not None or self.calling is not None

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
        if not self.halted:
            return
        if self.suspended and asyncio.current_task() not in (self.asking, self.main):
            self.concurrent = True
            raise ConcurrentAsk(self.flow, self.visit.step)
        self._late()

    def next_answer(self, kind: str, key: str | None) -> Answer | None:
        """The known answer to the ask that stands here, or None when it is the live one."""
        answers = self.visit.answers
        if self.position == len(answers):
            if self.position >= JOURNAL_LIMIT:
                raise JournalTooLong(self.flow, self.visit.step, JOURNAL_LIMIT)
            return None
        answer = answers[self.position]
        if answer.key != key:
            self.refuse_journal(f"answer {self.position + 1} has key {answer.key!r}, not {key!r}")
        if answer.kind != kind and answer.kind not in (TRIES_USED, TIMED_OUT):
            self.refuse_journal(f"answer {self.position + 1} is {answer.kind!r}, not {kind!r}")
        return answer

    def refuse_journal(self, reason: str) -> NoReturn:
        """The journal does not fit the code: the step is to start from its top."""
        self.misfit, self.halted = reason, True
        raise asyncio.CancelledError

    def suspend(self, waiting: Waiting) -> NoReturn:
        """Marks the run as suspended. The mark decides, never the exception."""
        self.waiting = waiting
        self._rest()

    def call(self, calling: Calling) -> NoReturn:
        """Marks the run as suspended by a call of another flow."""
        self.calling = calling
        self._rest()

    def give_up(self) -> NoReturn:
        """The handler ends here, without a question: there is no room for it."""
        self._rest()

    def _rest(self) -> NoReturn:
        self.halted = True
        self.asking = asyncio.current_task()
        self.left = asyncio.CancelledError()
        raise self.left

    def close(self) -> None:
        """The handler has ended; nothing more counts."""
        self.closed = self.halted = True
        self.left = None  # its traceback holds this run: a cycle that would have to be collected

    def line(self) -> str:
        """Where the live ``ask`` stands, as ``file:line``; only before ``close``."""
        return _line_outside(self.left.__traceback__ if self.left is not None else None)

    def slot(self, instance: str) -> str:
        """The name of the next message."""
        visit = self.visit
        name = f"{instance}.{visit.number}.{visit.base}.{self.aside}{self.messages}"
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


def _line_outside(traceback: TracebackType | None) -> str:
    """The innermost line of the traceback that is outside of this package, as ``file:line``."""
    line = ""
    while traceback is not None:
        frame = traceback.tb_frame
        if not str(frame.f_globals.get("__name__")).startswith("flows."):
            line = f"{frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return line
