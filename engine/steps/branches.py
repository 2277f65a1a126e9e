"""Going through forks: opening them, ending branches, joining, and going back in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.state.migrating import same_branches
from engine.steps import endings, hub, showing
from engine.steps.entering import Then, enter
from engine.steps.places import Place
from engine.turns.stage import Stage
from flows.definition.chart import COMPLETED
from flows.errors import InvalidData, StepError
from flows.models import DoesNotFit, dump_model
from flows.turns.instance import Branch, OpenFork, Past, Status

if TYPE_CHECKING:
    from engine.steps.walk import Walk


async def open_fork(
    walk: Walk, place: Place, after: str, *, step: str | None, undo: dict[str, Any]
) -> None:
    """Opens a fork: each branch runs to its first question, which is held back; then the hub."""
    instance, flow = place.instance, place.flow
    if instance.fork is not None:
        await abandon(walk, place)
    else:
        instance.leave(undo)
    definition = flow.forks[after]
    fork = instance.shelved.pop(after, None)
    if fork is None or not same_branches(flow.forks, fork):
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
    hub.show(walk.stage, place.main())
    _talk_about(walk, place.main(), fork, focus)


def _talk_about(walk: Walk, place: Place, fork: OpenFork, head: str | None) -> None:
    """Gives a branch the focus and shows its question, if it is one that is not done."""
    branch = fork.branch(head) if head is not None else None
    if branch is not None and not branch.done:
        fork.focus = head
        showing.show(walk.stage, place)


def shelve(place: Place) -> None:
    """The person goes back out of a fork: it is kept as it is, until it is opened again."""
    fork = place.instance.fork
    if fork is not None:
        place.instance.shelved[fork.after] = fork
        place.instance.fork = None


def reopen(stage: Stage, place: Place, fork: OpenFork | None) -> None:
    """Back into a fork that was joined: all is as it was left, and the hub offers to go on."""
    if fork is None:
        raise LookupError("the history holds no fork there")
    instance = place.instance
    source = instance.visit.step if instance.visit is not None else None
    stage.moved(instance, source, fork.after, "back")
    fork.number, fork.focus, fork.joined = instance.count(), None, True
    # what the join put together is put together again: a branch begins with what it was before
    parts = place.flow.forks[fork.after].merge.keys() & fork.before.keys()
    instance.data = {**instance.data, **{name: fork.before[name] for name in parts}}
    instance.visit, instance.fork = None, fork
    hub.show(stage, place.main())


async def end_branch(
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
    _talk_about(walk, place.main(), fork, focus)
    return None


async def join(walk: Walk, place: Place) -> Then | None:
    """Enough branches are done: the others are abandoned, and the flow goes on."""
    instance, flow, fork = place.instance, place.flow, place.instance.fork
    if fork is None:
        raise LookupError(f"instance {instance.id} is in no fork")
    definition = flow.forks[fork.after]
    for branch in fork.branches:
        if not branch.done:
            await endings.drop(walk, place.on(branch))
            branch.visit = None
    _merge(place, fork)
    hub.close(walk.stage, place, fork)
    instance.remember(Past(fork.after, True, dict(fork.before), fork))
    instance.fork = None
    walk.stage.moved(instance, fork.after, definition.join, "join")
    if definition.join == COMPLETED:
        return await endings.end(walk, place, Status.COMPLETED, cause="join")
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
    await endings.drop(walk, place)
    branch.leave({})


async def abandon(walk: Walk, place: Place) -> None:
    """Leaves the fork that is open for good."""
    fork = place.instance.fork
    if fork is None:
        return
    for branch in fork.branches:
        if not branch.done:
            await endings.drop(walk, place.on(branch), left=place.line.visit)
    place.instance.fork = None


async def unfocus(walk: Walk, place: Place, *, replay: bool) -> None:
    """From a branch back to the hub; the step goes on waiting there."""
    fork = place.instance.fork
    if fork is None:
        return
    fork.focus = None
    if place.visit.waiting is None:
        await walk.go(Then(place, replay=replay))
    if place.instance.fork is fork:
        showing.show(walk.stage, place.main())


async def switch(walk: Walk, place: Place, head: str, step: str, *, replay: bool) -> Then | None:
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
    for name in merges:
        values = [
            getattr(flow.load({**instance.data, **branch.changed}), name)
            for branch in fork.branches
            if name in branch.changed
        ]
        if values:
            setattr(whole, name, _merged(place, fork, name, values))
    try:
        instance.data = dump_model(flow.load(dump_model(whole)))
    except DoesNotFit as fault:
        reason = f"{fault.reason} (it is what merge= made of it at the join)"
        raise InvalidData(flow.name, fork.after, fault.field or "?", reason) from None


def _merged(place: Place, fork: OpenFork, field: str, values: list[Any]) -> Any:
    try:
        return place.flow.forks[fork.after].merge[field](values)
    except Exception as error:  # whatever the user's code raises
        message = f"merge= of field {field!r} raised {error!r} at the join. Nothing was changed."
        raise StepError(place.flow.name, fork.after, message) from error
