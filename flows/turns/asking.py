"""What happens at a question: the journal answers it, or the run is suspended there."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from flows.errors import AskTimeout, TooManyTries
from flows.inputs import Input
from flows.messages.replies import Reply
from flows.messages.speaking import speaker
from flows.messages.spoken import in_words, spoken
from flows.messages.translations import gettext, kept, said
from flows.records import record
from flows.turns.effects import Effects
from flows.turns.journal import MISSED, TIMED_OUT, TRIES_USED, Run
from flows.turns.questions import Mint, question
from flows.turns.timing import UNTIMED, Timing, milliseconds
from flows.turns.visit import Answer, Poll, Rung, WaitButton, Waiting

T = TypeVar("T")

_log = logging.getLogger("handrail.steps")

Check = Callable[[T], "str | Awaitable[str | None] | None"]
"""Looks at a parsed answer: None takes it, a text refuses it and is said to the person; an empty
one says nothing.
"""

Otherwise = Callable[[], Awaitable[None]]
"""Is told of what a question does not take."""

_NO_ANSWER = (TRIES_USED, TIMED_OUT)

KEEP_WIDTH = 40
"""Characters that the label of a "Keep" button may have."""

_KEEP = gettext("Keep: {value}")


@record(frozen=True, slots=True)
class Question:
    """A question as the handler puts it.

    Attributes:
        prompt: None: nothing is said, as while an outside event is waited for.
        people: who may answer; empty: everybody whose conversation it is.
        poll: how many of several people have to answer.
        ticket: the token of the outside event that answers.
        otherwise: what is said to what the question does not take, or is told of it; None: the
            person reads why, or the question again.
    """

    prompt: str | Reply | None
    wanted: Input[Any]
    key: str | None = None
    keep: Any = None
    timing: Timing = UNTIMED
    people: Sequence[str] = ()
    poll: int | None = None
    ticket: str | None = None
    otherwise: str | Otherwise | None = None

    @property
    def kind(self) -> str:
        """What the journal calls an answer to it."""
        return self.wanted.kind if self.poll is None else f"each {self.wanted.kind}"

    def load(self, value: Any) -> Any:
        """The answer of its JSON form. Raises ValueError."""
        if self.poll is None:
            return self.wanted.load(value)
        return {person: self.wanted.load(one) for person, one in value.items()}


@record(frozen=True, slots=True)
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

    def ask(self, asked: Question) -> Any:
        """The answer, as it is in the journal; else the run ends here, suspended.

        Raises:
            TooManyTries: the tries that the input allows are used up.
            AskTimeout: nobody answered in time.
        """
        value, _ = self._answer(asked)
        self.run.position += 1
        return value

    async def ask_and_check(self, asked: Question, check: Check[Any]) -> Any:
        """As ``ask``, where the handler looks at an answer that has just come in, too."""
        value, fresh = self._answer(asked)
        if fresh is not None:
            verdict = check(value)
            reason = await verdict if inspect.isawaitable(verdict) else verdict
            if reason is not None:
                self._refuse(reason, asked, fresh)
        self.run.position += 1
        return value

    async def ask_or_else(self, asked: Question, check: Check[Any] | None) -> Any:
        """As ``ask_and_check``, where the handler is told of what the question does not take."""
        run = self.run
        if run.at_fresh and run.visit.answers[-1].kind == MISSED and callable(asked.otherwise):
            await self._missed(asked, asked.otherwise)
        return await self.ask_and_check(asked, check) if check is not None else self.ask(asked)

    async def _missed(self, asked: Question, otherwise: Otherwise) -> None:
        """Tells the handler, and goes on waiting as before.

        Raises:
            TooManyTries: it was a refused answer, and the tries are used up.
        """
        run = self.run
        run.muted = False
        refused = bool(run.visit.answers.pop().value)
        waiting = run.visit.waiting or self._waiting(asked, run.slot(self.instance))
        waiting.failures += refused
        tries = asked.wanted.tries
        if refused and tries is not None and waiting.failures >= tries:
            raise self._out_of_tries(asked, waiting)
        await otherwise()
        run.suspend(waiting)

    def _answer(self, asked: Question) -> tuple[Any, str | None]:
        """The answer of the journal; and where it has just come in, the name of the message that
        would ask again.
        """
        run = self.run
        slot = run.slot(self.instance)
        answer = run.next_answer(asked.kind, asked.key)
        if answer is None:
            self._put(asked, slot)
        fresh = run.fresh and run.position == len(run.visit.answers) - 1
        if fresh:
            run.muted = False
        if answer.kind in _NO_ANSWER:
            run.position += 1
            raise self._failed(answer, asked)
        try:
            value = asked.load(answer.value)
        except ValueError as error:
            if fresh and asked.ticket is not None:
                self._not_that(asked, slot, error)
            run.refuse_journal(f"answer {run.position + 1} does not fit any more: {error}")
        if not fresh:
            return value, None
        reason = asked.wanted.check(value) if asked.poll is None else None
        if reason is not None:
            self._refuse(reason, asked, slot)
        return value, slot

    def _put(self, asked: Question, slot: str) -> NoReturn:
        run = self.run
        run.muted = False
        waiting = self._waiting(asked, slot)
        if not run.held and waiting.prompt is not None:
            shown = question(waiting, self.mint) if waiting.buttons else waiting.prompt
            self.effects.emit(shown, slot)
        run.suspend(waiting)

    def _failed(self, answer: Answer, asked: Question) -> Exception:
        if answer.kind == TRIES_USED:
            return TooManyTries(answer.value)
        return AskTimeout(asked.timing.over(self.run.timing).on_timeout)

    def _waiting(self, asked: Question, slot: str) -> Waiting:
        run, wanted = self.run, asked.wanted
        draft = wanted.start()
        waiting = Waiting(
            run.visit.ordinal(run.position),
            False,
            [wanted.to_json()],
            asked.key,
            kept_prompt(reply_of(asked.prompt)) if asked.prompt is not None else None,
            _buttons(asked, draft),
            0,
            slot,
            0 if run.held else self.turn,
            [draft],
            list(asked.people),
            None if asked.poll is None else Poll(list(asked.people), asked.poll),
            asked.ticket,
            None,
            None,
            [],
            None if asked.otherwise is None else _spoken(asked.otherwise),
        )
        if asked.timing is not UNTIMED or run.timing is not UNTIMED:
            timing = asked.timing.over(run.timing)
            waiting.timeout = None if timing.timeout is None else milliseconds(timing.timeout)
            waiting.deadline = timing.deadline(self.now)
            waiting.rungs = rungs(timing, self.now)
        return waiting

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
            raise self._out_of_tries(asked, waiting)
        if reason:
            self.effects.emit(question(waiting, self.mint, text=reason), slot)
        run.suspend(waiting)

    def _out_of_tries(self, asked: Question, waiting: Waiting) -> TooManyTries:
        """Notes in the journal that the tries are used up."""
        run = self.run
        run.visit.answers.append(Answer(TRIES_USED, asked.key, waiting.failures))
        run.position += 1
        return TooManyTries(waiting.failures)

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


def _spoken(otherwise: str | Otherwise) -> str:
    """What is said; empty where it is a function that says it."""
    return kept(otherwise) if isinstance(otherwise, str) else ""


def rungs(timing: Timing, now: int) -> list[Rung]:
    """The reminders of a question that is asked now."""
    return [Rung(now + milliseconds(one.after), kept(one.text)) for one in timing.reminders]


def _go_on(waiting: Waiting, before: Waiting | None) -> None:
    """A refused answer does not start the clock anew, and what was asked is still what it was."""
    if before is None:
        return
    if waiting.prompt is None:
        waiting.prompt = before.prompt
    waiting.failures = before.failures
    waiting.deadline, waiting.rungs = before.deadline, before.rungs


def _buttons(asked: Question, draft: Any) -> list[WaitButton]:
    wanted = asked.wanted
    buttons = [WaitButton(kept(label), value) for label, value in wanted.options(draft)]
    if asked.keep is not None:
        value = wanted.dump(asked.keep)
        shown = wanted.shown(value)
        if shown.strip():
            buttons.append(WaitButton(kept(_keep_label(shown)), value, kept=True))
    return buttons


def _keep_label(shown: str) -> str:
    room = KEEP_WIDTH - len(_KEEP.format(value=""))
    return _KEEP.format(value=shown if len(shown) <= room else said(shown)[:room])


def kept_prompt(prompt: Reply) -> Reply:
    """The prompt as it is kept with the question. With a file or a keyboard of the person's own it
    keeps the words in which it was first asked.
    """
    lazy = prompt.text.__class__ is not str or prompt.keyboard
    if prompt.attachment is not None or prompt.options is not None:
        return in_words(prompt)
    return spoken(prompt) if lazy and speaker.get() is None else prompt


def reply_of(text: str | Reply, keyboard: Any = ()) -> Reply:
    """The message of a text."""
    reply = text if isinstance(text, Reply) else Reply(text=text)
    return replace(reply, keyboard=keyboard) if keyboard else reply
