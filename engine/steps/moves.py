"""Carrying out moves: from the step that is left to where the walk goes on."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from engine.steps import branches, endings, hooks
from engine.steps.entering import Then, enter
from engine.steps.places import Place
from engine.steps.settling import take_back
from engine.steps.transitions import (
    Abandon,
    BackToCaller,
    EndBranch,
    Enter,
    Finish,
    LeaveFork,
    Move,
    Open,
    Reopen,
    ReturnTo,
    SwitchTo,
    Unfocus,
)
from flows.records import record
from flows.turns.instance import OpenFork, Status

if TYPE_CHECKING:
    from engine.steps.walk import Walk


@record(frozen=True, slots=True)
class Leaving:
    """A move that is to be made.

    Attributes:
        undo: the fields that the step changed, with their values before.
        restore: take back what the undone steps wrote into the data, too.
        replay: where the step waits on: what it says before its question, it has said before.
        left: the hook for leaving the step has run.
    """

    move: Move
    cause: str
    undo: dict[str, Any] = field(default_factory=dict)
    restore: bool = False
    replay: bool = True
    left: bool = False


async def make(walk: Walk, place: Place, leaving: Leaving) -> Then | None:
    """Makes the move; answers where to go on, or None where the turn comes to rest.

    Raises:
        StepFailed: a hook of the step that is left failed, or a step of a fork that opens.
    """
    move, cause = leaving.move, leaving.cause
    match move:
        case Enter() | Finish():
            pass  # what most moves are
        case Unfocus():
            await branches.unfocus(walk, place, replay=leaving.replay)
            return None
        case SwitchTo(head=head, step=step):
            return await branches.switch(walk, place, head, step, replay=leaving.replay)
        case BackToCaller():
            return await endings.end(walk, place, Status.CANCELLED, cause="back")
    leaving = await leave(walk, place, leaving)
    match move:
        case Enter(step=step, remember=remember, origin=origin):
            if remember:
                place.line.leave(leaving.undo)
            return enter(walk.stage, place, step, cause=cause, origin=origin)
        case Open(fork=after, step=first):
            await branches.open_fork(walk, place, after, step=first, undo=leaving.undo)
        case LeaveFork(step=step):
            await branches.abandon(walk, place)
            return enter(walk.stage, place.main(), step, cause=cause)
        case EndBranch(focus=focus):
            return await branches.end_branch(walk, place, leaving.undo, focus=focus)
        case Finish():
            return await endings.end(walk, place, Status.COMPLETED, cause=cause, left=place.visit)
        case Abandon(reason=reason):
            return await endings.end(walk, place, Status.CANCELLED, cause=reason, left=place.visit)
        case ReturnTo(step=step, dropped=dropped):
            _forget(place, dropped, restore=leaving.restore)
            return enter(walk.stage, place, step, cause=cause)
        case Reopen(dropped=dropped):
            fork = _forget(place, dropped, restore=leaving.restore)
            branches.reopen(walk.stage, place, fork)
    return None


async def leave(walk: Walk, place: Place, leaving: Leaving) -> Leaving:
    """Runs the hook for leaving a step, if the move leaves one; answers the move with that done.

    Raises:
        StepFailed: the hook failed.
    """
    visit = place.line.visit
    hook = place.flow.code[visit.step].on_leave if visit is not None else None
    if visit is None or hook is None:
        return leaving
    if leaving.left or isinstance(leaving.move, Unfocus | SwitchTo | BackToCaller):
        return leaving
    before = await hooks.run(walk.stage, place, hook, visit)
    return replace(leaving, left=True, undo={**before, **leaving.undo})


def _forget(place: Place, dropped: int, *, restore: bool) -> OpenFork | None:
    """Drops what is undone from the history; answers the fork that it leads back into, whose
    branches stay done, and so do their results.
    """
    gone = place.line.history[-dropped:]
    del place.line.history[-dropped:]
    fork = gone[0].fork
    if restore:
        take_back(place, gone if fork is None else gone[1:])
    return fork
