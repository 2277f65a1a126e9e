"""Plain handlers with what calls them, in their order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flows.filters import Filter
from flows.fsm import Stay, Transition
from flows.plain.context import Context
from flows.routing.matching import Matching
from flows.routing.triggers import OnCommand, Trigger

if TYPE_CHECKING:
    from flows.routing.router import Router

Outcome = Context[Any, Any] | Transition | Stay | None
"""What a plain handler may answer: nothing, its context, or what becomes of the state."""

PlainHandler = Callable[[Context[Any, Any]], Awaitable[Outcome]]
"""An async function of a context."""


@dataclass(frozen=True, slots=True)
class Route:
    """A plain handler and what calls it.

    Attributes:
        where: what the update has to be, too; None: anything.
        stateful: it is for people who are in a state, and goes before triggers.
        within: the included routers that it stands in, the outermost first.
    """

    trigger: Trigger
    handler: PlainHandler
    where: Filter | None = None
    stateful: bool = False
    within: tuple[Router, ...] = ()

    @property
    def command(self) -> str | None:
        """The name of the command that calls it; None: it is something else."""
        return self.trigger.name if isinstance(self.trigger, OnCommand) else None


@dataclass(frozen=True)
class Order:
    """The routes of a router and of those included in it, in order."""

    routes: tuple[Route, ...]

    @cached_property
    def usual(self) -> Matching[Route]:
        """Those that come behind the flows' triggers."""
        return self._matching(stateful=False)

    @cached_property
    def stateful(self) -> Matching[Route] | None:
        """Those that come before them; None: there are none."""
        return self._matching(stateful=True) if any(r.stateful for r in self.routes) else None

    def _matching(self, *, stateful: bool) -> Matching[Route]:
        chosen = (route for route in self.routes if route.stateful is stateful)
        return Matching([(route.trigger, route.where, route) for route in chosen])
