"""What a flow says of its steps: ``flow.step``, ``flow.ask`` and ``flow.say``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any, Generic, Protocol, Self, overload

from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.definition.checks import call_refusal, outcome_refusal, question_refusal, saying_refusal
from flows.definition.lifecycle import Lifecycle
from flows.definition.oneliners import asking, going_to, saying
from flows.definition.sources import fingerprint
from flows.errors import DefinitionError
from flows.flow import Handler, Hook, Outcome, StepCode, StepMiddleware
from flows.inputs import Input
from flows.messages.replies import Reply
from flows.turns.actions import End
from flows.turns.timing import Remind, check_timeout, ladder

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)
T = TypeVar("T")


class StepDecorator(Protocol[S, D, Deps]):
    """What ``@flow.step(...)`` is: it takes a handler of this flow, and answers it as it is."""

    def __call__(self, handler: Handler[S, D, Deps], /) -> Handler[S, D, Deps]: ...


class Steps(Lifecycle[S, D, Deps], Generic[S, D, Deps]):
    """The steps and their handlers."""

    _code: dict[str, StepCode[S, D, Deps]]
    _to: dict[str, tuple[S | End, ...]]

    @overload
    def step(
        self,
        step: S,
        handler: None = None,
        *,
        to: Sequence[S | End] | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: S | Outcome[S, D, Deps] | None = None,
        on_enter: Hook[S, D, Deps] | None = None,
        on_leave: Hook[S, D, Deps] | None = None,
        middleware: Sequence[StepMiddleware[S, D, Deps]] = (),
    ) -> StepDecorator[S, D, Deps]: ...

    @overload
    def step(
        self,
        step: S,
        handler: Handler[S, D, Deps],
        *,
        to: Sequence[S | End] | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: S | Outcome[S, D, Deps] | None = None,
        on_enter: Hook[S, D, Deps] | None = None,
        on_leave: Hook[S, D, Deps] | None = None,
        middleware: Sequence[StepMiddleware[S, D, Deps]] = (),
    ) -> Self: ...

    def step(
        self,
        step: S,
        handler: Handler[S, D, Deps] | None = None,
        *,
        to: Sequence[S | End] | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: S | Outcome[S, D, Deps] | None = None,
        on_enter: Hook[S, D, Deps] | None = None,
        on_leave: Hook[S, D, Deps] | None = None,
        middleware: Sequence[StepMiddleware[S, D, Deps]] = (),
    ) -> Self | StepDecorator[S, D, Deps]:
        """Gives a step its handler: as a decorator, or fluently, which answers the builder.

        Args:
            to: where ``next`` may go, END for the end; unless said, the next member of the
                enum, and the end after the last one. ``to=[]`` is a step where flows end.
                In a branch: the next step of the branch, and its end after the last one.
            timeout: how long the person has for a question of this step that says nothing else.
            remind: when the person is reminded of it: once, or several times.
            on_timeout: the step to go to when that time is up (along an edge of its own, which
                ``next()`` does not take), or a function that decides; else ``flow.on_timeout``,
                else the flow is cancelled.
            on_enter: a hook, as with ``flow.on_enter(step)``.
            on_leave: a hook, as with ``flow.on_leave(step)``.
            middleware: runs around this step, inside that of the flow; the outermost first.

        Raises:
            DefinitionError: no member of the flow's enum, a second handler, no async function
                of a turn.
        """

        def decorate(function: Handler[S, D, Deps], /) -> Handler[S, D, Deps]:
            self._add(step, function, to, timeout, remind, on_timeout, middleware)
            for hook, register in ((on_enter, self.on_enter), (on_leave, self.on_leave)):
                if hook is not None:
                    register(step, hook)
            return function

        if handler is None:
            return decorate
        decorate(handler)
        return self

    @overload
    def ask(
        self,
        step: S,
        prompt: str | Reply,
        accept: Input[T],
        *,
        into: str,
        to: Sequence[S | End] | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: S | Outcome[S, D, Deps] | None = None,
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
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: S | Outcome[S, D, Deps] | None = None,
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
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: S | Outcome[S, D, Deps] | None = None,
    ) -> Self:
        """A step that asks one question and goes on, in one line.

        A field that is set already is offered on a button, "Keep: ...".

        Args:
            into: the field that takes the answer.
            save: takes the answer instead, with the data.
            to: where it may go on, as with ``step``.
            timeout: how long the person has for the answer.
            remind: when the person is reminded of it.
            on_timeout: what happens when that time is up, as with ``step``.

        Raises:
            DefinitionError: ``into`` names no field; both or neither of ``into`` and ``save``
                are given; the prompt is empty, or ``accept`` is no input.
        """
        member = self._member(step)
        if (reason := question_refusal(prompt, accept)) is not None:
            raise self._refuse(reason, member)
        self._check_keeping(member, into, save)
        asked = asking(prompt, accept, into=into, save=save)
        asked.__qualname__ = f"{self.name}.{member}"
        self._add(step, asked, to, timeout, remind, on_timeout)
        return self

    def _check_keeping(self, member: str, into: str | None, save: object) -> None:
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

    def say(self, step: S, text: str | Reply, *, to: Sequence[S | End] | None = None) -> Self:
        """A step that only says something and goes on.

        Raises:
            DefinitionError: the text is empty.
        """
        member = self._member(step)
        if (reason := saying_refusal(text)) is not None:
            raise self._refuse(reason, member)
        said = saying(text)
        said.__qualname__ = f"{self.name}.{member}"
        self._add(step, said, to)
        return self

    def _when_late(
        self, member: str, on_timeout: S | Outcome[S, D, Deps] | None
    ) -> tuple[S | None, Outcome[S, D, Deps] | None]:
        """The step that lost time leads to, if one is named, and what decides about it."""
        if isinstance(on_timeout, Enum):
            late = self.steps[self._member(on_timeout)]
            return late, going_to(late)
        if on_timeout is not None and (reason := outcome_refusal(on_timeout)) is not None:
            raise self._refuse(f"its on_timeout function {reason}", member)
        return None, on_timeout

    def _add(
        self,
        step: S,
        handler: Handler[S, D, Deps],
        to: Sequence[S | End] | None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: S | Outcome[S, D, Deps] | None = None,
        middleware: Sequence[StepMiddleware[S, D, Deps]] = (),
    ) -> None:
        member = self._member(step)
        if member in self._code:
            raise self._refuse("it has a handler already. Remove one of the two.", member)
        if (reason := call_refusal(handler, "turn")) is not None:
            raise self._refuse(f"its handler {reason}", member)
        if isinstance(to, str | Enum):
            raise self._refuse(f"to= takes a list: to=[{to!r}]", member)
        late, decide = self._when_late(member, on_timeout)
        for around in middleware:
            self._check_call("middleware", None, around, "turn", "call_next", step=member)
        try:
            check_timeout(timeout)
            reminders = ladder(remind)
        except DefinitionError as error:
            raise self._refuse(str(error), member) from None
        self._code[member] = StepCode(
            step=step,
            handler=handler,
            fingerprint=fingerprint(handler),
            timeout=timeout,
            remind=reminders,
            on_timeout=decide,
            late=late,
            middlewares=tuple(middleware),
        )
        if to is not None:
            self._to[member] = tuple(to)
