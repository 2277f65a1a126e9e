"""What happens at a question: the journal answers it, or the run is suspended there."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeVar

from flows.effects import Effects
from flows.errors import AskTimeout, TooManyTries
from flows.inputs import Input
from flows.journal import TIMED_OUT, TRIES_USED, Run
from flows.questions import Mint, question, wait_buttons
from flows.replies import Reply
from flows.timing import UNTIMED, Timing, milliseconds
from flows.visit import Answer, Poll, Rung, WaitButton, Waiting

T = TypeVar("T")

_log = logging.getLogger("handrail.steps")

Check = Callable[[T], "str | Awaitable[str | None] | None"]
"""Looks at a parsed answer: None takes it, a text refuses it and is said to the person."""

KEEP_WIDTH = 40
"""Characters that the label of a "Keep" button may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question as the handler puts it.

    Attributes:
        prompt: None: nothing is said, as while an outside event is waited for.
        people: who may answer; empty: everybody whose conversation it is.
        poll: how many of several people have to answer.
        ticket: the token of the outside event that answers.
    """

    prompt: Reply | None
    wanted: Input[Any]
    key: str | None = None
    keep: Any = None
    check: Check[Any] | None = None
    timing: Timing = UNTIMED
    people: Sequence[str] = ()
    poll: int | None = None
    ticket: str | None = None

    @property
    def kind(self) -> str:
        """What the journal calls an answer to it."""
        return self.wanted.kind if self.poll is None else f"each {self.wanted.kind}"

    def load(self, value: Any) -> Any:
        """The answer of its JSON form. Raises ValueError."""
        if self.poll is None:
            return self.wanted.load(value)
        return {person: self.wanted.load(one) for person, one in value.items()}

    async def refusal(self, value: Any) -> str | None:
        """What the input or the handler has against the answer, if anything."""
        if self.poll is not None:
            return None
        reason = self.wanted.check(value)
        if reason is not None or self.check is None:
            return reason
        verdict = self.check(value)
        return await verdict if inspect.isawaitable(verdict) else verdict


@dataclass(frozen=True, slots=True)
class Asker:
    """Puts the questions of one run.

    Attributes:
        now: milliseconds since the epoch.
        turn: the number of the turn.
    """

    run: Run
    instance: str
    mint: Mint
    effects: Effects
    now: int
    turn: int

    async def ask(self, asked: Question) -> Any:
        """The answer, as it is in the journal; else the run ends here, suspended.

        Raises:
            TooManyTries: the tries that the input allows are used up.
            AskTimeout: nobody answered in time.
        """
        run = self.run
        slot = run.slot(self.instance)
        answer = run.next_answer(asked.kind, asked.key)
        if answer is None:
            self._put(asked, slot)
        fresh = run.at_fresh
        if fresh:
            run.muted = False
        if answer.kind in (TRIES_USED, TIMED_OUT):
            run.position += 1
            raise self._failed(answer, asked)
        try:
            value = asked.load(answer.value)
        except ValueError as error:
            if fresh and asked.ticket is not None:
                self._not_that(asked, slot, error)
            run.refuse_journal(f"answer {run.position + 1} does not fit any more: {error}")
        if fresh and (reason := await asked.refusal(value)) is not None:
            self._refuse(reason, asked, slot)
        run.position += 1
        return value

    def _put(self, asked: Question, slot: str) -> NoReturn:
        run = self.run
        run.muted = False
        waiting = self._waiting(asked, slot)
        if not run.held and waiting.prompt is not None:
            self.effects.emit(question(waiting, self.mint), slot)
        run.suspend(waiting)

    def _failed(self, answer: Answer, asked: Question) -> Exception:
        if answer.kind == TRIES_USED:
            return TooManyTries(answer.value)
        return AskTimeout(asked.timing.over(self.run.timing).on_timeout)

    def _waiting(self, asked: Question, slot: str) -> Waiting:
        timing = asked.timing.over(self.run.timing)
        return Waiting(
            ordinal=self.run.ordinal(),
            explicit=False,
            inputs=[asked.wanted.to_json()],
            key=asked.key,
            prompt=asked.prompt,
            buttons=_buttons(asked),
            slot=slot,
            asked=0 if self.run.held else self.turn,
            drafts=[asked.wanted.start()],
            people=list(asked.people),
            poll=None if asked.poll is None else Poll(list(asked.people), asked.poll),
            ticket=asked.ticket,
            timeout=None if timing.timeout is None else milliseconds(timing.timeout),
            deadline=timing.deadline(self.now),
            rungs=rungs(timing, self.now),
        )

    def _refuse(self, reason: str, asked: Question, slot: str) -> NoReturn:
        """Takes the fresh answer out of the journal again and asks once more."""
        run = self.run
        before = run.visit.waiting
        run.visit.answers.pop()
        waiting = self._waiting(asked, slot)
        _go_on(waiting, before)
        waiting.failures += 1
        tries = asked.wanted.tries
        if tries is not None and waiting.failures >= tries:
            run.visit.answers.append(Answer(TRIES_USED, asked.key, waiting.failures))
            run.position += 1
            raise TooManyTries(waiting.failures)
        self.effects.emit(question(waiting, self.mint, text=reason), slot)
        run.suspend(waiting)

    def _not_that(self, asked: Question, slot: str, error: ValueError) -> NoReturn:
        """An outside event brought what it should not: it is still waited for."""
        _log.warning(
            "instance %s goes on waiting for its outside event: what came does not fit: %s",
            self.instance, error,
        )  # fmt: skip
        self.run.visit.answers.pop()
        waiting = self._waiting(asked, slot)
        _go_on(waiting, self.run.visit.waiting)
        self.run.suspend(waiting)


def rungs(timing: Timing, now: int) -> list[Rung]:
    """The reminders of a question that is asked now."""
    return [Rung(now + milliseconds(one.after), one.text) for one in timing.reminders]


def _go_on(waiting: Waiting, before: Waiting | None) -> None:
    """A refused answer does not start the clock anew."""
    if before is None:
        return
    waiting.failures = before.failures
    waiting.deadline, waiting.rungs = before.deadline, before.rungs


def _buttons(asked: Question) -> list[WaitButton]:
    wanted = asked.wanted
    buttons = wait_buttons((wanted,))
    if asked.keep is not None:
        value = wanted.dump(asked.keep)
        shown = wanted.shown(value)
        if shown.strip():
            buttons.append(WaitButton(f"Keep: {shown}"[:KEEP_WIDTH], value, kept=True))
    return buttons


def reply_of(text: str | Reply, keyboard: Any = ()) -> Reply:
    """The message of a text."""
    reply = text if isinstance(text, Reply) else Reply(text=text)
    return replace(reply, keyboard=keyboard) if keyboard else reply
