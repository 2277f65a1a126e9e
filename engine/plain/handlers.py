"""Handlers without a flow: what they are given, and calling them inside their routers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from engine.bot import Bot
from engine.frame.role_book import NOBODY
from engine.plain.calls import PlainCalling
from engine.plain.nesting import Keeper, call_inside
from engine.plain.outcomes import follow
from engine.state.machines import PersonMachine
from engine.turns.stage import Stage
from engine.turns.starting import Starter
from engine.turns.undoing import Undoing
from flows.plain.asks import Opening
from flows.plain.context import Context
from flows.routing.hears import match_in
from flows.routing.routes import PlainHandler, Route
from flows.turns.instance import FlowInstance


class PlainHandlers:
    """Calls plain handlers in one turn, and makes the contexts of whatever else takes one.

    Args:
        machine: the person's state, as ``ctx.fsm`` shows it.
        undoing: takes back what is done inside of it, should that fail.
    """

    __slots__ = ("_bot", "_machine", "_stage", "_undoing")

    def __init__(self, bot: Bot, stage: Stage, machine: PersonMachine, undoing: Undoing) -> None:
        self._bot = bot
        self._stage = stage
        self._machine = machine
        self._undoing = undoing

    # --- contexts -----------------------------------------------------------------------

    def context(
        self, payload: str = "", opening: Opening | None = None, route: Route | None = None
    ) -> Context[Any, Any]:
        """What a handler is given; a session of its own, which has to be taken back.

        Args:
            opening: makes a conversation of the handler where it asks; None: it cannot ask.
        """
        around = self._stage.around
        found = None if route is None else partial(match_in, route.trigger, around.update.content)
        context: Context[Any, Any] = Context(
            update=around.update,
            payload=payload,
            session=self._stage.session.lend(),
            deps=self._bot.deps,
            effects=self._stage.effects,
            fsm=self._machine,
            found=found,
            opening=opening,
            roles=around.roles or NOBODY,
            refusal=around.refusal,
            bots=self._bot.bots,
        )
        if self._stage.live is not None:
            self._stage.live.append(context)
        return context

    def take_back(self, context: Context[Any, Any]) -> None:
        """Keeps what a handler wrote; open steps go on seeing the values as of their entry."""
        self._stage.keep_session(context.session)

    def refresh(self, context: Context[Any, Any]) -> None:
        """Gives a context, whose session was taken back, the session as it is now."""
        self._stage.session.refresh(context.session)

    @property
    def keeper(self) -> Keeper:
        """What running inside a router takes of this turn."""
        return Keeper(self._keep, self.refresh, self._undoing)

    def _keep(self, context: Context[Any, Any]) -> None:
        self.take_back(context)
        self.refresh(context)

    # --- calling ------------------------------------------------------------------------

    async def call(
        self,
        handler: PlainHandler,
        payload: str,
        route: Route | None,
        starter: Callable[[], Starter],
    ) -> FlowInstance | None:
        """Calls a handler inside the routers that it is included with; answers the conversation
        that it has become, where it has asked.

        Args:
            route: what has called it; None: it is no route's.
            starter: answers what starts flows in this turn.
        """
        calling = PlainCalling(self._bot, self._stage, starter, handler, payload, route)
        if route is None or not route.within:
            await self._run(calling, payload, route)
            return calling.asked
        # a context of its own: a middleware cannot ask
        around = self.context(payload, None, route)
        call = partial(self._run_inside, calling, payload, route, around)
        await call_inside(route.within, around, call, self.keeper)
        self.take_back(around)
        return calling.asked

    async def _run_inside(
        self, calling: PlainCalling, payload: str, route: Route, around: Context[Any, Any]
    ) -> None:
        """Runs a handler inside middleware, which sees the session before and after."""
        self.take_back(around)
        try:
            await self._run(calling, payload, route)
        finally:
            self.refresh(around)

    async def _run(self, calling: PlainCalling, payload: str, route: Route | None) -> None:
        """Runs a handler, and does what it answers. What one that has come to rest at a question
        did to its state is not kept: it will do it again.
        """
        context = self.context(payload, calling, route)
        before = self._machine.stored
        outcome = await calling.run(context)
        if calling.asked is not None:
            self._machine.stored = before
        follow(outcome, context, calling.handler)
        self.take_back(context)
