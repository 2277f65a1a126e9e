"""What a flow says of its beginnings, its ends and its failures, and what runs around its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Any, Generic, Literal, Self, overload

from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.definition.checks import call_refusal, outcome_refusal
from flows.definition.head import Head
from flows.flow import Hook, Hooks, Outcome, Recovery, StepMiddleware

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)

HookDecorator = Callable[[Hook[S, D, Deps]], Hook[S, D, Deps]]
"""What ``@flow.on_enter(step)`` is: it takes a hook of this flow, and answers it as it is."""

_Moment = Literal["enter", "exit", "complete", "cancel", "blocked"]


class Lifecycle(Head[S, D, Deps], Generic[S, D, Deps]):
    """Hooks, middleware, and what to do about errors and timeouts.

    A hook is ``async def hook(turn) -> None``. It may reply, read and change the data and the
    session, and start flows; it cannot ask. Each is registered once.
    """

    _hooks: Hooks[S, D, Deps]
    _entering: dict[str, Hook[S, D, Deps]]
    _leaving: dict[str, Hook[S, D, Deps]]
    _middlewares: list[StepMiddleware[S, D, Deps]]
    _timeout: Outcome[S, D, Deps] | None
    _recovery: Recovery[S, D, Deps] | None

    # --- hooks --------------------------------------------------------------------------

    @overload
    def on_enter(self, at: Hook[S, D, Deps]) -> Hook[S, D, Deps]: ...

    @overload
    def on_enter(self, at: S) -> HookDecorator[S, D, Deps]: ...

    @overload
    def on_enter(self, at: S, hook: Hook[S, D, Deps]) -> Self: ...

    def on_enter(self, at: Any, hook: Any = None) -> Any:
        """A hook of the start of the flow, before its first step: ``@flow.on_enter``. Or of the
        entry of a step, never of its re-run: ``@flow.on_enter(Step.X)``, or fluently
        ``flow.on_enter(Step.X, hook)``, which answers the builder.

        Raises:
            DefinitionError: there is one already, no member of the flow's enum, or no async
                function of a turn.
        """
        if not isinstance(at, Enum):
            return self._hook("enter", at)
        return self._step_hook("on_enter", self._entering, at, hook)

    @overload
    def on_leave(self, at: S) -> HookDecorator[S, D, Deps]: ...

    @overload
    def on_leave(self, at: S, hook: Hook[S, D, Deps]) -> Self: ...

    def on_leave(self, at: S, hook: Any = None) -> Any:
        """A hook of leaving a step, whichever way: ``@flow.on_leave(Step.X)``, or fluently.

        Raises:
            DefinitionError: as with ``on_enter``.
        """
        return self._step_hook("on_leave", self._leaving, at, hook)

    def on_complete(self, hook: Hook[S, D, Deps]) -> Hook[S, D, Deps]:
        """A hook of the end, where the flow succeeded. Raises DefinitionError."""
        return self._hook("complete", hook)

    def on_cancel(self, hook: Hook[S, D, Deps]) -> Hook[S, D, Deps]:
        """A hook of the end, where the flow did not succeed. Raises DefinitionError."""
        return self._hook("cancel", hook)

    def on_exit(self, hook: Hook[S, D, Deps]) -> Hook[S, D, Deps]:
        """A hook of every end, after ``on_complete`` or ``on_cancel``. Raises DefinitionError."""
        return self._hook("exit", hook)

    def on_blocked(self, hook: Hook[S, D, Deps]) -> Hook[S, D, Deps]:
        """A hook of the moment in which it turns out that nobody can be reached any more: the
        person has blocked the bot, or it was thrown out of the group. The flow stays where it
        is, parked: nothing reminds of it, and nothing that happens by itself is said, until the
        person writes again. The hook may read and change the data, and log; what it says is
        not sent. Raises DefinitionError.
        """
        return self._hook("blocked", hook)

    def _hook(self, moment: _Moment, hook: Hook[S, D, Deps]) -> Hook[S, D, Deps]:
        self._check_call(f"on_{moment} hook", getattr(self._hooks, moment), hook, "turn")
        changed: dict[str, Hook[S, D, Deps]] = {moment: hook}
        self._hooks = replace(self._hooks, **changed)
        return hook

    def _step_hook(
        self, word: str, hooks: dict[str, Hook[S, D, Deps]], at: object, hook: Any
    ) -> Self | HookDecorator[S, D, Deps]:
        member = self._member(at)

        def decorate(function: Hook[S, D, Deps], /) -> Hook[S, D, Deps]:
            self._check_call(f"{word} hook", hooks.get(member), function, "turn", step=member)
            hooks[member] = function
            return function

        if hook is None:
            return decorate
        decorate(hook)
        return self

    # --- around the steps ---------------------------------------------------------------

    def middleware(self, middleware: StepMiddleware[S, D, Deps]) -> StepMiddleware[S, D, Deps]:
        """Runs around every step: ``async def (turn, call_next)`` that answers an action. Of
        several the first registered is the outermost; those of a step are inside.

        Raises:
            DefinitionError: it is no such function.
        """
        self._check_call("middleware", None, middleware, "turn", "call_next")
        self._middlewares.append(middleware)
        return middleware

    def on_timeout(self, outcome: Outcome[S, D, Deps]) -> Outcome[S, D, Deps]:
        """What to do when the time of a question is up, unless the question or its step says:
        a decorator for ``def (turn)``, async or not, that decides as a step does;
        ``turn.remind(text)`` gives the person the same time again. Without it the flow is
        cancelled.

        Raises:
            DefinitionError: there is one already, or it is no function of a turn.
        """
        if self._timeout is not None:
            raise self._refuse("it has an on_timeout function already. Remove one of the two.")
        if (reason := outcome_refusal(outcome)) is not None:
            raise self._refuse(f"its on_timeout function {reason}")
        self._timeout = outcome
        return outcome

    def on_error(self, recovery: Recovery[S, D, Deps]) -> Recovery[S, D, Deps]:
        """What to do when a step has failed: a decorator for ``async def (turn, error)``.

        It sees the data as of the step's entry and decides: ``turn.retry()`` runs the step once
        more with the same answers (three times at the most), ``turn.repeat(notice)`` asks
        again, ``turn.goto(step)`` goes on elsewhere, ``turn.escalate(reason)`` hands over to an
        operator, ``turn.cancel(reason)`` ends the flow. Without it, or if it fails too, the
        person gets an apology and the flow stays where it was.

        Raises:
            DefinitionError: there is one already, or it is no async function of a turn and an
                error.
        """
        self._check_call("on_error handler", self._recovery, recovery, "turn", "error")
        self._recovery = recovery
        return recovery

    def _check_call(
        self,
        what: str,
        known: object,
        function: object,
        *parameters: str,
        step: str | None = None,
    ) -> None:
        if known is not None:
            raise self._refuse(f"it has an {what} already. Remove one of the two.", step)
        if (reason := call_refusal(function, *parameters)) is not None:
            raise self._refuse(f"its {what} {reason}", step)
