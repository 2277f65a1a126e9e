"""Handlers without a flow, in the order of their registration, behind the flows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from flows.definition.checks import call_refusal
from flows.definition.naming import shown
from flows.errors import DefinitionError
from flows.filters import Condition, Facts, Filter, both, filter_of
from flows.menus import MenuCommand, described_once
from flows.plain.context import Context
from flows.plain.names import PlainNames
from flows.routing.handlers import Handlers
from flows.routing.hears import match_in
from flows.routing.kinds import kinds_of
from flows.routing.patterns import BoundedMatch
from flows.routing.pre_handlers import PreHandler
from flows.routing.registry import FlowRegistry
from flows.routing.roles import note_unguarded
from flows.routing.routes import Order, PlainHandler, Route
from flows.routing.triggers import OnCommand, Trigger, check_trigger
from flows.updates import Content

CallNext = Callable[[], Awaitable[None]]

CatchHandler = Callable[[Context[Any, Any], Exception], Awaitable[None]]
"""An async function of a context and of what a handler or a step has raised."""

Middleware = Callable[[Context[Any, Any], CallNext], Awaitable[None]]
"""Runs around the whole handling of an update; calls ``await call_next()`` once to go on."""

H = TypeVar("H", bound=PlainHandler)
M = TypeVar("M", bound=Middleware)
P = TypeVar("P", bound=PreHandler)
C = TypeVar("C", bound=CatchHandler)


class Router(Handlers):
    """The handlers of a bot that belong to no flow.

    Args:
        name: for logs.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.registry = FlowRegistry()
        self.middlewares: list[Middleware] = []
        self.pre_handlers: list[PreHandler] = []
        self.catch_handler: CatchHandler | None = None
        self.fallback_handler: PlainHandler | None = None
        self.stale_press_handler: PlainHandler | None = None
        self._items: list[Route | Router] = []
        self._parent: Router | None = None
        self._attached = False
        self._known: Order | None = None
        self._names = PlainNames()

    # --- putting together ---------------------------------------------------------------

    def attach(self, registry: FlowRegistry) -> None:
        """Takes the flows of a registry; see ``FlowRegistry.apply_to_router``."""
        if self._attached:
            raise DefinitionError(f"router {self.name!r} has a registry already")
        if self._parent is not None:
            raise DefinitionError(
                f"router {self.name!r} is included in {self._parent.name!r}. Apply the flows to "
                "the outermost router."
            )
        for route in self.routes:
            if route.command and registry.settles(route.command, in_states=route.stateful):
                raise DefinitionError(
                    f"the command /{route.command} has a flow and a handler in router "
                    f"{self.name!r}. Remove one of the two."
                )
        registry.take_names(self._own_commands)
        self.registry = registry
        self._attached = True

    def include(self, router: Router) -> None:
        """Puts the handlers of another router here: behind those that are registered already, and
        before those that come later. Its middleware and its ``catch`` are for its own handlers.

        Raises:
            DefinitionError: it is included already, or would be in itself; it has flows, a
                fallback or a handler of stale presses, which belong to the outermost router; or
                one of its commands is taken.
        """
        if not isinstance(router, Router):
            raise DefinitionError(f"{router!r} is no Router")
        if router._parent is not None or router is self._root():
            raise DefinitionError(
                f"router {router.name!r} is included already, or would be in itself. Include a "
                "router once."
            )
        router._refuse_what_is_for_all()
        for route in router.routes:
            if route.command:
                self._check_free(route.command, stateful=route.stateful)
        self._items.append(router)
        router._parent = self
        self._changed()

    @property
    def routes(self) -> tuple[Route, ...]:
        """All handlers with what calls them, those of included routers too, in order."""
        return self._order.routes

    @property
    def has_links(self) -> bool:
        """Whether a handler or a flow waits for a deep link."""
        return self._order.usual.has_links or self.registry.matching.has_links

    def route_of(self, facts: Facts) -> tuple[Route, str] | None:
        """The handler that takes an update, with its payload; None: none does. Those for deep
        links and for people in a state are asked before.
        """
        return self._order.usual.first(facts)

    def link_route_of(self, facts: Facts) -> tuple[Route, str] | None:
        """The same for deep links."""
        return self._order.usual.first_link(facts)

    def state_route_of(self, facts: Facts) -> tuple[Route, str] | None:
        """The same for people in a state."""
        stateful = self._order.stateful
        if stateful is None or facts.state is None:
            return None
        return stateful.first_link(facts) or stateful.first(facts)

    def found(
        self, handler: PlainHandler, content: Content, number: int = 0
    ) -> BoundedMatch | None:
        """What the pattern that calls a handler finds in a content; None: there is none.

        Args:
            number: of the route that has called it, where it has several (see ``number_of``).
        """
        routes = [route for route in self.routes if route.handler == handler]
        matches = (match_in(route.trigger, content) for route in routes[number:])
        return next((match for match in matches if match is not None), None)

    def number_of(self, route: Route) -> int:
        """Which of the routes of its handler it is, counted from 0."""
        return [one for one in self.routes if one.handler == route.handler].index(route)

    # --- for all ------------------------------------------------------------------------

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
        """Runs the decorated function around every update, the first registered outermost; in an
        included router, around its handlers, where one of them takes an update.
        """
        self._check_handler(middleware, "ctx", "call_next")
        self.middlewares.append(middleware)
        return middleware

    def pre_handler(self, pre_handler: P) -> P:
        """Lets the decorated function look at every update that somebody has sent before anything
        else does, the first registered first; it answers ``Continue()`` or ``Stop()``.
        """
        self._check_handler(pre_handler, "ctx")
        self._check_outermost(pre_handler)
        self.pre_handlers.append(pre_handler)
        return pre_handler

    def catch(self, handler: C) -> C:
        """Calls the decorated function, an ``async def (ctx, error)``, in place of the apology,
        once what the turn had done is undone. In an included router it gets what one of its own
        handlers, or its middleware, has raised, and what it raises itself goes on to the router
        around it; in the outermost one whatever a plain handler, a middleware, or a step for
        which no ``on_error`` decided has raised.
        """
        self._check_handler(handler, "ctx", "error")
        if self.catch_handler is not None:
            self._refuse_second(self.catch_handler, handler)
        self.catch_handler = handler
        return handler

    def commands(self) -> list[tuple[str, str]]:
        """(name, description) of every command, each once: the flows', then the handlers'."""
        return described_once(self.menu())

    def menu(self) -> list[MenuCommand]:
        """Every command: the flows', then the handlers'. Those that mean something in a state
        alone are in no menu.
        """
        own = [
            route.trigger.in_menu()
            for route in self.routes
            if isinstance(route.trigger, OnCommand) and not route.stateful
        ]
        return self.registry.menu() + own

    def kinds(self) -> frozenset[str]:
        """The kinds of ``Update.kinds`` that a handler or a trigger of a flow may take. What flows
        wait for comes besides.
        """
        routes = (route.trigger for route in self.routes)
        flows = (trigger for trigger, _ in self.registry.triggers)
        return frozenset[str]().union(*map(kinds_of, (*routes, *flows)))

    # --- within -------------------------------------------------------------------------

    @property
    def _order(self) -> Order:
        if self._known is None:
            self._known = Order(tuple(self._all_routes()))
        return self._known

    def _all_routes(self) -> Iterator[Route]:
        for item in self._items:
            if isinstance(item, Route):
                yield item
            else:
                for route in item.routes:
                    yield replace(route, within=(item, *route.within))

    def _root(self) -> Router:
        return self if self._parent is None else self._parent._root()

    def _changed(self) -> None:
        self._known = None
        if self._parent is not None:
            self._parent._changed()

    def _register(
        self, triggers: Sequence[Trigger], where: Condition | None, *, state: Filter | None = None
    ) -> Callable[[H], H]:
        wanted = both(state, filter_of(where) if where is not None else None)
        for trigger in triggers:
            check_trigger(trigger)
            if isinstance(trigger, OnCommand):
                self._check_free(trigger.name, stateful=state is not None)

        def decorate(handler: H) -> H:
            self._check_handler(handler, "ctx")
            note_unguarded(handler)
            self._names.take(self.name, handler)
            for trigger in triggers:
                self._items.append(Route(trigger, handler, wanted, state is not None))
            self._changed()
            return handler

        return decorate

    def handlers(self) -> Iterator[tuple[str, PlainHandler]]:
        """The name of the router and the handler, for each; middleware is none."""
        for route in self.routes:
            yield (route.within[-1] if route.within else self).name, route.handler
        for handler in (self.fallback_handler, self.stale_press_handler):
            if handler is not None:
                yield self.name, handler

    def _own_commands(self) -> list[str]:
        return [route.command for route in self.routes if route.command and not route.stateful]

    def _check_free(self, command: str, *, stateful: bool) -> None:
        """What has a filter leaves the rest of the updates to what comes behind it."""
        root = self._root()
        taken = root.registry.settles(command, in_states=stateful)
        if not stateful:
            taken = taken or any(
                route.command == command and route.where is None for route in root.routes
            )
        if taken:
            raise DefinitionError(
                f"the command /{command} is registered twice in router {root.name!r}. "
                "Remove one of the two."
            )

    def _refuse_what_is_for_all(self) -> None:
        for there, name in (
            (self._attached or self.registry.flows or self.registry.menu(), "flows"),
            (self.pre_handlers, "pre-handlers"),
            (self.fallback_handler, "a fallback"),
            (self.stale_press_handler, "a handler of stale presses"),
        ):
            if there:
                raise DefinitionError(
                    f"router {self.name!r} has {name}, which only the outermost router can have"
                )

    def _check_only(self, known: PlainHandler | None, handler: PlainHandler) -> None:
        self._check_handler(handler, "ctx")
        self._names.take(self.name, handler)
        self._check_outermost(handler)
        if known is not None:
            self._refuse_second(known, handler)

    def _check_outermost(self, handler: object) -> None:
        if self._parent is not None:
            raise DefinitionError(
                f"router {self.name!r} is included in {self._parent.name!r}: {shown(handler)} "
                "belongs to the outermost router"
            )

    def _refuse_second(self, known: object, handler: object) -> None:
        raise DefinitionError(
            f"router {self.name!r}: {shown(handler)} would take the place of "
            f"{shown(known)}. "
            "Remove one of the two."
        )

    def _check_handler(self, function: object, *parameters: str) -> None:
        if (reason := call_refusal(function, *parameters)) is not None:
            raise DefinitionError(f"router {self.name!r}: its handler {reason}")
