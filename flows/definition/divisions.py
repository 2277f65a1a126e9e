"""What a flow says of where its moves divide: ``flow.parallel`` and ``flow.branch``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Generic, Literal, Self

from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.definition.chart import COMPLETED
from flows.definition.checks import plain_call_refusal
from flows.definition.forks import Branching, Fork, Hub, Merge
from flows.definition.head import Head
from flows.turns.actions import End

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)

Need = Literal["all", "any"] | int
"""How many branches of a fork must be done for its join."""


MOST_BRANCHES = 50
"""Branches that one fork may have."""


class Divisions(Head[S, D, Deps], Generic[S, D, Deps]):
    """Forks and conditional edges."""

    _forks: dict[str, Fork]
    _branchings: dict[str, Branching]

    def parallel(
        self,
        *,
        from_: S,
        steps: Sequence[S | tuple[S, ...]],
        join: S | End,
        need: Need = "all",
        labels: Mapping[S, str] | None = None,
        hub: Hub | None = None,
        merge: Mapping[str, Merge] | None = None,
    ) -> Self:
        """Branches that the person does in any order, after a step and before another.

        A step in a branch goes to the next one of its tuple, and the last one ends the branch;
        so do ``turn.done()`` and ``turn.next(join)`` anywhere in it.

        Args:
            from_: the step that the fork follows; without a handler it only opens the fork.
            steps: the branches: a step, or a tuple of steps of which the first is the head.
            join: the step after the fork, END for the end of the flow.
            need: how many branches it takes to go there: "all", "any" or a number; what is
                pending then is abandoned.
            labels: what the button of a branch says, by its head; else the name of the head.
            hub: writes the message above the buttons, out of the ``Progress``.
            merge: by the name of a field: makes its value out of the list of those that several
                branches have left in it, such as ``sum``; else the later branch wins.

        Raises:
            DefinitionError: the branches overlap or are empty, ``need`` cannot be met, a label
                is for no head, or ``merge`` for no field.
        """
        after = self._member(from_)
        if after in self._forks:
            raise self._refuse("a fork follows it already. Remove one of the two.", after)
        branches = self._branches(after, steps)
        if len(branches) > MOST_BRANCHES:
            raise self._refuse(
                f"its fork has {len(branches)} branches, and {MOST_BRANCHES} are possible: each "
                "has a button. Ask for some of them in one branch.",
                after,
            )
        self._check_disjoint(after, [step for branch in branches for step in branch])
        if hub is not None and (reason := plain_call_refusal(hub, "progress")) is not None:
            raise self._refuse(f"the hub of its fork {reason}", after)
        self._forks[after] = Fork(
            after=after,
            branches=branches,
            join=self._end_or_member(join),
            need=self._needed(after, need, len(branches)),
            labels=self._labels(after, [branch[0] for branch in branches], labels or {}),
            hub=hub,
            merge=self._merged(after, merge or {}),
        )
        return self

    def branch(
        self,
        from_: S,
        cases: Sequence[tuple[Callable[[D], bool], S | End]],
        *,
        otherwise: S | End,
    ) -> Self:
        """Conditional edges: ``turn.next()`` in the step goes where the first case says that
        holds for its data. A step without a handler only does that.

        Args:
            cases: predicates of the data, each with the step that it leads to; END is possible.
            otherwise: where to go when none of them holds.

        Raises:
            DefinitionError: there are no cases, a predicate is none, or the step has
                conditional edges already.
        """
        member = self._member(from_)
        if member in self._branchings:
            raise self._refuse("it has conditional edges already. Give all cases at once.", member)
        if not cases:
            raise self._refuse("its branch has no cases: [(predicate, step), ...]", member)
        for holds, _ in cases:
            if (reason := plain_call_refusal(holds, "data")) is not None:
                raise self._refuse(f"its predicate {reason}", member)
        self._branchings[member] = Branching(
            cases=tuple((holds, self._end_or_member(target)) for holds, target in cases),
            otherwise=self._end_or_member(otherwise),
        )
        return self

    # --- reading the arguments ----------------------------------------------------------

    def _end_or_member(self, target: object) -> str:
        return COMPLETED if isinstance(target, End) else self._member(target)

    def _branches(self, after: str, steps: object) -> tuple[tuple[str, ...], ...]:
        if isinstance(steps, self.steps | str) or not isinstance(steps, Sequence):
            raise self._refuse(f"steps= of its fork takes a list of branches: [{steps!r}]", after)
        branches = tuple(self._branch(after, branch) for branch in steps)
        if not branches:
            raise self._refuse("its fork has no branches. Name them: steps=[Step.X, ...]", after)
        return branches

    def _branch(self, after: str, branch: object) -> tuple[str, ...]:
        if not isinstance(branch, tuple | list):
            return (self._member(branch),)
        if not branch:
            raise self._refuse("a branch of its fork is empty. Name its steps.", after)
        return tuple(self._member(step) for step in branch)

    def _check_disjoint(self, after: str, steps: Iterable[str]) -> None:
        taken = {step for fork in self._forks.values() for step in fork.steps}
        for step in steps:
            if step == after:
                raise self._refuse("it cannot be in a branch of the fork that follows it.", after)
            if step in taken:
                raise self._refuse(
                    f"it is in two branches, of which one is of the fork after {after}. A step "
                    "is in one branch only.",
                    step,
                )
            taken.add(step)

    def _needed(self, after: str, need: object, branches: int) -> int:
        named = {"all": branches, "any": 1}
        if isinstance(need, str) and need in named:
            return named[need]
        if isinstance(need, int) and not isinstance(need, bool) and 1 <= need <= branches:
            return need
        raise self._refuse(
            f'need= of its fork is "all", "any" or a number from 1 to {branches}, not {need!r}',
            after,
        )

    def _labels(
        self, after: str, heads: Sequence[str], labels: Mapping[S, str]
    ) -> Mapping[str, str]:
        said = {self._member(head): label for head, label in labels.items()}
        for head, label in said.items():
            if head not in heads:
                raise self._refuse(
                    f"a label is for {head}, which is the head of no branch. "
                    f"The heads are {', '.join(heads)}.",
                    after,
                )
            if not isinstance(label, str) or not label.strip():
                raise self._refuse(f"its label is {label!r}. Give it a text.", head)
        every = {head: said.get(head, _words(head)) for head in heads}
        for head, label in every.items():
            if any(other != head and every[other] == label for other in heads):
                raise self._refuse(f"two branches of one fork are labelled {label!r}.", head)
        return every

    def _merged(self, after: str, merge: Mapping[str, Merge]) -> Mapping[str, Merge]:
        for name, function in merge.items():
            if name not in self.data.model_fields:
                raise self._refuse(
                    f"merge= of its fork names {name!r}, which is no field of "
                    f"{self.data.__name__}. Its fields are {', '.join(self.data.model_fields)}.",
                    after,
                )
            if (reason := plain_call_refusal(function, "values")) is not None:
                raise self._refuse(f"its merge of {name!r} {reason}", after)
        return dict(merge)


def _words(name: str) -> str:
    """EMAIL_OK as "Email ok"."""
    return " ".join(name.split("_")).strip().capitalize() or name
