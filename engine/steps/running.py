"""Running one step handler: over its journal, until it asks, decides or fails."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from engine.steps.places import Place
from engine.turns.cancelling import being_cancelled
from engine.turns.stage import Stage
from flows.errors import AskTimeout, ChildCancelled, ConcurrentAsk, NotAnAction, StepError
from flows.flow import Flow, Hook, StepCode
from flows.inputs import input_from_json
from flows.models import load_model
from flows.records import record
from flows.turns.actions import Action, Wait
from flows.turns.journal import Calling, Note, Run
from flows.turns.turn import Turn
from flows.turns.visit import Visit, Waiting

_log = logging.getLogger("handrail.steps")
_warned: set[str] = set()


@record(frozen=True, slots=True)
class Suspended:
    """The handler asked, and the person has to answer."""

    waiting: Waiting


@record(frozen=True, slots=True)
class Misfit:
    """The journal does not fit the code."""

    reason: str


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
class Called:
    """The handler called another flow."""

    calling: Calling


Rest = Suspended | Called | Misfit | Decided

Call = Callable[[Turn[Any, Any, Any]], Awaitable[object]]
"""What is run with a turn: a handler, or something around or beside it."""


class StepFailed(Exception):
    """A handler raised ``cause``. Never leaves the engine, and middleware never sees it."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause
        super().__init__(str(cause))


async def run_step(place: Place, fresh: bool, replay: bool, *, stage: Stage, note: Note) -> Rest:
    """Runs the handler of the step at the place once, inside its middleware.

    Args:
        fresh: the journal's last answer has just come in.
        replay: an earlier run of this journal has said what comes before the live question.

    Raises:
        StepFailed: the handler raised, or broke a rule.
    """
    flow, visit = place.flow, place.visit
    code = flow.code[visit.step]
    try:
        answer = _given(visit) if visit.given is not None else None
    except ValueError as error:
        return Misfit(f"what the step waited for cannot be read any more: {error}")
    turn, run = prepare(place, visit, stage=stage, note=note, replay=replay, answer=answer)
    run.fresh = fresh
    handler: Call = code.handler
    if flow.middlewares or code.middlewares:
        handler = _inside_middleware(flow, code, run)
    returned = await run_to_rest(run, handler, turn)
    if run.misfit is not None:
        return Misfit(run.misfit)
    if run.waiting is not None and run.calling is None:
        return Suspended(run.waiting)
    if run.calling is not None:
        return Called(run.calling)
    if not isinstance(returned, Action):
        raise StepFailed(NotAnAction(flow.name, visit.step, returned))
    if run.position < len(visit.answers):
        return Misfit(f"answer {run.position + 1} was not asked for")
    return Decided(returned, turn.data, turn.session, turn.scene)


async def run_recovery(
    place: Place, recovery: Callable[[Turn[Any, Any, Any]], object], *, aside: str, stage: Stage
) -> Decided:
    """Asks the flow what to do about a failed step, or about lost time.

    Args:
        recovery: what decides: ``on_error`` or ``on_timeout``.
        aside: tells its messages from those of the step.

    Raises:
        StepFailed: it raised, asked, or answered no action.
    """
    flow, visit = place.flow, place.visit
    turn, returned = await _beside(
        place, recovery, visit, aside=aside, stage=stage, as_of_entry=True
    )
    if not isinstance(returned, Action):
        raise StepFailed(NotAnAction(flow.name, visit.step, returned))
    return Decided(returned, turn.data, turn.session, turn.scene)


async def run_hook(
    place: Place, hook: Hook[Any, Any, Any], visit: Visit, *, stage: Stage
) -> Turn[Any, Any, Any]:
    """Runs a hook on the data of now, and answers its turn, with what it left in data and session.

    Raises:
        StepFailed: it raised, or asked.
    """
    return (await _beside(place, hook, visit, aside="h", stage=stage, as_of_entry=False))[0]


async def _beside(
    place: Place,
    function: Callable[[Turn[Any, Any, Any]], object],
    visit: Visit,
    *,
    aside: str,
    stage: Stage,
    as_of_entry: bool,
) -> tuple[Turn[Any, Any, Any], object]:
    """Runs something with the turn of a step which is not its handler, and cannot ask."""
    flow = place.flow
    note = stage.recall(place.instance, visit)
    answer = _given(visit)
    turn, run = prepare(
        place, visit,
        stage=stage, note=note, replay=False, answer=answer, as_of_entry=as_of_entry,
    )  # fmt: skip
    run.position, run.aside = len(visit.answers), aside

    async def call(turn: Turn[Any, Any, Any]) -> object:
        returned = function(turn)
        return await returned if inspect.isawaitable(returned) else returned

    returned = await run_to_rest(run, call, turn)
    if run.waiting is not None or run.calling is not None:
        message = "a hook, on_error or on_timeout cannot ask. Let it decide, and ask in a step."
        raise StepFailed(StepError(flow.name, visit.step, message))
    return turn, returned


def prepare(
    place: Place,
    visit: Visit,
    *,
    stage: Stage,
    note: Note,
    replay: bool,
    answer: object,
    as_of_entry: bool = True,
) -> tuple[Turn[Any, Any, Any], Run]:
    """The turn that a handler is given, and the run that stands behind it.

    Args:
        as_of_entry: it sees data and session as they were when the step was entered.
    """
    data, session = (visit.data, visit.session) if as_of_entry else ({}, {})
    flow, instance = place.flow, place.instance
    stage.at = place
    code = flow.code[visit.step]
    loaded = instance.take_loaded() if instance.loaded is not None else None
    if data or loaded is None:
        loaded = load_model(flow.data, {**instance.data, **data} if data else instance.data)
    run = Run(
        flow.name, visit, note, replay,
        place.root.id, stage.shared(place), code.timing, place.held,
    )  # fmt: skip
    turn: Turn[Any, Any, Any] = Turn(
        code.step,
        loaded,
        stage.session.lend(entry=session),
        answer,
        run,
        flow,
        instance,
        stage.mint(place, visit.number),
        stage.around,
    )
    if stage.live is not None:
        stage.live.append(turn)
    return turn, run


def _inside_middleware(flow: Flow[Any, Any, Any], code: StepCode[Any, Any, Any], run: Run) -> Call:
    """The handler, inside the flow's middleware and then the step's."""

    def called(turn: Turn[Any, Any, Any]) -> Awaitable[object]:
        call: Callable[[], Awaitable[Any]] = partial(_handler, partial(code.handler, turn), run)
        for middleware in reversed((*flow.middlewares, *code.middlewares)):
            call = partial(middleware, turn, _only_once(call))
        return call()

    return called


def _only_once(call: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    """A step runs once in its middleware: a second time it would answer other questions."""
    called = False

    async def call_next() -> Any:
        nonlocal called
        if called:
            raise RuntimeError("a middleware called call_next() twice. Call it once.")
        called = True
        return await call()

    return call_next


async def _handler(call: Callable[[], Awaitable[Any]], run: Run) -> object:
    """To the middleware, a suspension is an ordinary ``Wait``. The mark decides all the same."""
    try:
        return await call()
    except asyncio.CancelledError:
        if run.misfit is not None or not run.halted or being_cancelled():
            raise
        return Wait(())


def contained(error: BaseException) -> Exception:
    """The error as one that a turn can fail with.

    ``sys.exit`` in a handler, or in a library that it calls, must not end the bot for everybody;
    and that something was cancelled which a handler awaited does not cancel the turn.

    Raises:
        BaseException: ``error`` itself, where it comes from outside of the handler.
    """
    if isinstance(error, Exception):
        return error
    if isinstance(error, asyncio.CancelledError) and not being_cancelled():
        return RuntimeError("what a handler awaited was cancelled")
    if isinstance(error, KeyboardInterrupt | GeneratorExit | asyncio.CancelledError):
        raise error
    failure = RuntimeError(f"a handler raised {type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure


def _given(visit: Visit) -> object:
    """The answer to ``turn.wait``. Raises ValueError when it cannot be read."""
    given = visit.given
    return input_from_json(given.input).load(given.value) if given is not None else None


async def run_to_rest(run: Run, handler: Call, turn: Turn[Any, Any, Any]) -> object:
    """Awaits the handler. A cancellation is a suspension if the run is marked so.

    Raises:
        StepFailed: the handler raised, or broke a rule.
    """
    failure: Exception | None = None
    returned: object = None
    try:
        returned = await handler(turn)
        if run.suspended and not isinstance(returned, _NOTHING_LOST):
            _warn_ignored(run)
    except asyncio.CancelledError:
        if not run.halted:
            if being_cancelled():
                raise
            failure = StepError(run.flow, run.visit.step, "what it awaited was cancelled")
    except BaseException as error:  # whatever the user's code raises fails this turn alone
        failure = contained(error)
        _tell_place(failure, f"raised in flow {run.flow!r}, step {run.visit.step}")
    finally:
        run.close()
    try:
        if run.concurrent:
            raise StepFailed(ConcurrentAsk(run.flow, run.visit.step)) from failure
        if failure is not None:
            raise StepFailed(failure) from failure
    finally:
        del failure  # its traceback holds this frame, and so all of the turn
    return returned


def _tell_place(error: Exception, place: str) -> None:
    if isinstance(error, StepError | AskTimeout | ChildCancelled):
        return
    if place not in getattr(error, "__notes__", ()):
        error.add_note(place)


_NOTHING_LOST = (Wait, type(None))
"""What a handler may return that has gone on after its question."""


def _warn_ignored(run: Run) -> None:
    """A handler went on after its question. That a hook cannot ask is told otherwise."""
    line = run.line()
    if run.aside or run.misfit is not None or line in _warned:
        return
    _warned.add(line)
    _log.warning(
        "flow %r, step %s: the handler went on after the question at %s and what it returned is "
        "ignored. Do not catch asyncio.CancelledError around turn.ask.",
        run.flow,
        run.visit.step,
        line,
    )
