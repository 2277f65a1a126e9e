"""Writing a flow: fluent calls and decorators, which mix, and the checks of ``build``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Generic, Protocol, Self, overload

from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.actions import Action, End
from flows.chart import COMPLETED, compile_chart, transition_table, ways_on
from flows.checks import call_refusal, check_edges, question_refusal, saying_refusal
from flows.errors import DefinitionError
from flows.flow import Flow, Handler, Recovery, StepCode
from flows.inputs import Input
from flows.keys import USER_IN_CHAT, Key, key_refusal
from flows.replies import Reply
from flows.sources import fingerprint, read_moves
from flows.turn import Turn

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)
T = TypeVar("T")

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class _Step(Generic[S, D, Deps]):
    handler: Handler[S, D, Deps]
    to: tuple[S | End, ...] | None


class StepDecorator(Protocol[S, D, Deps]):
    """What ``@flow.step(...)`` is: it takes a handler of this flow, and answers it as it is."""

    def __call__(self, handler: Handler[S, D, Deps], /) -> Handler[S, D, Deps]: ...


class FlowBuilder(Generic[S, D, Deps]):
    """Collects the steps of a flow; ``build`` checks them and answers the flow.

    Args:
        name: lower-case letters, digits, ``_`` and ``-``; starts with a letter; stored with
            every instance, so keep it.
        steps: the enum of the steps; the order of its members is the default order.
        data: the model of the data.
        deps: the type of the App's dependencies that the handlers use.
        version: raise it when stored instances need to know which code wrote them.
        ttl: how long a person may be silent before the flow expires; None: for ever.
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
        description: str = "",
        key: Key = USER_IN_CHAT,
    ) -> None:
        self.name = name
        self.steps = steps
        self.data = data
        self.deps = deps
        self.version = version
        self.ttl = ttl
        self.description = description
        self.key = key
        self._steps: dict[str, _Step[S, D, Deps]] = {}
        self._recovery: Recovery[S, D, Deps] | None = None
        self._check_head()

    def _check_head(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise DefinitionError(
                f"the flow name {self.name!r} is not usable. Take a lower-case letter, then up to "
                "63 lower-case letters, digits, '_' or '-'."
            )
        if not (isinstance(self.steps, type) and issubclass(self.steps, Enum)):
            raise self._refuse(f"the steps must be an Enum class, not {self.steps!r}")
        if not (isinstance(self.data, type) and issubclass(self.data, BaseModel)):
            raise self._refuse(f"the data must be a pydantic model class, not {self.data!r}")
        if not list(self.steps):
            raise self._refuse(f"the enum {self.steps.__name__} has no members")
        for name, member in self.steps.__members__.items():
            if name != member.name:
                raise self._refuse(
                    f"it is an alias of {member.name}. Give it a value of its own.", step=name
                )
            if name == COMPLETED:
                raise self._refuse(f"{name!r} is the name of the end. Call it otherwise.", name)
        if not isinstance(self.version, int) or self.version < 1:
            raise self._refuse(f"the version must be 1 or more, not {self.version!r}")
        if (reason := key_refusal(self.key)) is not None:
            raise self._refuse(reason)
        if self.ttl is None:
            return
        if not isinstance(self.ttl, timedelta) or self.ttl <= timedelta(0):
            raise self._refuse(f"the ttl must be a timedelta longer than nothing, not {self.ttl!r}")

    # --- steps --------------------------------------------------------------------------

    @overload
    def step(
        self, step: S, handler: None = None, *, to: Sequence[S | End] | None = None
    ) -> StepDecorator[S, D, Deps]: ...

    @overload
    def step(
        self, step: S, handler: Handler[S, D, Deps], *, to: Sequence[S | End] | None = None
    ) -> Self: ...

    def step(
        self,
        step: S,
        handler: Handler[S, D, Deps] | None = None,
        *,
        to: Sequence[S | End] | None = None,
    ) -> Self | StepDecorator[S, D, Deps]:
        """Gives a step its handler: as a decorator, or fluently, which answers the builder.

        Args:
            to: where ``next`` may go, END for the end; unless said, the next member of the
                enum, and the end after the last one. ``to=[]`` is a step where flows end.

        Raises:
            DefinitionError: no member of the flow's enum, a second handler, no async function
                of a turn.
        """
        if handler is not None:
            self._add(step, handler, to)
            return self

        def decorate(function: Handler[S, D, Deps], /) -> Handler[S, D, Deps]:
            self._add(step, function, to)
            return function

        return decorate

    @overload
    def ask(
        self,
        step: S,
        prompt: str | Reply,
        accept: Input[T],
        *,
        into: str,
        to: Sequence[S | End] | None = None,
    ) -> Self: ...

    @overload
    def ask(
        self,
        step: S,
        prompt: str | Reply,
        accept: Input[T],
        *,
        save: Callable[[D, T], object],
        to: Sequence[S | End] | None = None,
    ) -> Self: ...

    def ask(
        self,
        step: S,
        prompt: str | Reply,
        accept: Input[T],
        *,
        into: str | None = None,
        save: Callable[[D, T], object] | None = None,
        to: Sequence[S | End] | None = None,
    ) -> Self:
        """A step that asks one question and goes on, in one line.

        A field that is set already is offered on a button, "Keep: ...".

        Args:
            into: the field that takes the answer.
            save: takes the answer instead, with the data.

        Raises:
            DefinitionError: ``into`` names no field; both or neither of ``into`` and ``save``
                are given; the prompt is empty, or ``accept`` is no input.
        """
        member = self._member(step)
        if (reason := question_refusal(prompt, accept)) is not None:
            raise self._refuse(reason, member)
        if (into is None) == (save is None):
            raise self._refuse(
                "an answer goes into a field or to a function. Give flow.ask one of "
                "into='field' and save=function.",
                member,
            )
        if into is not None and into not in self.data.model_fields:
            raise self._refuse(
                f"into={into!r} names no field of {self.data.__name__}. "
                f"Its fields are {', '.join(self.data.model_fields)}.",
                member,
            )

        async def asked(turn: Turn[S, D, Deps]) -> Action[S]:
            keep: T | None = None
            if into is not None:
                held = getattr(turn.data, into)
                default = self.data.model_fields[into].get_default(
                    call_default_factory=True, validated_data=dict(turn.data)
                )
                keep = held if held != default and _takes(accept, held) else None
            value = await turn.ask(prompt, accept, keep=keep)
            if save is not None:
                save(turn.data, value)
            elif into is not None:
                setattr(turn.data, into, value)
            return turn.next()

        asked.__qualname__ = f"{self.name}.{member}"
        self._add(step, asked, to)
        return self

    def say(self, step: S, text: str | Reply, *, to: Sequence[S | End] | None = None) -> Self:
        """A step that only says something and goes on.

        Raises:
            DefinitionError: the text is empty.
        """
        if (reason := saying_refusal(text)) is not None:
            raise self._refuse(reason, self._member(step))

        async def said(turn: Turn[S, D, Deps]) -> Action[S]:
            turn.reply(text)
            return turn.next()

        said.__qualname__ = f"{self.name}.{self._member(step)}"
        self._add(step, said, to)
        return self

    def on_error(self, recovery: Recovery[S, D, Deps]) -> Recovery[S, D, Deps]:
        """What to do when a step has failed: a decorator for ``async def (turn, error)``.

        It sees the data as of the step's entry and decides: ``turn.retry()`` runs the step once
        more with the same answers (three times at the most), ``turn.repeat(notice)`` asks
        again, ``turn.goto(step)`` goes on elsewhere, ``turn.cancel(reason)`` ends the flow.
        Without it, or if it fails too, the person gets an apology and the flow stays where it was.

        Raises:
            DefinitionError: there is one already, or it is no async function of a turn and an
                error.
        """
        if self._recovery is not None:
            raise self._refuse("it has an on_error handler already")
        if (reason := call_refusal(recovery, "turn", "error")) is not None:
            raise self._refuse(f"its on_error handler {reason}")
        self._recovery = recovery
        return recovery

    def _add(self, step: S, handler: Handler[S, D, Deps], to: Sequence[S | End] | None) -> None:
        member = self._member(step)
        if member in self._steps:
            raise self._refuse("it has a handler already. Remove one of the two.", member)
        if (reason := call_refusal(handler, "turn")) is not None:
            raise self._refuse(f"its handler {reason}", member)
        if isinstance(to, str | Enum):
            raise self._refuse(f"to= takes a list: to=[{to!r}]", member)
        self._steps[member] = _Step(handler, tuple(to) if to is not None else None)

    # --- building -----------------------------------------------------------------------

    def build(self, *, initial: S | None = None) -> Flow[S, D]:
        """Checks the whole definition and compiles it.

        Raises:
            DefinitionError: with the flow and the step named: no initial step, a member
                without handler, an edge that leads nowhere, unreachable and dead-end steps,
                a literal ``turn.next(Step.X)`` to which no edge leads, a ``turn.next()``
                where several leave.
        """
        if initial is None:
            raise self._refuse("it has no initial step. Say build(initial=Step.X).")
        start = self._member(initial)
        for member in self.steps:
            if member.name not in self._steps:
                raise self._refuse(
                    "it has no handler. Add one with @flow.step or flow.ask, or remove the member.",
                    member.name,
                )
        edges = {member.name: self._edges(member) for member in self.steps}
        check_edges(self.name, initial=start, edges=edges)
        chart = compile_chart(self.name, initial=start, edges=edges)
        return Flow(
            name=self.name,
            version=self.version,
            description=self.description,
            steps=self.steps,
            data=self.data,
            initial=initial,
            code={
                name: StepCode(self.steps[name], step.handler, fingerprint(step.handler))
                for name, step in self._steps.items()
            },
            table=transition_table(chart),
            chart=chart,
            ttl=self.ttl,
            recovery=self._recovery,
            key=self.key,
        )

    def _edges(self, member: S) -> tuple[str, ...]:
        """The names of the targets of a step, those that its source completes to included."""
        step = self._steps[member.name]
        moves = read_moves(step.handler)
        if step.to is None:
            targets: list[str] = [self._following(member)]
        else:
            targets = [self._target(target, member.name) for target in step.to]
        if not targets or (moves.completes and COMPLETED not in targets):
            targets.append(COMPLETED)
        if moves.bare and len(ways_on(targets)) > 1:
            raise self._refuse(
                "its handler says turn.next() without a step, and several ways leave: "
                f"{', '.join(ways_on(targets))}. Name one: turn.next({type(member).__name__}.X).",
                member.name,
            )
        for jump in moves.jumps:
            self._target(jump, member.name)
        for literal in moves.targets:
            name = self._target(literal, member.name)
            if name not in targets:
                raise self._refuse(
                    f"its handler says turn.next({type(literal).__name__}.{name}), to which no "
                    f"edge leads. Declare it: to=[..., {type(literal).__name__}.{name}].",
                    member.name,
                )
        return tuple(dict.fromkeys(targets))

    def _following(self, member: S) -> str:
        order = list(self.steps)
        place = order.index(member) + 1
        return order[place].name if place < len(order) else COMPLETED

    def _target(self, target: object, member: str) -> str:
        if isinstance(target, End):
            return COMPLETED
        if not isinstance(target, self.steps):
            raise self._refuse(
                f"its edge leads to {target!r}, which is no member of {self.steps.__name__}", member
            )
        return target.name

    def _member(self, step: object) -> str:
        if not isinstance(step, self.steps):
            raise self._refuse(f"{step!r} is no member of {self.steps.__name__}")
        return step.name

    def _refuse(self, message: str, step: str | None = None) -> DefinitionError:
        return DefinitionError(message, flow=self.name, step=step)


def _takes(accept: Input[Any], value: object) -> bool:
    """Whether the value is one that the input could have given."""
    try:
        accept.dump(value)
    except ValueError:
        return False
    return value is not None
