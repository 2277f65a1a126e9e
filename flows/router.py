"""Handlers without a flow, in the order of their registration, behind the flows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flows.checks import call_refusal
from flows.context import Context
from flows.errors import DefinitionError
from flows.registry import FlowRegistry
from flows.triggers import OnCallback, OnCommand, OnKind, OnText, Trigger, check_trigger

PlainHandler = Callable[[Context[Any, Any]], Awaitable[None]]
"""An async function of a context."""

CallNext = Callable[[], Awaitable[None]]

Middleware = Callable[[Context[Any, Any], CallNext], Awaitable[None]]
"""Runs around the whole handling of an update; calls ``await call_next()`` once to go on."""

H = TypeVar("H", bound=PlainHandler)
M = TypeVar("M", bound=Middleware)


@dataclass(frozen=True, slots=True)
class Route:
    """A plain handler and what calls it."""

    trigger: Trigger
    handler: PlainHandler


class Router:
    """The handlers of a bot that belong to no flow.

    Args:
        name: for logs.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.registry = FlowRegistry()
        self.routes: list[Route] = []
        self.middlewares: list[Middleware] = []
        self.fallback_handler: PlainHandler | None = None
        self.stale_press_handler: PlainHandler | None = None
        self._attached = False

    def attach(self, registry: FlowRegistry) -> None:
        """Takes the flows of a registry; see ``FlowRegistry.apply_to_router``."""
        if self._attached:
            raise DefinitionError(f"router {self.name!r} has a registry already")
        taken = {name for name, _ in self.commands()}
        for name, _ in registry.commands():
            if name in taken:
                raise DefinitionError(
                    f"the command /{name} has a flow and a handler in router {self.name!r}. "
                    "Remove one of the two."
                )
        registry.take_names(self._own_commands)
        self.registry = registry
        self._attached = True

    def on(self, trigger: Trigger) -> Callable[[H], H]:
        """Calls the decorated handler for what ``trigger`` matches.

        Raises:
            DefinitionError: it is no trigger, its command is taken, or the handler is no async
                function of a context.
        """
        check_trigger(trigger)
        if isinstance(trigger, OnCommand):
            self._check_free(trigger.name)

        def decorate(handler: H) -> H:
            self._check_handler(handler, "ctx")
            self.routes.append(Route(trigger, handler))
            return handler

        return decorate

    def command(self, name: str, description: str = "") -> Callable[[H], H]:
        """Calls the decorated handler for ``/name``; ``ctx.payload`` is what stands behind it.

        Raises:
            DefinitionError: no command name, or one that is taken.
        """
        return self.on(OnCommand(name, description))

    def text(self, pattern: str = "") -> Callable[[H], H]:
        """Calls the decorated handler for texts in which ``pattern`` (RE2) is found."""
        return self.on(OnText(pattern))

    def callback(self, pattern: str) -> Callable[[H], H]:
        """Calls the decorated handler for presses of buttons whose data matches ``pattern``."""
        return self.on(OnCallback(pattern))

    def kind(self, kind: str) -> Callable[[H], H]:
        """Calls the decorated handler for one kind of update, such as ``"photo"``."""
        return self.on(OnKind(kind))

    def fallback(self, handler: H) -> H:
        """The handler for what nothing else takes; without one a hint names the commands."""
        self._check_only(self.fallback_handler, handler)
        self.fallback_handler = handler
        return handler

    def stale_press(self, handler: H) -> H:
        """The handler for presses of engine buttons that mean nothing any more; without one a
        notice says so and the current question is shown again.
        """
        self._check_only(self.stale_press_handler, handler)
        self.stale_press_handler = handler
        return handler

    def middleware(self, middleware: M) -> M:
        """Runs the decorated function around every update, the first registered outermost."""
        self._check_handler(middleware, "ctx", "call_next")
        self.middlewares.append(middleware)
        return middleware

    def commands(self) -> list[tuple[str, str]]:
        """(name, description) of every command: the flows', then the handlers'."""
        own = [
            (route.trigger.name, route.trigger.description)
            for route in self.routes
            if isinstance(route.trigger, OnCommand)
        ]
        return self.registry.commands() + own

    def _own_commands(self) -> list[str]:
        return [route.trigger.name for route in self.routes if isinstance(route.trigger, OnCommand)]

    def _check_free(self, command: str) -> None:
        if any(command == taken for taken, _ in self.commands()):
            raise DefinitionError(
                f"the command /{command} is registered twice in router {self.name!r}. "
                "Remove one of the two."
            )

    def _check_only(self, known: PlainHandler | None, handler: object) -> None:
        self._check_handler(handler, "ctx")
        if known is not None:
            raise DefinitionError(
                f"router {self.name!r}: {handler!r} would take the place of {known!r}. "
                "Remove one of the two."
            )

    def _check_handler(self, function: object, *parameters: str) -> None:
        if (reason := call_refusal(function, *parameters)) is not None:
            raise DefinitionError(f"router {self.name!r}: its handler {reason}")
