"""Where ``next`` may go from every step: what was declared, what is the default, and what the
source of the handlers adds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from flows.definition.chart import COMPLETED, DONE, FORK, ways_on
from flows.definition.forks import Branching, Fork
from flows.definition.sources import Moves
from flows.errors import DefinitionError
from flows.turns.actions import End


@dataclass(frozen=True, slots=True)
class Declared:
    """What one step says of its moves.

    Attributes:
        to: where ``next`` may go; None: to where it goes by default.
        moves: what its source says.
        late: where it goes when the time of its question is up.
    """

    to: tuple[object, ...] | None
    moves: Moves
    late: Enum | None = None


@dataclass(frozen=True, slots=True)
class Wiring:
    """Turns the declarations of all steps into edges, and refuses those that cannot be.

    Attributes:
        forks, branchings: by the name of the step that each follows.
    """

    flow: str
    steps: type[Enum]
    declared: Mapping[str, Declared]
    forks: Mapping[str, Fork] = field(default_factory=dict)
    branchings: Mapping[str, Branching] = field(default_factory=dict)

    def edges(self) -> dict[str, tuple[str, ...]]:
        """The name of each step to its targets, as in ``Flow.table``, in declared order.

        Raises:
            DefinitionError: naming the step.
        """
        return {member.name: self._targets(member.name) for member in self.steps}

    def branching(self, step: str) -> Branching:
        """The conditional edges of a step, with the targets that the table names."""
        given = self.branchings[step]
        cases = tuple((holds, self._declared_target(step, to)) for holds, to in given.cases)
        return replace(given, cases=cases, otherwise=self._declared_target(step, given.otherwise))

    def fork_around(self, step: str) -> Fork | None:
        """The fork that the step is in a branch of."""
        return next((fork for fork in self.forks.values() if step in fork.steps), None)

    def check_forks(self, initial: str) -> None:
        """Refuses forks that lie in one another, and a start in a branch.

        Raises:
            DefinitionError: naming the step.
        """
        if (around := self.fork_around(initial)) is not None:
            raise self._refuse(
                initial,
                f"it is the initial step, and in a branch of the fork after {around.after}. "
                f"Start before the fork: build(initial={self.steps.__name__}.{around.after}).",
            )
        for fork in self.forks.values():
            self._check_fork(fork)

    def _check_fork(self, fork: Fork) -> None:
        if self.fork_around(fork.after) is not None:
            raise self._refuse(
                fork.after,
                "it is in a branch, and a fork follows it. Forks nest through child flows: put "
                "the inner one into a flow of its own, and call that with turn.call.",
            )
        if fork.after in self.branchings:
            raise self._refuse(
                fork.after,
                "conditional edges and a fork follow it. Put one of them after a step of its own.",
            )
        if self.fork_around(fork.join) is not None:
            raise self._refuse(
                fork.after,
                f"its fork joins at {fork.join}, which is in a branch. Join at a step outside of "
                "all branches, or at END.",
            )

    # --- the edges of one step ----------------------------------------------------------

    def _targets(self, step: str) -> tuple[str, ...]:
        declared = self.declared[step]
        targets = [self._declared_target(step, self._name(step, to)) for to in declared.to or ()]
        targets += self._automatic(step)
        if not targets:
            targets.append(self._following(step) if declared.to is None else self._end(step))
        targets += self._endings(step)
        self._check_bare(step, targets)
        self._check_literals(step, targets)
        return tuple(dict.fromkeys((*targets, *self._late(step))))

    def _late(self, step: str) -> Sequence[str]:
        """Where lost time leads; in a branch that may be a jump out of it, which is no edge."""
        late = self.declared[step].late
        if late is None:
            return ()
        around, inside = self.fork_around(step), self.fork_around(late.name)
        if around is None or inside is None:
            return (late.name,) if around is inside else ()
        return (late.name,) if around.branch_of(step) == around.branch_of(late.name) else ()

    def _automatic(self, step: str) -> list[str]:
        """The targets of its branching, or the fork that follows it."""
        if step in self.forks:
            return [FORK]
        if step not in self.branchings:
            return []
        branching = self.branching(step)
        return [*(target for _, target in branching.cases), branching.otherwise]

    def _endings(self, step: str) -> list[str]:
        """The ends that the source of the handler names."""
        moves, fork = self.declared[step].moves, self.fork_around(step)
        if fork is None:
            if moves.done:
                raise self._refuse(step, "its handler says turn.done(), and it is in no branch")
            return [COMPLETED] if moves.completes else []
        if moves.completes:
            raise self._refuse(
                step,
                "its handler says turn.complete() in a branch of a fork. Say turn.done(), which "
                "ends the branch; the flow goes on, or ends, at the join.",
            )
        leaves = any(self._leaves(fork, step, literal) for literal in moves.targets)
        return [DONE] if moves.done or leaves else []

    def _end(self, step: str) -> str:
        return COMPLETED if self.fork_around(step) is None else DONE

    def _following(self, step: str) -> str:
        """Where a step goes that says nothing: in a branch along it, else along the enum."""
        fork = self.fork_around(step)
        if fork is not None:
            branch = next(branch for branch in fork.branches if step in branch)
            return (*branch, DONE)[branch.index(step) + 1]
        order = [member.name for member in self.steps]
        target = (*order, COMPLETED)[order.index(step) + 1]
        if (fork := self.fork_around(target)) is not None:
            raise self._refuse(
                step,
                f"the member after it, {target}, is in a branch of the fork after {fork.after}, "
                "which only that fork enters. Say where this step goes: to=[...], or to=[] if "
                "the flow ends there.",
            )
        return target

    # --- what may be named --------------------------------------------------------------

    def _declared_target(self, step: str, target: str) -> str:
        """The target as the table names it."""
        around, entered = self.fork_around(step), self.fork_around(target)
        if around is not None:
            return self._within(around, step, target)
        if entered is not None:
            raise self._refuse(
                step,
                f"its edge leads to {target}, in a branch of the fork after {entered.after}. "
                f"Only the fork enters its branches: lead to {entered.after}, or jump with "
                f"turn.goto.",
            )
        return target

    def _within(self, fork: Fork, step: str, target: str) -> str:
        if target in (fork.join, DONE):
            return DONE
        if fork.branch_of(target) == fork.branch_of(step):
            return target
        raise self._refuse(
            step,
            f"its edge leads to {_said(target)}, out of its branch. A branch leads only to its "
            f"join, {_said(fork.join)}. (The first step of another branch needs no edge.)",
        )

    def _leaves(self, fork: Fork, step: str, literal: object) -> bool:
        """Whether ``next`` there ends the branch: at the join, or at another branch's head."""
        name = self._name(step, literal)
        return name == fork.join or (name in fork.heads and name != fork.branch_of(step))

    def _check_literals(self, step: str, targets: list[str]) -> None:
        moves, fork = self.declared[step].moves, self.fork_around(step)
        for jump in moves.jumps:
            self._name(step, jump)
        for literal in moves.targets:
            name = self._name(step, literal)
            if name in targets or (fork is not None and self._leaves(fork, step, literal)):
                continue
            self._declared_target(step, name)
            said = f"{type(literal).__name__}.{name}"
            raise self._refuse(
                step,
                f"its handler says turn.next({said}), to which no edge leads. "
                f"Declare it: to=[..., {said}].",
            )

    def _check_bare(self, step: str, targets: list[str]) -> None:
        ways = ways_on(list(dict.fromkeys(targets)))
        if not self.declared[step].moves.bare or step in self.branchings or len(ways) < 2:
            return
        raise self._refuse(
            step,
            "its handler says turn.next() without a step, and several ways leave: "
            f"{', '.join(ways)}. Name one: turn.next({self.steps.__name__}.X).",
        )

    def _name(self, step: str, target: object) -> str:
        if isinstance(target, End):
            return COMPLETED
        if not isinstance(target, self.steps):
            raise self._refuse(
                step,
                f"its edge leads to {target!r}, which is no member of {self.steps.__name__}",
            )
        return target.name

    def _refuse(self, step: str, message: str) -> DefinitionError:
        return DefinitionError(message, flow=self.flow, step=step)


def _said(target: str) -> str:
    return "END" if target == COMPLETED else target
