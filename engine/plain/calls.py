"""Calling a plain handler, which becomes a conversation where it asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from engine.bot import Bot
from engine.plain.flow import STEP, call_data
from engine.steps.places import Place, top
from engine.steps.running import Called, StepFailed, Suspended, prepare, run_to_rest
from engine.turns.stage import Stage
from engine.turns.starting import Starter
from flows.errors import CannotAsk
from flows.plain.asks import AnyTurn
from flows.plain.context import Context
from flows.records import record
from flows.routing.routes import PlainHandler, Route
from flows.turns.instance import FlowInstance
from flows.turns.journal import Run
from flows.updates import SendFailed


@record(frozen=True, slots=True)
class _Begun:
    """What a handler has that has needed a conversation."""

    place: Place
    turn: AnyTurn
    run: Run


class PlainCalling:
    """One call of a plain handler by an update: the first run of it.

    An instance is made when the handler first needs one. It is kept where the handler comes to
    rest at a question, and forgotten where it returns.

    Args:
        starter: answers what starts flows in this turn; most handlers do not need it.
        route: what has called it; None: it is no route's.
    """

    def __init__(
        self,
        bot: Bot,
        stage: Stage,
        starter: Callable[[], Starter],
        handler: PlainHandler,
        payload: str,
        route: Route | None,
    ) -> None:
        self._bot = bot
        self._stage = stage
        self._starter = starter
        self.handler = handler
        self._call: Callable[[Context[Any, Any]], Awaitable[object]] = handler
        self._payload = payload
        self._route = route
        self._main = asyncio.current_task()
        self._begun: _Begun | None = None

    # --- what the context asks for ------------------------------------------------------

    def begin(self) -> AnyTurn:
        """The turn of an instance that is made now.

        Raises:
            CannotAsk: there is nobody who could answer.
            DefinitionError: another handler has the same name.
        """
        stage, update = self._stage, self._stage.around.update
        if update.conversation is None or isinstance(update.content, SendFailed):
            raise CannotAsk(
                f"a handler of {update.content.kind!r} asks, and there is nobody to be asked: the "
                "update has no person or no chat, or tells that a message did not arrive."
            )
        flow = self._bot.flow_of(self.handler)
        instance = self._starter().made(flow, call_data(update), payload=self._payload)
        visit = instance.enter(STEP)
        place = top(instance, stage.flows)
        note = stage.recall(instance, visit)
        turn, run = prepare(place, visit, stage=stage, note=note, replay=False, answer=None)
        run.main = self._main
        if stage.around.roles is not None:  # what guards the handler lets each run of it pass
            visit.seen["roles"] = sorted(stage.around.roles)
        if self._route is not None and (number := self._bot.router.number_of(self._route)):
            visit.seen["route"] = number  # of several, each finds something else
        self._begun = _Begun(place, turn, run)
        return turn

    async def open(self) -> None:
        """Makes room for the first question. What refuses to be interrupted ends the handler."""
        begun = self._begun
        if begun is not None and not await self._starter().make_room(begun.place.flow):
            begun.run.give_up()

    # --- running ------------------------------------------------------------------------

    @property
    def asked(self) -> FlowInstance | None:
        """The instance that the handler has become, if it has asked."""
        begun = self._begun
        return begun.place.instance if begun is not None and begun.run.suspended else None

    async def run(self, context: Context[Any, Any]) -> object:
        """Runs the handler, and answers what it returned; None, where it came to rest before that.
        What it wrote into the session by then is not kept: it will write it again.

        Raises:
            Exception: whatever the handler raises.
        """
        returned: object = None
        failure: BaseException | None = None
        try:
            returned = await self._call(context)
        except BaseException as error:
            if self._begun is None:
                raise
            failure = error
        if self._begun is None:
            return returned
        try:
            await self._come_to_rest(self._begun, failure)
        except StepFailed as failed:
            raise failed.cause from failed.cause.__cause__
        if failure is None and not self._begun.run.suspended:
            return returned
        self._stage.session.refresh(context.session)
        return None

    async def _come_to_rest(self, begun: _Begun, failure: BaseException | None) -> None:
        """Takes what the handler came to as that of a step is taken. Raises StepFailed."""

        async def came(_: AnyTurn) -> None:
            if failure is not None:
                raise failure

        run = begun.run
        await run_to_rest(run, came, begun.turn)
        if run.calling is not None:
            await self._starter().take_up(begun.place, Called(run.calling))
        elif run.waiting is not None:
            await self._starter().take_up(begun.place, Suspended(run.waiting))
