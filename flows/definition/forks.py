"""Where the moves of a flow divide: conditional edges, and branches that are done in any order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.messages.replies import Reply

Merge = Callable[[list[Any]], Any]
"""Makes one value of those that several branches gave to a field, in declared order."""

Hub = Callable[[Any], "str | Reply"]
"""Writes the message that stands above a fork, out of its ``Progress``."""


@dataclass(frozen=True, slots=True, eq=False)
class Fork:
    """Branches that are done in any order.

    Attributes:
        after: the step that the fork follows; it names the fork.
        branches: the steps of each branch, its head first.
        join: the step that comes when enough branches are done, or the end.
        need: how many that is.
        labels: the head of each branch to what its button says.
        hub: writes the hub message; None: the engine's own.
        merge: how a field is put together that several branches have changed.
    """

    after: str
    branches: tuple[tuple[str, ...], ...]
    join: str
    need: int
    labels: Mapping[str, str]
    hub: Hub | None = None
    merge: Mapping[str, Merge] = field(default_factory=dict)

    @property
    def heads(self) -> tuple[str, ...]:
        """The first step of each branch; it names the branch."""
        return tuple(branch[0] for branch in self.branches)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of all branches."""
        return tuple(step for branch in self.branches for step in branch)

    @property
    def needs_all(self) -> bool:
        """Whether the join waits for every branch."""
        return self.need == len(self.branches)

    def branch_of(self, step: str) -> str | None:
        """The head of the branch that the step is in."""
        return next((branch[0] for branch in self.branches if step in branch), None)


@dataclass(frozen=True, slots=True, eq=False)
class Branching:
    """Conditional edges: the first case that holds says where ``next()`` goes.

    Attributes:
        cases: predicates of the data, and the targets that they lead to, named as in
            ``Flow.table``.
        otherwise: where to go when none holds.
    """

    cases: tuple[tuple[Callable[[Any], bool], str], ...]
    otherwise: str

    def choose(self, data: Any) -> str:
        """The target to go to, named as in ``Flow.table``."""
        return next((step for holds, step in self.cases if holds(data)), self.otherwise)
