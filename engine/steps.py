"""Running one step handler: over its journal, until it asks, decides or fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from engine.buttons import minting
from engine.sessions import SessionCell
from flows.actions import Action
from flows.errors import ConcurrentAsk, NotAnAction, StepError
from flows.flow import Flow
from flows.inputs import input_from_json
from flows.instance import FlowInstance
from flows.journal import Note, Run
from flows.turn import Surroundings, Turn
from flows.visit import Visit, Waiting

_log = logging.getLogger("handrail.steps")
_warned: set[str] = set()


@dataclass(frozen=True, slots=True)
class Suspended:
    """The handler asked, and the person has to answer."""

    waiting: Waiting


@dataclass(frozen=True, slots=True)
class Misfit:
    """The journal does not fit the code."""

    reason: str


@dataclass(frozen=True, slots=True)
class Decided:
    """The handler came to a decision.

    Attributes:
        data: the data as the handler left it.
        session: the session as the handler left it.
    """

    action: Action[Any]
    data: Any
    session: Any
    scene: dict[str, Any]


Rest = Suspended | Misfit | Decided


class StepFailed(Exception):
    """A handler raised ``cause``. Never leaves the engine, and middleware never sees it."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause
        super().__init__(str(cause))


async def run_step(
    flow: Flow[Any, Any],
    instance: FlowInstance,
    visit: Visit,
    *,
    fresh: bool,
    replay: bool,
    session: SessionCell,
    around: Surroundings,
    note: Note,
) -> Rest:
    """Runs the handler of the visit's step once.

    Args:
        fresh: the journal's last answer has just come in.
        replay: an earlier run of this journal has said what comes before the live question.

    Raises:
        StepFailed: the handler raised, or broke a rule.
    """
    code = flow.code[visit.step]
    try:
        answer = _given(visit)
    except ValueError as error:
        return Misfit(f"what the step waited for cannot be read any more: {error}")
    turn, run = prepare(
        flow, instance, visit,
        fresh=fresh, replay=replay, answer=answer, session=session, around=around, note=note,
    )  # fmt: skip
    returned = await _run(run, lambda: code.handler(turn), flow=flow)
    if run.misfit is not None:
        return Misfit(run.misfit)
    if run.waiting is not None:
        if returned is not None:
            _warn_ignored(run)
        return Suspended(run.waiting)
    if not isinstance(returned, Action):
        raise StepFailed(NotAnAction(flow.name, visit.step, returned))
    if run.position < len(visit.answers):
        return Misfit(f"answer {run.position + 1} was not asked for")
    return Decided(returned, turn.data, turn.session, turn.scene)


async def run_recovery(
    flow: Flow[Any, Any],
    instance: FlowInstance,
    visit: Visit,
    error: Exception,
    *,
    session: SessionCell,
    around: Surroundings,
    note: Note,
) -> Decided:
    """Asks the flow's ``on_error`` what to do about a failed step.

    Raises:
        StepFailed: it raised, asked, or answered no action.
    """
    if flow.recovery is None:
        raise StepFailed(error)
    recovery = flow.recovery
    turn, run = prepare(
        flow, instance, visit,
        fresh=False, replay=False, answer=_given(visit), session=session, around=around, note=note,
    )  # fmt: skip
    run.position = len(visit.answers)
    run.aside = "e"
    returned = await _run(run, lambda: recovery(turn, error), flow=flow)
    if run.waiting is not None:
        message = "on_error cannot ask. Let it decide, and ask in a step."
        raise StepFailed(StepError(flow.name, visit.step, message))
    if not isinstance(returned, Action):
        raise StepFailed(NotAnAction(flow.name, visit.step, returned))
    return Decided(returned, turn.data, turn.session, turn.scene)


def prepare(
    flow: Flow[Any, Any],
    instance: FlowInstance,
    visit: Visit,
    *,
    fresh: bool,
    replay: bool,
    answer: object,
    session: SessionCell,
    around: Surroundings,
    note: Note,
) -> tuple[Turn[Any, Any, Any], Run]:
    """The turn that a handler is given, and the run that stands behind it."""
    run = Run(flow.name, visit, fresh, note, muted=replay)
    turn: Turn[Any, Any, Any] = Turn(
        step=flow.step(visit.step),
        data=flow.load(instance.data),
        session=session.lend(entry=visit.session),
        answer=answer,
        run=run,
        instance=instance,
        mint=minting(instance, visit.number, around.person),
        around=around,
    )
    return turn, run


def contained(error: BaseException) -> Exception:
    """The error as one that a turn can fail with.

    ``sys.exit`` in a handler, or in a library that it calls, must not end the bot for everybody.

    Raises:
        BaseException: ``error`` itself, where it comes from outside of the handler.
    """
    if isinstance(error, Exception):
        return error
    if isinstance(error, KeyboardInterrupt | GeneratorExit | asyncio.CancelledError):
        raise error
    failure = RuntimeError(f"a handler raised {type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure


def _given(visit: Visit) -> object:
    """The answer to ``turn.wait``. Raises ValueError when it cannot be read."""
    given = visit.given
    return input_from_json(given.input).load(given.value) if given is not None else None


async def _run(
    run: Run, handler: Callable[[], Awaitable[object]], *, flow: Flow[Any, Any]
) -> object:
    """Awaits the handler. A cancellation is a suspension if the run is marked so."""
    failure: Exception | None = None
    returned: object = None
    try:
        returned = await handler()
    except asyncio.CancelledError:
        if not run.halted:
            if _being_cancelled():
                raise
            failure = StepError(flow.name, run.visit.step, "what it awaited was cancelled")
    except BaseException as error:  # whatever the user's code raises fails this turn alone
        failure = contained(error)
        _tell_place(failure, f"raised in flow {flow.name!r}, step {run.visit.step}")
    finally:
        run.closed = True
    if run.concurrent:
        raise StepFailed(ConcurrentAsk(flow.name, run.visit.step)) from failure
    if failure is not None:
        raise StepFailed(failure) from failure
    return returned


def _tell_place(error: Exception, place: str) -> None:
    if not isinstance(error, StepError) and place not in getattr(error, "__notes__", ()):
        error.add_note(place)


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _warn_ignored(run: Run) -> None:
    if run.line in _warned:
        return
    _warned.add(run.line)
    _log.warning(
        "flow %r, step %s: the handler went on after the question at %s and what it returned is "
        "ignored. Do not catch asyncio.CancelledError around turn.ask.",
        run.flow,
        run.visit.step,
        run.line,
    )
