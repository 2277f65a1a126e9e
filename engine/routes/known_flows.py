"""The flows that a bot may run: those of its registry, and those that its plain handlers are."""

from __future__ import annotations

from collections.abc import Mapping

from engine.plain.flow import PlainCall, PlainStep, plain_flow
from flows.definition.naming import shown
from flows.errors import DefinitionError
from flows.flow import Flow
from flows.plain.names import PlainNames, two_of_one_name
from flows.routing.registry import AnyFlow
from flows.routing.router import Router
from flows.routing.routes import PlainHandler

PlainFlow = Flow[PlainStep, PlainCall]


class KnownFlows:
    """Both kinds by name. What is registered later is known from the next look on.

    Attributes:
        catching: the included routers of plain handlers, where one of them has a ``catch``, by the
            name of the flow.
    """

    def __init__(self, router: Router) -> None:
        self._router = router
        self._names = PlainNames()
        self._plain: dict[str, PlainFlow] = {}
        self._by_handler: dict[int, tuple[PlainHandler, PlainFlow]] = {}
        self.catching: dict[str, tuple[Router, ...]] = {}
        self._flows: dict[str, AnyFlow] = {}
        self._registered: Mapping[str, AnyFlow] = {}
        self._seen = -1

    @property
    def flows(self) -> Mapping[str, AnyFlow]:
        """By name."""
        registered = self._router.registry.flows
        if len(registered) != self._seen or registered is not self._registered:
            self._registered, self._seen = registered, len(registered)
            self._flows = {**self._plain, **registered}
        return self._flows

    def adopt_handlers(self) -> None:
        """Makes the flows of handlers that were not there before.

        Raises:
            DefinitionError: two that ask, or one and a flow, would be stored under one name.
        """
        for router, handler in self._router.handlers():
            if id(handler) not in self._by_handler:
                self._adopt(router, handler)
        for route in self._router.routes:
            if any(router.catch_handler is not None for router in route.within):
                self.catching[self._by_handler[id(route.handler)][1].name] = route.within
        for name in self._plain.keys() & self._router.registry.flows.keys():
            raise DefinitionError(
                "another flow of this name is registered, and a plain handler has it. Give one of "
                "them another name.",
                flow=name,
            )
        self._flows.update(self._plain)

    def flow_of(self, handler: PlainHandler) -> PlainFlow:
        """The flow that a plain handler is when it asks.

        Raises:
            DefinitionError: another handler has the same name.
        """
        if id(handler) not in self._by_handler:  # it was registered after the start
            self.adopt_handlers()
        known = self._by_handler.get(id(handler))
        if known is None:
            raise DefinitionError(
                f"{shown(handler)} asks, and is no handler of a router of this bot"
            )
        flow = known[1]
        if (sharing := self._names.sharing(flow.name)) is not None:
            raise two_of_one_name(flow.name, *sharing)
        return flow

    def _adopt(self, router: str, handler: PlainHandler) -> None:
        name = self._names.take(router, handler)
        flow = self._plain.get(name)
        if flow is None:
            flow = self._plain[name] = plain_flow(name, handler, self._router.found)
        self._by_handler[id(handler)] = handler, flow
