"""Where an instance stands: the lines of its tree, down to those that wait or run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.flow import Flow
from flows.records import record
from flows.turns.instance import Branch, FlowInstance, Line
from flows.turns.visit import Escalation, Visit

Flows = Mapping[str, Flow[Any, Any, Any]]


@record(frozen=True, slots=True)
class Place:
    """A line of steps in an instance.

    Attributes:
        line: the main line of the instance (which stands at its hub while a fork is open), or a
            branch of the fork.
        parent: the place whose step called the instance; None: a trigger or a handler started it.
    """

    flow: Flow[Any, Any, Any]
    instance: FlowInstance
    line: Line
    parent: Place | None = None

    @property
    def visit(self) -> Visit:
        """The visit of the step that the line is at. Raises LookupError when it is at none."""
        visit = self.line.visit
        if visit is None:
            raise LookupError(f"instance {self.instance.id} stands at no step")
        return visit

    @property
    def branch(self) -> Branch | None:
        """The branch, if it is one."""
        return self.line if isinstance(self.line, Branch) else None

    @property
    def at_hub(self) -> bool:
        """The main line, while the branches of a fork go on."""
        return self.line is self.instance and self.instance.fork is not None

    @property
    def root(self) -> FlowInstance:
        """The instance that no other one has called."""
        parent = self.parent
        return self.instance if parent is None else parent.root

    @property
    def depth(self) -> int:
        """How many flows have called each other down to here."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def held(self) -> bool:
        """A branch on the way here is not the one that is talked about."""
        fork = self.instance.fork
        if fork is not None and (branch := self.branch) is not None and fork.focus != branch.head:
            return True
        return self.parent is not None and self.parent.held

    def take_focus(self) -> None:
        """From now on this is what is talked about."""
        fork = self.instance.fork
        if fork is not None and (branch := self.branch) is not None:
            fork.focus = branch.head
        if self.parent is not None:
            self.parent.take_focus()

    def main(self) -> Place:
        """The main line of the same instance."""
        return Place(self.flow, self.instance, self.instance, self.parent)

    def on(self, line: Line) -> Place:
        """Another line of the same instance."""
        return Place(self.flow, self.instance, line, self.parent)

    def called(self, child: FlowInstance, flow: Flow[Any, Any, Any]) -> Place:
        """The main line of an instance that this step has called."""
        return Place(flow, child, child, self)


def top(instance: FlowInstance, flows: Flows) -> Place:
    """The main line of an instance that was not called."""
    return Place(flows[instance.flow], instance, instance, None)


def leaves(place: Place, flows: Flows) -> Sequence[Place]:
    """Every line beneath that is at a step and has not called another flow."""
    if place.line is place.instance and alone(place.instance):
        return (place,) if place.line.visit is not None else ()
    return tuple(_leaves(place, flows))


def _leaves(place: Place, flows: Flows) -> Iterator[Place]:
    for line in place.instance.lines() if place.line is place.instance else [place.line]:
        visit = line.visit
        if visit is None:
            continue
        here = place.on(line)
        if visit.child is None:
            yield here
        else:
            yield from _leaves(here.called(visit.child, flows[visit.child.flow]), flows)


def every(place: Place, flows: Flows) -> Iterator[Place]:
    """All lines beneath, hubs and those included that wait for a flow which they have called."""
    yield place.main()
    if alone(place.instance):
        return
    for line in place.instance.lines():
        here = place.on(line)
        if line is not place.instance:
            yield here
        if line.visit is not None and line.visit.child is not None:
            child = line.visit.child
            yield from every(here.called(child, flows[child.flow]), flows)


def current(place: Place, flows: Flows) -> Place:
    """The line beneath that is talked about: a step, or the hub of a fork without focus."""
    fork = place.instance.fork
    if place.line is place.instance and fork is not None:
        branch = fork.branch(fork.focus) if fork.focus is not None else None
        if branch is None:
            return place
        place = place.on(branch)
    child = place.line.visit.child if place.line.visit is not None else None
    if child is None:
        return place
    return current(place.called(child, flows[child.flow]), flows)


def instances(instance: FlowInstance) -> Iterator[FlowInstance]:
    """The instance and all that it has called, itself first; shelved ones as well."""
    yield instance
    for visit in visits(instance):
        if visit.child is not None:
            yield from instances(visit.child)


def visits(instance: FlowInstance) -> list[Visit]:
    """The visits of the instance itself, on all its lines, shelved ones as well."""
    found = [instance.visit] if instance.visit is not None else []
    if instance.fork is None and not instance.shelved:
        return found
    forks = [*instance.shelved.values(), *([instance.fork] if instance.fork is not None else [])]
    branches = (branch for fork in forks for branch in fork.branches)
    return [*found, *(branch.visit for branch in branches if branch.visit is not None)]


def alone(instance: FlowInstance) -> bool:
    """It has nothing beneath but a step: no fork, and no flow that it has called. Most are so."""
    if instance.fork is not None or instance.shelved:
        return False
    return instance.visit is None or instance.visit.child is None


def escalations(instance: FlowInstance) -> Iterator[Escalation]:
    """What operators are to look at, in it and in what it has called."""
    found = (visit.escalated for one in instances(instance) for visit in visits(one))
    return (escalation for escalation in found if escalation is not None)


def escalated(instance: FlowInstance) -> bool:
    """Whether a step of it, or of what it has called, waits for an operator."""
    if alone(instance):
        return instance.visit is not None and instance.visit.escalated is not None
    return any(True for _ in escalations(instance))
