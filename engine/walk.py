"""Walking an instance through its steps: run a step, take its decision, go on until it rests."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from engine import waits
from engine.notices import Notices
from engine.sessions import SessionCell, keep_entry_values
from engine.steps import (
    Decided,
    Misfit,
    Rest,
    StepFailed,
    Suspended,
    run_recovery,
    run_step,
)
from engine.transitions import (
    Abandon,
    AtStart,
    Enter,
    Finish,
    Move,
    ReturnTo,
    UndoAnswer,
    resolve,
    restored,
    step_back,
)
from flows.actions import Action, Back, Repeat, Retry, Wait
from flows.effects import Effects, Mark
from flows.errors import NondeterministicStep, StepError, TooManyTries, TransitionLoop
from flows.flow import Flow
from flows.instance import FlowInstance, Status
from flows.questions import Mint, question
from flows.replies import Reply
from flows.turn import Surroundings
from flows.visit import OnceResult, Visit, Waiting

MOVE_LIMIT = 100
"""Automatic moves that one turn may make."""

RETRY_LIMIT = 3
"""How often ``on_error`` may have a step run again in one turn."""

_log = logging.getLogger("handrail.engine")

OnceNotes = dict[str, dict[str, OnceResult]]
"""Results of ``turn.once`` that this cause has stored: ``instance/place`` of the visit to key to
result.
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """A move, for the log; ``source`` or ``target`` is None where a flow begins or ends."""

    instance: FlowInstance
    source: str | None
    target: str | None
    cause: str


@dataclass(frozen=True, slots=True)
class Walk:
    """What walking needs and what it leaves behind.

    Attributes:
        stack: the running instances of the conversation.
        mint: makes the token maker of a visit.
        rerun_every_step: for tests: run each step again at every question and compare.
        save_notes: stores ``notes`` durably.
        moves: every move of this turn, in order.
        ended: instances that are over, in order.
        entered: the step of every run of this turn, in order.
        noted: visits that have taken their results over from ``notes``.
    """

    around: Surroundings
    stack: list[FlowInstance]
    session: SessionCell
    texts: Notices
    notes: OnceNotes
    save_notes: Callable[[], Awaitable[None]]
    mint: Callable[[FlowInstance, int], Mint]
    rerun_every_step: bool = False
    moves: list[Moved] = field(default_factory=list)
    ended: list[FlowInstance] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)
    noted: set[str] = field(default_factory=set)

    @property
    def effects(self) -> Effects:
        """Where messages go."""
        return self.around.effects

    async def begin(self, flow: Flow[Any, Any], instance: FlowInstance) -> None:
        """Enters the first step and walks on."""
        self._enter(flow, instance, flow.initial.name, cause="start")
        await self.go(flow, instance)

    async def back(self, flow: Flow[Any, Any], instance: FlowInstance) -> None:
        """The person wants to go back."""
        move = step_back(instance)
        if isinstance(move, AtStart):
            self.say(self.texts.at_start)
            self.show(instance)
            return
        self._move(flow, instance, move, cause="back")
        await self.go(flow, instance, replay=isinstance(move, UndoAnswer))

    def say(self, text: str) -> None:
        """Says one of the engine's own texts; an empty one is not said."""
        if text.strip():
            self.effects.emit(Reply(text=text))

    def end(self, instance: FlowInstance, status: Status, *, cause: str) -> None:
        """The instance is over."""
        self.moves.append(Moved(instance, instance.step or None, None, cause))
        instance.status = status
        self.ended.append(instance)

    def show(self, instance: FlowInstance, *, hint: str | None = None) -> None:
        """Asks the current question again, after a hint if there is one."""
        visit = instance.visit
        waiting = visit.waiting if visit is not None else None
        if visit is None or waiting is None or waiting.prompt is None:
            if hint is not None:
                self.effects.emit(Reply(text=hint))
            return
        if hint is not None and waiting.prompt.format == "plain":
            self._ask(instance, visit, waiting, text=f"{hint}\n\n{waiting.prompt.text}")
            return
        if hint is not None:
            self.effects.emit(Reply(text=hint))
        self._ask(instance, visit, waiting)

    def refuse(self, instance: FlowInstance, visit: Visit, waiting: Waiting, reason: str) -> None:
        """Says why an answer was not taken, under the buttons of the question."""
        self._ask(instance, visit, waiting, text=reason)

    def _ask(
        self, instance: FlowInstance, visit: Visit, waiting: Waiting, *, text: str | None = None
    ) -> None:
        slot = f"{instance.id}.{visit.number}.{waiting.ordinal}.again"
        mint = self.mint(instance, visit.number)
        self.effects.emit(question(waiting, mint, text=text), slot)

    async def go(
        self,
        flow: Flow[Any, Any],
        instance: FlowInstance,
        *,
        fresh: bool = False,
        replay: bool = False,
    ) -> None:
        """Runs steps until one waits or the flow is over.

        Raises:
            StepFailed: a step failed and ``on_error`` did not help.
        """
        retries = 0
        while instance.status is Status.ACTIVE and instance.visit is not None:
            visit = instance.visit
            self._count(flow, visit)
            said = self.effects.mark()
            try:
                rest = await self._run(flow, instance, visit, fresh=fresh, replay=replay)
                if isinstance(rest, Misfit):
                    self.restart(flow, instance, visit, rest.reason)
                    fresh = replay = False
                    continue
                if isinstance(rest, Suspended):
                    if self.rerun_every_step:
                        await self._compare(flow, instance, visit, rest)
                    visit.waiting = rest.waiting
                    visit.asked = True
                    return
                replay = self._decide(flow, instance, visit, rest, fresh=fresh, said=said)
            except StepFailed as failure:
                if _gave_up(failure, flow):
                    self._give_up(instance)
                    return
                self.effects.undo(said)
                rest = await self._recover(flow, instance, visit, failure.cause)
                if isinstance(rest.action, Retry):
                    retries += 1
                    if retries > RETRY_LIMIT:
                        raise
                    continue
                replay = self._decide(flow, instance, visit, rest, fresh=False, said=said)
            fresh = False
            if instance.visit is visit and visit.waiting is not None:
                return

    def _count(self, flow: Flow[Any, Any], visit: Visit) -> None:
        """Raises StepFailed when the turn makes too many moves, whichever flows they are of."""
        self.entered.append(visit.step)
        if len(self.entered) > MOVE_LIMIT:
            loop = TransitionLoop(flow.name, visit.step, self.entered[-10:], MOVE_LIMIT)
            raise StepFailed(loop)

    async def _run(
        self,
        flow: Flow[Any, Any],
        instance: FlowInstance,
        visit: Visit,
        *,
        fresh: bool,
        replay: bool,
    ) -> Rest:
        place = f"{instance.id}/{visit.place}"
        if place not in self.noted:
            # only once: what repeat, wait or back drop in this turn must not come back
            self.noted.add(place)
            for key, result in self.notes.get(place, {}).items():
                visit.once.setdefault(key, result)
        return await run_step(
            flow, instance, visit,
            fresh=fresh, replay=replay, session=self.session, around=self.around,
            note=partial(self._note, place, visit),
        )  # fmt: skip

    async def _note(self, place: str, visit: Visit) -> None:
        self.notes[place] = dict(visit.once)
        await self.save_notes()

    async def _recover(
        self, flow: Flow[Any, Any], instance: FlowInstance, visit: Visit, error: Exception
    ) -> Decided:
        if flow.recovery is None:
            raise StepFailed(error)
        _log.warning(
            "flow %r, step %s, instance %s failed; on_error decides",
            flow.name, visit.step, instance.id, exc_info=error,
        )  # fmt: skip

        return await run_recovery(
            flow, instance, visit, error,
            session=self.session, around=self.around,
            note=partial(self._note, f"{instance.id}/{visit.place}", visit),
        )  # fmt: skip

    async def _compare(
        self, flow: Flow[Any, Any], instance: FlowInstance, visit: Visit, rest: Suspended
    ) -> None:
        """Runs a suspended step again; it has to come to the same question."""
        quiet = replace(self.around, effects=Effects())
        again = await run_step(
            flow, instance, deepcopy(visit),
            fresh=False, replay=True, session=self.session, around=quiet, note=_note_nothing,
        )  # fmt: skip
        if isinstance(again, Misfit):
            raise StepFailed(NondeterministicStep(flow.name, visit.step, again.reason))
        if not isinstance(again, Suspended) or _question(again) != _question(rest):
            reason = f"it asked for {_question(rest)}, then for {_question(again)}"
            raise StepFailed(NondeterministicStep(flow.name, visit.step, reason))

    # --- decisions ----------------------------------------------------------------------

    def _decide(
        self,
        flow: Flow[Any, Any],
        instance: FlowInstance,
        visit: Visit,
        rest: Decided,
        *,
        fresh: bool,
        said: Mark,
    ) -> bool:
        """Takes a decision; answers whether the next run replays a journal."""
        try:
            match rest.action:
                case Repeat(notice=notice):
                    scene = _scene(flow, visit, rest)
                    if notice is not None:
                        self.effects.emit(Reply(text=notice))
                    visit.scene = scene
                    visit.drop_journal()
                    return False
                case Wait() as action:
                    waiting = waits.waiting_of(
                        action, self.effects, flow=flow.name, visit=visit, said=said
                    )
                    scene = _scene(flow, visit, rest)
                    self._keep(flow, instance, visit, rest)
                    visit.scene = scene
                    mint = self.mint(instance, visit.number)
                    waits.rest(instance, visit, waiting, effects=self.effects, mint=mint, said=said)
                    return False
                case Retry():
                    message = "turn.retry() is for on_error; a step repeats with turn.repeat()"
                    raise StepError(flow.name, visit.step, message)
                case Back():
                    return self._decide_back(flow, instance, visit, rest, fresh=fresh)
                case action:
                    move = resolve(flow, instance, action)
                    undo = self._keep(flow, instance, visit, rest)
                    self._move(flow, instance, move, cause=_cause(action), undo=undo)
                    return False
        except StepFailed:
            raise
        except Exception as error:  # a decision that cannot be carried out is the step's failure
            raise StepFailed(error) from error

    def _decide_back(
        self,
        flow: Flow[Any, Any],
        instance: FlowInstance,
        visit: Visit,
        rest: Decided,
        *,
        fresh: bool,
    ) -> bool:
        if fresh and visit.answers:
            visit.undo_answer()  # the answer that meant "back" is none
        move = resolve(flow, instance, rest.action)
        match move:
            case UndoAnswer():
                visit.undo_answer()
                return True
            case AtStart():
                # an explicit step runs from its top as if entered, and has to say everything
                replay = visit.asked and visit.given is None
                visit.drop_journal()
                self.say(self.texts.at_start)
                return replay
            case _:
                self._keep(flow, instance, visit, rest)
                restore = isinstance(rest.action, Back) and rest.action.restore
                self._move(flow, instance, move, cause="back", restore=restore)
                return False

    def _keep(
        self, flow: Flow[Any, Any], instance: FlowInstance, visit: Visit, rest: Decided
    ) -> dict[str, Any]:
        """Writes what the step changed over data and session; answers the values before."""
        before = instance.data
        after = flow.settle(visit.step, before=before, after=rest.data, current=before)
        seen = self.session.take_back(rest.session)  # the last that can fail
        instance.data = after
        keep_entry_values((one for one in self.stack if one is not instance), seen)
        return {name: value for name, value in before.items() if after.get(name, ...) != value}

    # --- moves --------------------------------------------------------------------------

    def _move(
        self,
        flow: Flow[Any, Any],
        instance: FlowInstance,
        move: Move,
        *,
        cause: str,
        undo: dict[str, Any] | None = None,
        restore: bool = False,
    ) -> None:
        match move:
            case Enter(step=step, remember=remember, origin=origin):
                if remember:
                    instance.leave(undo or {})
                self._enter(flow, instance, step, cause=cause, origin=origin)
            case Finish():
                self.end(instance, Status.COMPLETED, cause=cause)
            case Abandon(reason=reason):
                self.end(instance, Status.CANCELLED, cause=reason)
            case ReturnTo(step=step, dropped=dropped):
                gone = instance.history[-dropped:]
                del instance.history[-dropped:]
                if restore:
                    instance.data = restored(instance.data, gone)
                self._enter(flow, instance, step, cause=cause)
            case UndoAnswer():
                if instance.visit is not None:
                    instance.visit.undo_answer()
            case AtStart():
                pass

    def _enter(
        self,
        flow: Flow[Any, Any],
        instance: FlowInstance,
        step: str,
        *,
        cause: str,
        origin: str | None = None,
    ) -> None:
        self.moves.append(Moved(instance, instance.step or None, step, cause))
        instance.version = flow.version
        instance.enter(step, origin=origin)

    def restart(
        self, flow: Flow[Any, Any], instance: FlowInstance, visit: Visit, reason: str
    ) -> None:
        """The journal does not fit: the step is to start from its top, once under the same code.

        Raises:
            StepFailed: that has happened to this visit before.
        """
        code = flow.code[visit.step].fingerprint
        if visit.misfit == code:
            raise StepFailed(NondeterministicStep(flow.name, visit.step, reason))
        _log.warning(
            "flow %r, step %s, instance %s: the journal does not fit the code (%s); "
            "the step starts again",
            flow.name, visit.step, instance.id, reason,
        )  # fmt: skip
        self.say(self.texts.restarted)
        # a visit of its own, so that the buttons of the old questions mean nothing any more
        started = instance.enter(visit.step, origin=visit.origin)
        started.misfit = code
        started.scene = visit.scene

    def _give_up(self, instance: FlowInstance) -> None:
        self.say(self.texts.too_many_tries)
        self.end(instance, Status.CANCELLED, cause="too many tries")


def _scene(flow: Flow[Any, Any], visit: Visit, rest: Decided) -> dict[str, Any]:
    try:
        scene: dict[str, Any] = orjson.loads(orjson.dumps(rest.scene))
    except orjson.JSONEncodeError as error:
        message = f"turn.scene is no JSON ({error}). Keep plain data in it: numbers, texts, lists."
        raise StepError(flow.name, visit.step, message) from error
    return scene


def _question(rest: Rest) -> object:
    """What tells one question from another; never its text."""
    if not isinstance(rest, Suspended):
        return "a decision"
    waiting = rest.waiting
    return (waiting.ordinal, waiting.key, [stored["kind"] for stored in waiting.inputs])


async def _note_nothing() -> None:
    """A run for comparison stores nothing."""


def _gave_up(failure: StepFailed, flow: Flow[Any, Any]) -> bool:
    return isinstance(failure.cause, TooManyTries) and flow.recovery is None


def _cause(action: Action[Any]) -> str:
    return type(action).__name__.lower()
