"""Walking an instance through its steps: run a step, take its decision, go on until it rests."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from copy import deepcopy
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Any

import orjson

from engine.steps import branches, calls, endings, hooks, moves, showing, waits
from engine.steps.entering import Then
from engine.steps.moves import Leaving
from engine.steps.places import Place
from engine.steps.running import (
    Called,
    Decided,
    Misfit,
    Rest,
    StepFailed,
    Suspended,
    run_recovery,
    run_step,
)
from engine.steps.settling import settle, undoing
from engine.steps.transitions import (
    AtStart,
    BackToCaller,
    SwitchTo,
    UndoAnswer,
    Unfocus,
    resolve,
    step_back,
)
from engine.telemetry.watched import watched_step
from engine.turns.stage import Stage
from engine.turns.tracebacks import from_handler
from flows.definition.oneliners import going_to
from flows.errors import (
    AskTimeout,
    ChildCancelled,
    NondeterministicStep,
    StepError,
    TooManyTries,
    TransitionLoop,
)
from flows.flow import Recovery
from flows.messages.replies import Reply
from flows.records import record
from flows.turns.actions import Action, Back, Complete, Escalate, Next, Remind, Repeat, Retry, Wait
from flows.turns.effects import Effects, Mark
from flows.turns.instance import Branch, Line, Status
from flows.turns.journal import TIMED_OUT, TRIES_USED
from flows.turns.timing import Timing
from flows.turns.turn import Turn
from flows.turns.visit import Escalation, Visit

MOVE_LIMIT = 100
"""Automatic moves that one turn may make."""

FAILURE_LIMIT = 3
"""How often ``on_error`` decides about one step in one turn; then the turn has failed."""

_LEAVING = frozenset((Next, Complete))

_log = logging.getLogger("handrail.engine")


@record(frozen=True, slots=True)
class _Run:
    """One run of a step that has to be decided about.

    Attributes:
        said: where its messages begin.
        beside: it was not the step that decided, but ``on_error`` or ``on_timeout``.
    """

    place: Place
    fresh: bool
    replay: bool
    said: Mark
    beside: bool = False


class Walk:
    """Walks the instances of one turn."""

    __slots__ = ("_failures", "_started", "stage")

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._failures: dict[str, int] = {}
        self._started: set[str] = set()

    async def go(self, then: Then | None) -> None:
        """Runs steps until one waits or the flow is over.

        Raises:
            StepFailed: a step failed and ``on_error`` did not help.
        """
        while then is not None:
            then = await self._one(then)

    async def take_up(self, place: Place, rest: Suspended | Called) -> None:
        """Goes on from the first question of a handler that was not run by this walk.

        Raises:
            StepFailed: it called a flow that cannot run, or one that failed.
        """
        if self.stage.rerun_every_step:
            await self._compare(place, rest)
        decided = self._take(_Run(place, False, False, self.stage.effects.mark(), False), rest)
        if isinstance(decided, Then):
            await self.go(decided)

    async def back(self, place: Place) -> None:
        """The person wants to go back from what is talked about: a step, or a hub. What an
        operator looks at is theirs to move.

        Raises:
            StepFailed: a step failed over it.
        """
        if place.line.visit is not None and place.line.visit.escalated is not None:
            self.stage.say(self.stage.texts.escalated)
            return
        move = step_back(place)
        match move:
            case AtStart():
                self.stage.say(self.stage.texts.at_start)
                showing.show(self.stage, place)
            case UndoAnswer():
                place.visit.undo_answer()
                await self.go(Then(place, replay=True))
            case _:
                if place.at_hub and not isinstance(move, BackToCaller):
                    branches.shelve(place)
                await self.go(await moves.make(self, place, Leaving(move, cause="back")))

    async def _one(self, then: Then) -> Then | None:
        place, stage = then.place, self.stage
        visit = place.line.visit
        if visit is None or place.instance.status is not Status.ACTIVE:
            return None
        self._count(place, visit.step)
        code = place.flow.code[visit.step]
        run = _Run(place, then.fresh, then.replay, stage.effects.mark(), False)
        try:
            if visit.new and (code.on_enter is not None or place.flow.hooks.enter is not None):
                run = await self._start(run)
                run = await self._enter(run)
            visit.new = False
            note = stage.recall(place.instance, visit)
            running = run_step(place, run.fresh, run.replay, stage=stage, note=note)
            if stage.observing is None:
                rest = await running
            else:
                rest = await watched_step(stage.observing, place, stage, running)
            if stage.rerun_every_step and isinstance(rest, Suspended | Called):
                await self._compare(place, rest)
            hooked = code.on_leave is not None
            decided = await self._leave(run, rest) if hooked else self._take(run, rest)
        except StepFailed as failure:
            self.stage.effects.undo(run.said)
            decided = await self._recover(run, failure)
        if isinstance(decided, Leaving):
            return await moves.make(self, place, decided)
        return decided

    def _count(self, place: Place, step: str) -> None:
        """Raises StepFailed when the turn makes too many moves, whichever flows they are of."""
        entered = self.stage.entered
        entered.append(step)
        if len(entered) > MOVE_LIMIT:
            raise StepFailed(TransitionLoop(place.flow.name, step, entered[-10:], MOVE_LIMIT))

    async def _start(self, run: _Run) -> _Run:
        """Runs the hook of the flow's start, once; answers the run as it goes on after it."""
        place, visit = run.place, run.place.visit
        if visit.number != 1 or place.instance.id in self._started:
            return run
        hook = place.flow.hooks.enter
        if hook is None:
            return run
        await hooks.run(self.stage, place, hook, visit)
        self._started.add(place.instance.id)
        return replace(run, said=self.stage.effects.mark())

    async def _enter(self, run: _Run) -> _Run:
        """Runs the hook of an entry, once; answers the run as it goes on after it."""
        place, visit = run.place, run.place.visit
        hook = place.flow.code[visit.step].on_enter
        if hook is None:
            visit.new = False
            return run
        await hooks.run(self.stage, place, hook, visit)
        visit.new = False
        return replace(run, said=self.stage.effects.mark())

    async def _leave(self, run: _Run, rest: Rest) -> Then | Leaving | None:
        """Takes what a run came to; where it leaves the step, the hook for that belongs to it."""
        undo = undoing(self.stage, run.place)
        decided = self._take(run, rest)
        if not isinstance(decided, Leaving):
            return decided
        try:
            return await moves.leave(self, run.place, decided)
        except StepFailed:
            undo()
            raise

    async def _compare(self, place: Place, rest: Rest) -> None:
        """Runs a suspended step again; it has to come to the same question."""
        flow, visit = place.flow, place.visit
        copy = deepcopy(visit)
        branch = place.branch
        line = Line(copy) if branch is None else Branch(copy, head=branch.head)
        quiet = replace(self.stage, around=replace(self.stage.around, effects=Effects()))
        again = await run_step(place.on(line), False, True, stage=quiet, note=_note_nothing)
        if isinstance(again, Misfit):
            raise StepFailed(NondeterministicStep(flow.name, visit.step, again.reason))
        if _question(again) != _question(rest):
            reason = f"it asked for {_question(rest)}, then for {_question(again)}"
            raise StepFailed(NondeterministicStep(flow.name, visit.step, reason))

    # --- decisions ----------------------------------------------------------------------

    def _take(self, run: _Run, rest: Rest) -> Then | Leaving | None:
        """Takes what a run came to; answers where to go on."""
        place, visit = run.place, run.place.visit
        if self.stage.session.is_shared and isinstance(rest, Suspended | Called):
            visit.session = self.stage.session.as_of_entry(visit.session)
        match rest:
            case Suspended():
                visit.waiting = rest.waiting
                visit.asked = True
                return None
            case Decided():
                return self._decide(run, rest)
            case Misfit(reason=reason):
                return self.restart(place, reason)
            case Called(calling=calling):
                return calls.call(self.stage, place, calling)

    def _decide(self, run: _Run, rest: Decided) -> Then | Leaving | None:
        """Raises StepFailed for a decision that cannot be carried out."""
        try:
            if type(rest.action) in _LEAVING:  # what most steps decide
                return self._gone_on(run, rest)
            return self._decided(run, rest)
        except StepFailed:
            raise
        except Exception as error:  # it is the step's failure
            raise StepFailed(error) from error

    def _decided(self, run: _Run, rest: Decided) -> Then | Leaving | None:
        place, visit = run.place, run.place.visit
        match rest.action:
            case Repeat(notice=notice):
                scene = _scene(place, rest)
                if notice is not None:
                    self.stage.effects.emit(Reply(text=notice))
                visit.scene = scene
                visit.drop_journal()
                return Then(place)
            case Wait() as action:
                self._wait(run, rest, action)
                return None
            case Escalate() as action:
                self._escalate(run, rest, action)
                return None
            case Retry():
                return self._retry(run)
            case Remind(text=text):
                return self._remind(run, rest, text)
            case Back(restore=restore):
                return self._back(run, rest, restore=restore)
            case _:
                return self._gone_on(run, rest)

    def _gone_on(self, run: _Run, rest: Decided) -> Leaving:
        """The step is left, and what it has changed is kept."""
        place = run.place
        move = resolve(place, rest.action, rest.data, anywhere=run.beside)
        if isinstance(move, SwitchTo):
            return self._undone(run, move)
        undo = settle(self.stage, place, place.visit, data=rest.data, session=rest.session)
        return Leaving(move, _cause(rest.action), undo, False, True, False)

    def _wait(self, run: _Run, rest: Decided, action: Wait[Any]) -> None:
        place, visit = run.place, run.place.visit
        code = place.flow.code[visit.step]
        default = Timing(code.timeout, code.remind, None)
        waiting = waits.waiting_of(action, place, default=default, said=run.said, stage=self.stage)
        scene = _scene(place, rest)
        settle(self.stage, place, visit, data=rest.data, session=rest.session)
        visit.scene = scene
        waits.rest(self.stage, place, waiting, said=run.said)

    def _escalate(self, run: _Run, rest: Decided, action: Escalate[Any]) -> None:
        """The step waits for an operator; a failed one keeps its journal."""
        place, visit = run.place, run.place.visit
        settle(self.stage, place, visit, data=rest.data, session=rest.session)
        fresh = run.beside and bool(visit.answers)
        if not run.beside:
            visit.drop_journal()
        elif visit.answers and visit.answers[-1].kind in (TIMED_OUT, TRIES_USED):
            visit.undo_answer()  # else it would be the first thing that the step is told again
            fresh = False
        visit.waiting = None
        visit.asked = True
        visit.escalated = Escalation(
            action.reason,
            action.accept.to_json() if action.accept is not None else None,
            self.stage.now,
            again=run.beside,
            fresh=fresh,
        )
        self.stage.moved(place.instance, visit.step, visit.step, "escalate")

    def _retry(self, run: _Run) -> Then:
        place, visit = run.place, run.place.visit
        if not run.beside:
            message = "turn.retry() is for on_error; a step repeats with turn.repeat()"
            raise StepError(place.flow.name, visit.step, message)
        return Then(place, fresh=run.fresh, replay=run.replay)

    def _remind(self, run: _Run, rest: Decided, text: str | None) -> Then:
        """Asks on, with the same time anew; the scene is kept, as the reminders may be counted."""
        place, visit = run.place, run.place.visit
        if not run.beside or not visit.answers:
            message = "turn.remind() is for on_timeout; a step repeats with turn.repeat()"
            raise StepError(place.flow.name, visit.step, message)
        visit.scene = _scene(place, rest)
        visit.answers.pop()
        self.stage.say(text or self.stage.texts.reminder)
        return Then(place, replay=True)

    def _back(self, run: _Run, rest: Decided, *, restore: bool) -> Then | Leaving | None:
        place, visit = run.place, run.place.visit
        if run.fresh and visit.answers:
            visit.undo_answer()  # the answer that meant "back" is none
        move = resolve(place, rest.action, rest.data)
        match move:
            case UndoAnswer():
                visit.undo_answer()
                return Then(place, replay=True)
            case AtStart():
                replay = visit.asked and not _explicit(visit)
                visit.drop_journal()
                self.stage.say(self.stage.texts.at_start)
                return Then(place, replay=replay)
            case Unfocus():
                replay = not _explicit(visit)
                visit.drop_journal()
                return Leaving(move, cause="back", replay=replay)
            case _:
                undo = settle(self.stage, place, visit, data=rest.data, session=rest.session)
                return Leaving(move, cause="back", undo=undo, restore=restore)

    def _undone(self, run: _Run, move: SwitchTo) -> Leaving:
        """The answer that led there, or to a failure, is none: the step goes on waiting where it
        was.
        """
        visit = run.place.visit
        replay = not _explicit(visit)
        if (run.fresh or run.beside) and visit.answers:
            visit.undo_answer()
        elif visit.given is not None:
            visit.drop_journal()
        return Leaving(move, cause="goto", replay=replay)

    # --- failures -----------------------------------------------------------------------

    async def _recover(self, run: _Run, failure: StepFailed) -> Then | Leaving | None:
        """What becomes of a step that failed, timed out, or whose called flow was cancelled.

        Raises:
            StepFailed: nothing helps.
        """
        place, visit, error = run.place, run.place.visit, failure.cause
        decide, aside = self._recovery(place, error)
        if decide is None:
            raise failure
        if not isinstance(error, AskTimeout | ChildCancelled | TooManyTries):
            step = f"{place.instance.id}/{visit.step}"
            self._failures[step] = self._failures.get(step, 0) + 1
            if self._failures[step] > FAILURE_LIMIT:
                raise failure
            _log.warning(
                "flow %r, step %s, instance %s failed; on_error decides",
                place.flow.name, visit.step, place.instance.id, exc_info=from_handler(error),
            )  # fmt: skip
        try:
            rest = await run_recovery(place, decide, aside=aside, stage=self.stage)
        except StepFailed as worse:
            rest = await self._after_lost_time(place, error, worse)
        # after a failure nothing that the step was told is the reason to go back
        fresh = run.fresh if isinstance(error, AskTimeout | ChildCancelled) else False
        retried = isinstance(rest.action, Retry)
        again = replace(run, fresh=run.fresh if retried else fresh, beside=True)
        return self._decide(again, rest)

    async def _after_lost_time(self, place: Place, error: Exception, worse: StepFailed) -> Decided:
        """``on_timeout`` failed: that is for ``on_error``, as any failure of the step.

        Raises:
            StepFailed: it was something else that failed, or there is no ``on_error``.
        """
        recovery = place.flow.recovery
        if recovery is None or not isinstance(error, AskTimeout):
            raise worse
        decide = partial(_decided_by, recovery, worse.cause)
        return await run_recovery(place, decide, aside="e", stage=self.stage)

    def _recovery(self, place: Place, error: Exception) -> tuple[Any, str]:
        """What decides about a failure, and the name for what it says."""
        flow, texts = place.flow, self.stage.texts
        match error:
            case AskTimeout(on_timeout=decide):
                decide = decide or flow.code[place.visit.step].on_timeout or flow.on_timeout
                if isinstance(decide, Enum):
                    decide = going_to(decide)
                return decide or self._giving_up(texts.timed_out, "timed out"), "t"
            case ChildCancelled(reason="back"):
                return (lambda turn: turn.back()), "c"
            case ChildCancelled(reason=reason):
                return (lambda turn: turn.cancel(reason)), "c"
            case TooManyTries() if flow.recovery is None:
                return self._giving_up(texts.too_many_tries, "too many tries"), "e"
        recovery = flow.recovery
        if recovery is None:
            return None, ""
        return partial(_decided_by, recovery, error), "e"

    def _giving_up(self, text: str, reason: str) -> Any:
        def cancel(turn: Turn[Any, Any, Any]) -> Action[Any]:
            self.stage.say(text)
            return turn.cancel(reason)

        return cancel

    async def lost_time(self, place: Place) -> Then | None:
        """The time of an explicit wait is up: the step or the flow decides.

        Raises:
            StepFailed: what decides failed.
        """
        waiting = place.visit.waiting
        run = _Run(place, False, False, self.stage.effects.mark(), beside=True)
        decide, aside = self._recovery(place, AskTimeout())
        try:
            rest = await run_recovery(place, decide, aside=aside, stage=self.stage)
        except StepFailed as worse:
            rest = await self._after_lost_time(place, AskTimeout(), worse)
        if isinstance(rest.action, Remind) and waiting is not None:
            place.visit.scene = _scene(place, rest)
            self.stage.say(rest.action.text or self.stage.texts.reminder)
            if waiting.timeout is not None:
                waiting.deadline = self.stage.now + waiting.timeout
            showing.show_question(self.stage, place)
            return None
        decided = self._decide(run, rest)
        if isinstance(decided, Leaving):
            return await moves.make(self, place, decided)
        return decided

    async def gave_up(self, place: Place) -> Then | None:
        """The tries of an explicit wait are used up: the flow is over."""
        self.stage.say(self.stage.texts.too_many_tries)
        return await endings.end(self, place, Status.CANCELLED, cause="too many tries")

    def restart(self, place: Place, reason: str) -> Then:
        """The journal does not fit: the step is to start from its top, once under the same code.

        Raises:
            StepFailed: that has happened to this visit before.
        """
        flow, instance, visit = place.flow, place.instance, place.visit
        code = flow.code[visit.step].fingerprint
        if visit.misfit == code:
            raise StepFailed(NondeterministicStep(flow.name, visit.step, reason))
        _log.warning(
            "flow %r, step %s, instance %s: the journal does not fit the code (%s); "
            "the step starts again",
            flow.name, visit.step, instance.id, reason,
        )  # fmt: skip
        self.stage.say(self.stage.texts.restarted)
        # a visit of its own, so that the buttons of the old questions mean nothing any more
        started = instance.enter(visit.step, line=place.line, origin=visit.origin)
        started.misfit = code
        started.scene = visit.scene
        return Then(place)


def _scene(place: Place, rest: Decided) -> dict[str, Any]:
    try:
        scene: dict[str, Any] = orjson.loads(orjson.dumps(rest.scene))
    except orjson.JSONEncodeError as error:
        message = f"turn.scene is no JSON ({error}). Keep plain data in it: numbers, texts, lists."
        raise StepError(place.flow.name, place.visit.step, message) from error
    return scene


def _explicit(visit: Visit) -> bool:
    """Whether it waits, or did until now, by ``turn.wait``: then its step is run from its top, as
    if entered, and has to say everything.
    """
    return visit.given is not None or (visit.waiting is not None and visit.waiting.explicit)


def _question(rest: Rest) -> object:
    """What tells one question from another; never its text."""
    match rest:
        case Suspended(waiting=waiting):
            return (waiting.ordinal, waiting.key, [stored["kind"] for stored in waiting.inputs])
        case Called(calling=calling):
            return (calling.flow.name, calling.key)
        case _:
            return "a decision"


def _decided_by(
    recovery: Recovery[Any, Any, Any], error: Exception, turn: Turn[Any, Any, Any]
) -> Awaitable[Action[Any]]:
    return recovery(turn, error)


async def _note_nothing() -> None:
    """A run for comparison stores nothing."""


def _cause(action: Action[Any]) -> str:
    return type(action).__name__.lower()
