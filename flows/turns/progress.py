"""How far the branches of a fork have come: what ``turn.parallel`` tells, and the hub shows."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic

from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.definition.forks import Fork
from flows.errors import NoFork, UnknownStep
from flows.turns.instance import Branch, FlowInstance, OpenFork

if TYPE_CHECKING:
    from flows.flow import Flow

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)


class BranchProgress(Generic[S, D]):
    """How far one branch has come.

    Attributes:
        head: its first step; it names the branch.
        label: what its button says.
        done: it has come to its end.
        step: where it stands; None where it stands nowhere.
    """

    def __init__(
        self, flow: Flow[S, D, Any], instance: FlowInstance, branch: Branch, label: str
    ) -> None:
        self.head = flow.step(branch.head)
        self.label = label
        self.done = branch.done
        self.step = flow.step(branch.visit.step) if branch.visit is not None else None
        self._flow = flow
        self._instance = instance
        self._branch = branch

    @property
    def changed(self) -> frozenset[str]:
        """The fields that its steps have changed."""
        return frozenset(self._branch.changed)

    @property
    def data(self) -> D:
        """Its result: the data with what this branch has changed, whatever the others did."""
        return self._flow.load({**self._instance.data, **self._branch.changed})


class Progress(Generic[S, D]):
    """How far a fork has come. ``progress[Step.X]`` is the branch that begins with ``X``.

    Attributes:
        done: how many branches have come to their end.
        total: how many there are.
        need: how many have to.
    """

    def __init__(self, flow: Flow[S, D, Any], instance: FlowInstance, opened: OpenFork) -> None:
        fork = flow.forks[opened.after]
        self.done = opened.done
        self.total = len(opened.branches)
        self.need = fork.need
        self._flow = flow.name
        self._branches = {
            branch.head: BranchProgress(flow, instance, branch, fork.labels[branch.head])
            for branch in opened.branches
        }

    @classmethod
    def of(cls, flow: Flow[S, D, Any], instance: FlowInstance) -> Progress[S, D]:
        """That of the fork that is open, else of the last one, else of the first to come.

        Raises:
            NoFork: the flow has none.
        """
        opened = instance.fork or next(
            (past.fork for past in reversed(instance.history) if past.fork is not None), None
        )
        if opened is None:
            fork = next(iter(flow.forks.values()), None)
            if fork is None:
                raise NoFork(flow.name, instance.step)
            opened = unopened(fork)
        return cls(flow, instance, opened)

    def __getitem__(self, head: S) -> BranchProgress[S, D]:
        try:
            return self._branches[head.name]
        except KeyError:
            raise UnknownStep(self._flow, head.name, self._branches) from None

    def __iter__(self) -> Iterator[BranchProgress[S, D]]:
        return iter(self._branches.values())

    def __len__(self) -> int:
        return self.total

    @property
    def pending(self) -> list[S]:
        """The heads of the branches that have not come to their end."""
        return [branch.head for branch in self if not branch.done]


def unopened(fork: Fork) -> OpenFork:
    """A fork in which nothing has happened."""
    return OpenFork(fork.after, 0, [Branch(head=head) for head in fork.heads])
