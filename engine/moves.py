"""Carrying out moves: leaving and entering steps, opening and joining forks, calling and ending."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from engine import hooks, hub, showing
from engine.places import Flows, Place, instances
from engine.settling import take_back
from engine.stage import Stage, new_instance
from engine.steps import StepFailed
from engine.transitions import (
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
from flows.chart import COMPLETED
from flows.errors import InvalidData, TooDeep, UnknownFlow
from flows.instance import (
    HISTORY_LIMIT,
    Branch,
    FlowInstance,
    Line,
    OpenFork,
    Past,
    Status,
)
from flows.journal import Calling
from flows.models import DoesNotFit, dump_model
from flows.timing import milliseconds
from flows.visit import Answer, Visit

if TYPE_CHECKING:
    from engine.walk import Walk

DEPTH_LIMIT = 16
"""How deep flows may call each other."""


@dataclass(frozen=True, slots=True)
class Then:
    """Where the walk goes on.

    Attributes:
        fresh: the journal's last answer has just come in.
        replay: what the step says before its live question, it has said before.
    """

    place: Place
    fresh: bool = False
    replay: bool = False


@dataclass(frozen=True, slots=True)
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
        case Unfocus():
            await _unfocus(walk, place, replay=leaving.replay)
            return None
        case SwitchTo(head=head, step=step):
            return await _switch(walk, place, head, step, replay=leaving.replay)
        case BackToCaller():
            return await end(walk, place, Status.CANCELLED, cause="back")
    leaving = await leave(walk, place, leaving)
    match move:
        case Enter(step=step, remember=remember, origin=origin):
            if remember:
                place.line.leave(leaving.undo)
            return enter(walk.stage, place, step, cause=cause, origin=origin)
        case Open(fork=after, step=first):
            await _open(walk, place, after, step=first, undo=leaving.undo)
        case LeaveFork(step=step):
            await _abandon(walk, place)
            return enter(walk.stage, place.main(), step, cause=cause)
        case EndBranch(focus=focus):
            return await _end_branch(walk, place, leaving.undo, focus=focus)
        case Finish():
            return await end(walk, place, Status.COMPLETED, cause=cause, left=place.visit)
        case Abandon(reason=reason):
            return await end(walk, place, Status.CANCELLED, cause=reason, left=place.visit)
        case ReturnTo(step=step, dropped=dropped):
            _forget(place, dropped, restore=leaving.restore)
            return enter(walk.stage, place, step, cause=cause)
        case Reopen(dropped=dropped):
            fork = _forget(place, dropped, restore=leaving.restore)
            _reopen(walk.stage, place, fork)
    return None


def enter(stage: Stage, place: Place, step: str, *, cause: str, origin: str | None = None) -> Then:
    """Enters a step on the line of the place."""
    instance, line = place.instance, place.line
    stage.moved(instance, line.visit.step if line.visit is not None else None, step, cause)
    instance.version = place.flow.version
    instance.enter(step, line=line, origin=origin).new = True
    return Then(place)


async def leave(walk: Walk, place: Place, leaving: Leaving) -> Leaving:
    """Runs the hook for leaving a step, if the move leaves one; answers the move with that done.

    Raises:
        StepFailed: the hook failed.
    """
    visit = place.line.visit
    stays = isinstance(leaving.move, Unfocus | SwitchTo | BackToCaller)
    if visit is None or stays or leaving.left:
        return leaving
    hook = place.flow.code[visit.step].on_leave
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


# --- calling and ending ---------------------------------------------------------------------


def call(stage: Stage, place: Place, calling: Calling) -> Then:
    """Starts the flow that the step has called.

    Raises:
        StepFailed: it is not registered, or too many have called each other.
    """
    flow, visit = calling.flow, place.visit
    if stage.flows.get(flow.name) is not flow:
        raise StepFailed(UnknownFlow(flow.name, stage.flows))
    if place.depth + 1 >= DEPTH_LIMIT:
        raise StepFailed(TooDeep(place.flow.name, visit.step, DEPTH_LIMIT))
    child = new_instance(
        flow,
        id=f"{place.root.id}-{place.root.count()}",
        data=calling.data,
        now=stage.now,
        origin=place.root.origin,
    )
    child.spare = place.root.take_for_called(child.id)
    child.assignee = place.instance.assignee
    child.payload = place.instance.payload
    visit.waiting, visit.asked = None, True
    visit.child, visit.call_key = child, calling.key
    restart_silence(place.called(child, flow), stage.now)
    return enter(stage, place.called(child, flow), flow.initial.name, cause="call")


async def end(
    walk: Walk, place: Place, status: Status, *, cause: str, left: Visit | None = None
) -> Then | None:
    """The instance is over, with all that it has called; whoever called it goes on.

    Args:
        left: the step whose hook for leaving has run.
    """
    instance = place.instance
    await _close(walk, place.main(), status, cause=cause, left=left)
    if place.parent is None:
        walk.stage.ended.append(instance)
        return None
    visit = place.parent.visit
    visit.child = None
    completed = status is Status.COMPLETED
    value = {"data": instance.data} if completed else {"cancelled": cause}
    visit.answers.append(Answer(f"call {place.flow.name}", visit.call_key, value))
    return Then(place.parent, fresh=True, replay=True)


async def _close(
    walk: Walk, place: Place, status: Status, *, cause: str, left: Visit | None
) -> None:
    """Ends an instance, inner ones first; no hook can stop it."""
    instance, flow, stage = place.instance, place.flow, walk.stage
    last = _last_visit(place)
    for line in [*instance.lines(), *_shelved(instance)]:
        await _drop(walk, place.on(line), left=left)
    stage.moved(instance, instance.step or None, None, cause)
    instance.status = status
    own = flow.hooks.complete if status is Status.COMPLETED else flow.hooks.cancel
    name = "on_complete" if status is Status.COMPLETED else "on_cancel"
    await hooks.run_contained(stage, place, own, last, name=name)
    await hooks.run_contained(stage, place, flow.hooks.exit, last, name="on_exit")


def _shelved(instance: FlowInstance) -> Iterator[Line]:
    """The branches that the person went back out of, and that were not gone on with."""
    return (branch for fork in instance.shelved.values() for branch in fork.branches)


async def _drop(walk: Walk, place: Place, *, left: Visit | None = None) -> None:
    """A line is not gone on with: what it has called is cancelled, and its step is left."""
    visit = place.line.visit
    if visit is None:
        return
    await drop_called(walk, place)
    if visit is left:
        return
    hook = place.flow.code[visit.step].on_leave
    await hooks.run_contained(walk.stage, place, hook, visit, name="on_leave")


async def drop_called(walk: Walk, place: Place) -> None:
    """What the step has called is cancelled, and the step not told."""
    visit = place.line.visit
    if visit is None or visit.child is None:
        return
    called = place.called(visit.child, walk.stage.flows[visit.child.flow])
    await _close(walk, called, Status.CANCELLED, cause="cancelled", left=None)
    visit.child = None


def _last_visit(place: Place) -> Visit:
    """The visit that hooks of the end stand at."""
    visit = next((line.visit for line in place.instance.lines() if line.visit is not None), None)
    if visit is not None:
        return visit
    fork = place.instance.fork
    return Visit(0, fork.after if fork is not None else place.flow.initial.name)


# --- forks ----------------------------------------------------------------------------------


async def _open(
    walk: Walk, place: Place, after: str, *, step: str | None, undo: dict[str, Any]
) -> None:
    """Opens a fork: each branch runs to its first question, which is held back; then the hub."""
    instance, flow = place.instance, place.flow
    if instance.fork is not None:
        await _abandon(walk, place)
    else:
        instance.leave(undo)
    definition = flow.forks[after]
    fork = instance.shelved.pop(after, None)
    if fork is None or [one.head for one in fork.branches] != list(definition.heads):
        fork = OpenFork(after, 0, [Branch(head=head) for head in definition.heads])
    fork.number, fork.focus, fork.shown = instance.count(), None, False
    instance.visit, instance.fork = None, fork
    focus = definition.branch_of(step) if step is not None else None
    for branch in fork.branches:
        first = step if branch.head == focus and step is not None else branch.head
        if branch.head != focus and (branch.done or branch.visit is not None):
            continue
        await _stop(walk, place.on(branch), branch)
        await walk.go(enter(walk.stage, place.on(branch), first, cause="fork"))
        if instance.fork is not fork or instance.status is not Status.ACTIVE:
            return  # a branch has gone elsewhere, or was enough
    main = place.main()
    hub.show(walk.stage, main)
    wanted = fork.branch(focus) if focus is not None else None
    if wanted is not None and not wanted.done:
        fork.focus = focus
        showing.show(walk.stage, main)


def shelve(place: Place) -> None:
    """The person goes back out of a fork: it is kept as it is, until it is opened again."""
    fork = place.instance.fork
    if fork is not None:
        place.instance.shelved[fork.after] = fork
        place.instance.fork = None


def _reopen(stage: Stage, place: Place, fork: OpenFork | None) -> None:
    """Back into a fork that was joined: all is as it was left, and the hub offers to go on."""
    if fork is None:
        raise LookupError("the history holds no fork there")
    instance = place.instance
    source = instance.visit.step if instance.visit is not None else None
    stage.moved(instance, source, fork.after, "back")
    fork.number, fork.focus, fork.joined = instance.count(), None, True
    instance.visit, instance.fork = None, fork
    hub.show(stage, place.main())


async def _end_branch(
    walk: Walk, place: Place, undo: dict[str, Any], *, focus: str | None
) -> Then | None:
    instance, branch, fork = place.instance, place.branch, place.instance.fork
    if branch is None or fork is None:
        raise LookupError(f"instance {instance.id} is in no branch")
    walk.stage.moved(instance, place.visit.step, None, "done")
    branch.leave(undo)
    branch.visit, branch.done = None, True
    fork.focus = None
    if fork.done >= place.flow.forks[fork.after].need:
        return await join(walk, place.main())
    hub.refresh(walk.stage, place.main())
    next_one = fork.branch(focus) if focus is not None else None
    if next_one is not None and not next_one.done:
        fork.focus = focus
        showing.show(walk.stage, place.main())
    return None


async def join(walk: Walk, place: Place) -> Then | None:
    """Enough branches are done: the others are abandoned, and the flow goes on."""
    instance, flow, fork = place.instance, place.flow, place.instance.fork
    if fork is None:
        raise LookupError(f"instance {instance.id} is in no fork")
    definition = flow.forks[fork.after]
    for branch in fork.branches:
        if not branch.done:
            await _drop(walk, place.on(branch))
            branch.visit = None
    _merge(place, fork)
    hub.close(walk.stage, place, fork)
    instance.history.append(Past(fork.after, True, dict(fork.before), fork))
    del instance.history[:-HISTORY_LIMIT]
    instance.fork = None
    walk.stage.moved(instance, fork.after, definition.join, "join")
    if definition.join == COMPLETED:
        return await end(walk, place, Status.COMPLETED, cause="join")
    instance.version = flow.version
    instance.enter(definition.join).new = True
    return Then(place)


async def redo(walk: Walk, place: Place, branch: Branch) -> None:
    """A branch that was done is gone through again."""
    fork = place.instance.fork
    if fork is None:
        return
    _begin_again(branch)
    fork.focus = branch.head
    hub.refresh(walk.stage, place)
    await walk.go(enter(walk.stage, place.on(branch), branch.head, cause="redo"))


def _begin_again(branch: Branch) -> None:
    """A branch that was done is open again; ``back`` does not lead into its former pass."""
    branch.done = False
    branch.history.clear()


async def _stop(walk: Walk, place: Place, branch: Branch) -> None:
    """A branch is to go on at another step than where it stands, if it stands anywhere."""
    if branch.visit is None:
        _begin_again(branch)
        return
    await _drop(walk, place)
    branch.leave({})


async def _abandon(walk: Walk, place: Place) -> None:
    """Leaves the fork that is open for good."""
    fork = place.instance.fork
    if fork is None:
        return
    for branch in fork.branches:
        if not branch.done:
            await _drop(walk, place.on(branch), left=place.line.visit)
    place.instance.fork = None


async def _unfocus(walk: Walk, place: Place, *, replay: bool) -> None:
    """From a branch back to the hub; the step goes on waiting there."""
    fork = place.instance.fork
    if fork is None:
        return
    fork.focus = None
    if place.visit.waiting is None:
        await walk.go(Then(place, replay=replay))
    if place.instance.fork is fork:
        showing.show(walk.stage, place.main())


async def _switch(walk: Walk, place: Place, head: str, step: str, *, replay: bool) -> Then | None:
    """Talks about another branch; the one that said so goes on waiting where it was."""
    fork = place.instance.fork
    sibling = fork.branch(head) if fork is not None else None
    if fork is None or sibling is None:
        return None
    fork.focus = head
    visit = place.line.visit
    if place.branch is not None and visit is not None and not visit.rests:
        await walk.go(Then(place, replay=replay))
    if place.instance.fork is not fork:
        return None
    if sibling.visit is not None and sibling.visit.step == step:
        showing.show(walk.stage, place.main())
        return None
    await _stop(walk, place.on(sibling), sibling)
    hub.refresh(walk.stage, place.main())
    return enter(walk.stage, place.on(sibling), step, cause="goto")


def _merge(place: Place, fork: OpenFork) -> None:
    """Puts fields together that several branches have changed.

    Raises:
        InvalidData: what comes of it does not validate.
    """
    flow, instance = place.flow, place.instance
    merges = flow.forks[fork.after].merge
    if not merges:
        return
    whole = flow.load(instance.data)
    for name, merge in merges.items():
        values = [
            getattr(flow.load({**instance.data, **branch.changed}), name)
            for branch in fork.branches
            if name in branch.changed
        ]
        if values:
            setattr(whole, name, merge(values))
    try:
        instance.data = dump_model(flow.load(dump_model(whole)))
    except DoesNotFit as fault:
        raise InvalidData(flow.name, fork.after, fault.field or "?", fault.reason) from None


def restart_silence(place: Place, now: int) -> None:
    """The person has said something: the time for silence starts anew, all the way up."""
    ttl = place.flow.ttl
    if ttl is not None:
        place.instance.silent = now + milliseconds(ttl)
    if place.parent is not None:
        restart_silence(place.parent, now)


def set_clocks(root: FlowInstance, flows: Flows, now: int) -> None:
    """The clocks of a run are those of the code of now: a deploy may have brought or taken one."""
    for instance in instances(root):
        flow = flows[instance.flow]
        if (flow.ttl is None) != (instance.silent is None):
            instance.silent = None if flow.ttl is None else now + milliseconds(flow.ttl)
        if (flow.max_age is None) != (instance.oldest is None):
            age = flow.max_age
            instance.oldest = None if age is None else instance.started + milliseconds(age)


def add_pause(root: FlowInstance, pause: int) -> None:
    """An operator has looked at it for so long (milliseconds): that time does not count."""
    for instance in instances(root):
        if instance.silent is not None:
            instance.silent += pause
        if instance.oldest is not None:
            instance.oldest += pause
