"""Writing a flow: fluent calls and decorators, which mix, and the checks of ``build``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import Any, Generic, Self, overload

from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.definition.chart import compile_chart, transition_table
from flows.definition.checks import (
    plain_call_refusal,
)
from flows.definition.divisions import Divisions
from flows.definition.migrations import ChangeData, Migration, check_migrations
from flows.definition.oneliners import going_on
from flows.definition.reach import check_edges
from flows.definition.sources import Moves, fingerprint, read_moves
from flows.definition.step_lines import Steps
from flows.definition.wiring import Declared, Wiring
from flows.flow import (
    Again,
    Flow,
    Hooks,
    Interrupt,
    StepCode,
)
from flows.keys import USER_IN_CHAT, Key

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)
R = TypeVar("R")
T = TypeVar("T")


class FlowBuilder(Steps[S, D, Deps], Divisions[S, D, Deps], Generic[S, D, Deps]):
    """Collects the steps of a flow; ``build`` checks them and answers the flow.

    Args:
        name: lower-case letters, digits, ``_`` and ``-``; starts with a letter; stored with
            every instance, so keep it.
        steps: the enum of the steps; the order of its members is the default order.
        data: the model of the data.
        deps: the type of the App's dependencies that the handlers use.
        version: raise it when stored instances need to know which code wrote them.
        ttl: how long a person may be silent before the flow expires; None: for ever.
        max_age: how long after its start the flow expires, whatever the person does.
        again: what happens when the flow is started where it runs already: ``"resume"`` shows
            its question again, ``"restart"`` begins anew, ``"refuse"`` says that it runs,
            ``"confirm"`` asks whether to begin anew.
        interrupt: what happens to this flow when another one is started: ``"stack"`` goes on
            with it afterwards, ``"replace"`` cancels it, ``"refuse"`` does not start the other.
        description: a few words for the list of commands.
        key: whose instances there are: ``user_in_chat``, ``chat``, ``topic``, ``user`` or a
            function of the update; see ``flows.keys``. Instances stay where they were started,
            so keep it.

    Raises:
        DefinitionError: one of these cannot be.
    """

    def __init__(
        self,
        name: str,
        steps: type[S],
        data: type[D],
        *,
        deps: type[Deps] | None = None,
        version: int = 1,
        ttl: timedelta | None = None,
        max_age: timedelta | None = None,
        again: Again = "resume",
        interrupt: Interrupt = "stack",
        description: str = "",
        key: Key = USER_IN_CHAT,
    ) -> None:
        self.name = name
        self.steps = steps
        self.data = data
        self.deps = deps
        self.version = version
        self.ttl = ttl
        self.max_age = max_age
        self.again = again
        self.interrupt = interrupt
        self.description = description
        self.key = key
        self._code = {}
        self._to = {}
        self._forks = {}
        self._branchings = {}
        self._migrations: dict[int, Migration] = {}
        self._hooks = Hooks()
        self._entering = {}
        self._leaving = {}
        self._middlewares = []
        self._timeout = None
        self._recovery = None
        self._check_head()

    # --- versions -----------------------------------------------------------------------

    def migrate(
        self,
        *,
        from_: int,
        renamed: Mapping[str, S | str] | None = None,
        data: ChangeData | None = None,
    ) -> Self:
        """How instances of one version that are stored become ones of the next.

        Args:
            from_: the version that they have.
            renamed: names of steps in that version to the steps that they are now; a name that
                a later migration renames is possible, too.
            data: takes their data as a JSON dict, and answers that of the next version.

        Raises:
            DefinitionError: there is one from this version already, or ``data`` is no function.
        """
        if not isinstance(from_, int) or isinstance(from_, bool) or from_ < 1:
            raise self._refuse(f"migrate(from_=...) takes a version, 1 or more, not {from_!r}")
        if from_ in self._migrations:
            raise self._refuse(f"it has a migration from version {from_} already")
        if data is not None and (reason := plain_call_refusal(data, "data")) is not None:
            raise self._refuse(f"its migration from version {from_} {reason}")
        names = {old: self._renaming(new) for old, new in (renamed or {}).items()}
        self._migrations[from_] = Migration(from_, names, data)
        return self

    def _renaming(self, new: object) -> str:
        # a member of a StrEnum is a text, too, and one of another flow's must not pass as one
        return new if isinstance(new, str) and not isinstance(new, Enum) else self._member(new)

    # --- building -----------------------------------------------------------------------

    @overload
    def build(self, *, initial: S | None = None) -> Flow[S, D]: ...

    @overload
    def build(self, *, initial: S | None = None, result: Callable[[D], R]) -> Flow[S, D, R]: ...

    def build(
        self, *, initial: S | None = None, result: Callable[[D], Any] | None = None
    ) -> Flow[S, D, Any]:
        """Checks the whole definition and compiles it.

        Args:
            result: makes what ``turn.call`` answers out of the data at the end; else the data.

        Raises:
            DefinitionError: with the flow and the step named: no initial step, a member
                without handler, an edge that leads nowhere, unreachable and dead-end steps,
                a literal ``turn.next(Step.X)`` to which no edge leads, a ``turn.next()``
                where several leave, an edge into or out of a branch, a fork in a branch.
        """
        if initial is None:
            raise self._refuse("it has no initial step. Say build(initial=Step.X).")
        if result is not None and (reason := plain_call_refusal(result, "data")) is not None:
            raise self._refuse(f"its result {reason}")
        code = {member.name: self._coded(member) for member in self.steps}
        moves = {name: _moves(step) for name, step in code.items()}
        wiring = self._wiring(moves)
        wiring.check_forks(self._member(initial))
        edges = wiring.edges()
        check_edges(self.name, initial=initial.name, edges=edges, forks=self._forks)
        check_migrations(self.name, self.version, edges, self._migrations)
        chart = compile_chart(self.name, initial=initial.name, edges=edges, forks=self._forks)
        table = transition_table(chart)
        return Flow(
            name=self.name,
            version=self.version,
            description=self.description,
            steps=self.steps,
            data=self.data,
            initial=initial,
            code=code,
            table={name: table[name] for name in edges},
            chart=chart,
            result=result or _whole,
            ttl=self.ttl,
            max_age=self.max_age,
            recovery=self._recovery,
            on_timeout=self._timeout,
            hooks=self._hooks,
            middlewares=tuple(self._middlewares),
            forks=dict(self._forks),
            branchings={name: wiring.branching(name) for name in self._branchings},
            migrations=dict(self._migrations),
            children=_called(moves),
            again=self.again,
            interrupt=self.interrupt,
            key=self.key,
        )

    def _coded(self, member: S) -> StepCode[S, D, Deps]:
        """The code of a step, with the hooks that were registered apart from it."""
        name = member.name
        code = self._code.get(name)
        if code is None and (name in self._forks or name in self._branchings):
            code = StepCode(member, going_on, fingerprint(going_on))
        if code is None:
            raise self._refuse(
                "it has no handler. Add one with @flow.step or flow.ask, or remove the member.",
                name,
            )
        return replace(code, on_enter=self._entering.get(name), on_leave=self._leaving.get(name))

    def _wiring(self, moves: Mapping[str, Moves]) -> Wiring:
        return Wiring(
            flow=self.name,
            steps=self.steps,
            declared={
                name: Declared(self._to.get(name), said, late=self._late(name))
                for name, said in moves.items()
            },
            forks=self._forks,
            branchings=self._branchings,
        )

    def _late(self, step: str) -> S | None:
        code = self._code.get(step)
        return code.late if code is not None else None


def _moves(code: StepCode[Any, Any, Any]) -> Moves:
    """What the source of a step says: of its handler, and of what decides about its time."""
    moves = read_moves(code.handler)
    return moves if code.on_timeout is None else moves + read_moves(code.on_timeout)


def _called(moves: Mapping[str, Moves]) -> tuple[Flow[Any, Any, Any], ...]:
    """The flows that the handlers call, each once."""
    children = [child for said in moves.values() for child in said.children]
    return tuple(dict.fromkeys(children))


def _whole(data: D) -> D:
    return data
