"""Doing what was decided about an update."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial

from engine.bot import Bot
from engine.frame.role_book import NOBODY
from engine.plain.handlers import PlainHandlers
from engine.plain.nesting import catch_inside
from engine.routes.candidates import Answered, Outdated, Refused
from engine.routes.routing import (
    Confirmed,
    Decision,
    Drafted,
    Handled,
    HubPressed,
    Noticed,
    Plain,
    Started,
    plain_handler,
)
from engine.steps import endings
from engine.steps.answers import Answers
from engine.steps.places import Place, current
from engine.steps.walk import Walk
from engine.turns import parking
from engine.turns.conversations import Conversations
from engine.turns.foreground import Foreground
from engine.turns.orders import Orders
from engine.turns.starting import Starter
from engine.turns.tracebacks import from_handler
from engine.turns.undoing import Undoing
from flows.filters import Facts
from flows.routing.registry import AnyFlow
from flows.routing.routes import PlainHandler, Route
from flows.turns.effects import CancelRequest, StartRequest
from flows.turns.instance import FlowInstance, PendingStart, Status
from flows.updates import Order, Press, SendFailed, TimerFired

_log = logging.getLogger("handrail.engine")


class Handling:
    """Carries out decisions in one turn.

    Args:
        cause: seq of the inbox row; ids of new instances come from it, so that a turn that is
            run again makes the same ones.
    """

    __slots__ = (
        "_bot", "_cause", "_conversations", "_foreground", "_plain", "_stage", "_started",
        "_undoing", "_update", "_walk",
    )  # fmt: skip

    def __init__(
        self,
        bot: Bot,
        walk: Walk,
        conversations: Conversations,
        foreground: Foreground,
        plain: PlainHandlers,
        undoing: Undoing,
        cause: int,
    ) -> None:
        self._bot = bot
        self._walk = walk
        self._stage = walk.stage
        self._conversations = conversations
        self._foreground = foreground
        self._plain = plain
        self._undoing = undoing
        self._cause = cause
        self._update = walk.stage.around.update
        self._started: Starter | None = None

    def _starter(self) -> Starter:
        if self._started is None:  # most turns start nothing
            self._started = Starter(self._walk, self._conversations, self._cause)
        return self._started

    async def handle(self, decision: Decision) -> None:
        """Does what was decided."""
        match decision:
            case Answered(place=place):
                catching = self._bot.catching
                if catching and (routers := catching.get(place.root.flow)):
                    context, answered = self._plain.context(), partial(self._answered, decision)
                    await catch_inside(routers, context, answered, self._plain.keeper)
                    self._plain.take_back(context)
                else:
                    await self._answered(decision)
            case Refused() | Outdated() | Drafted() | HubPressed():
                await self._answer(decision)
            case Noticed(text=text):
                self._stage.remark(text)
            case Started(flow=flow, payload=payload):
                if self._may_start(flow):
                    await self._start(StartRequest(flow, {}, payload, self._update.content))
            case Confirmed(root=root, pending=pending, start_over=start_over):
                await self._confirmed(root, pending, start_over=start_over)
            case Handled(handler=handler, payload=payload, route=called_by):
                await self._call(handler, payload, called_by)
            case Order():
                orders = Orders(self._walk, self._conversations, self._starter())
                self._foreground.note(await orders.obey(decision))
            case TimerFired():
                pass  # what was due has happened before the routing
            case Plain():
                await self._by_itself(decision)

    async def _answered(self, decision: Answered) -> None:
        await self._answers(decision.place).answered(decision)
        self._foreground.note(decision.place.root)

    def _answers(self, place: Place) -> Answers:
        """What handles answers; what they are for takes the input from now on."""
        self._foreground.rise(place.root)
        return Answers(self._walk, self._stage.around.user.id)

    async def _answer(self, decision: Refused | Outdated | Drafted | HubPressed) -> None:
        answers = self._answers(decision.place)
        match decision:
            case Refused():
                await answers.refused(decision)
            case Outdated():
                await answers.outdated(decision)
            case Drafted():
                answers.drafted(decision)
            case HubPressed():
                await answers.hub_pressed(decision)
        self._foreground.note(decision.place.root)

    async def _by_itself(self, plain: Plain) -> None:
        texts, foremost = self._bot.texts, self._foreground.foremost()
        if plain in (Plain.CANCEL, Plain.BACK) and self._belongs_to_another(foremost):
            self._stage.remark(texts.for_somebody_else)
            return
        match plain:
            case Plain.CANCEL:
                await self._cancel(foremost)
            case Plain.BACK if foremost is None:
                self._stage.say(texts.nothing_to_undo)
            case Plain.BACK if foremost is not None:
                await self._walk.back(current(self._foreground.place(foremost), self._stage.flows))
                self._foreground.note(foremost)
            case Plain.HELP:
                self._stage.say(texts.commands(self._bot.commands()))
                self._foreground.show()
            case Plain.STALE_PRESS:
                await self._stale_press()
            case Plain.FOREIGN_PRESS:
                self._stage.effects.remark(texts.foreign_press)
            case Plain.REOPEN:
                self._foreground.show()
            case Plain.ASK_AGAIN:
                await self._ask_again()
            case Plain.ESCALATED:
                self._stage.say(texts.escalated)
            case Plain.FALLBACK:
                await self._fall_back()

    def _belongs_to_another(self, root: FlowInstance | None) -> bool:
        """Whether it was handed over to somebody else, who alone goes back in it or stops it."""
        return root is not None and root.assignee not in (None, self._stage.around.user.id)

    async def _ask_again(self) -> None:
        """Nothing took the update, and something waits: its question again, with a hint."""
        foremost = self._foreground.foremost()
        if foremost is None:
            return
        if isinstance(self._update.content, Press):
            self._stage.effects.remark(self._bot.texts.stale_press)
        here = current(self._foreground.place(foremost), self._stage.flows)
        if await Answers(self._walk, self._stage.around.user.id).missed(here):
            self._foreground.note(foremost)
            return
        self._foreground.show_with_hint(foremost)

    # --- starting and ending ------------------------------------------------------------

    def _may_start(self, flow: AnyFlow) -> bool:
        """Whether the person may start it; who may not is told so."""
        needed = self._bot.registry.requirement(flow.name)
        if needed is None or needed.allows(self._stage.around.roles or NOBODY):
            return True
        self._stage.remark(needed.refusal or self._bot.texts.not_allowed)
        return False

    async def _start(self, request: StartRequest) -> None:
        self._foreground.note(await self._starter().start(request))

    async def _confirmed(
        self, root: FlowInstance, pending: PendingStart, *, start_over: bool
    ) -> None:
        root.pending = None
        if start_over:
            self._foreground.note(await self._starter().start_over(root, pending))
            return
        self._foreground.rise(root)
        self._foreground.show_of(root)

    async def start_requested(self) -> None:
        """Starts what handlers have asked to be started, and ends what they have cancelled."""
        while self._stage.effects.starts:
            match self._stage.effects.starts.pop(0):
                case StartRequest() as request:
                    await self._start(request)
                case CancelRequest(reason=reason):
                    await self._end(reversed(list(self._conversations.own.stack)), reason)

    async def _cancel(self, root: FlowInstance | None) -> None:
        if root is None:
            self._stage.say(self._bot.texts.nothing_to_cancel)
            return
        self._stage.say(self._bot.texts.cancelled)
        if self._bot.registry.cancel_scope == "all":
            running = reversed(list(self._conversations.running()))
        else:
            running = iter((root,))
        await self._end(running, "cancel command")

    async def _end(self, running: Iterable[FlowInstance], cause: str) -> None:
        for one in running:
            place = self._foreground.place(one)
            then = await endings.end(self._walk, place, Status.CANCELLED, cause=cause)
            await self._walk.go(then)

    # --- plain handlers -----------------------------------------------------------------

    async def _call(self, handler: PlainHandler, payload: str, route: Route | None = None) -> None:
        asked = await self._plain.call(handler, payload, route, self._starter)
        self._foreground.note(asked)

    async def _fall_back(self) -> None:
        handler = self._bot.router.fallback_handler
        if handler is not None:
            await self._call(handler, "")
        elif isinstance(self._update.content, Press):
            self._stage.effects.remark(self._bot.texts.stale_press)
        elif self._update.conversation is not None:
            self._stage.say(self._bot.texts.hint(self._bot.commands()))

    async def _stale_press(self) -> None:
        handler = self._bot.router.stale_press_handler
        if handler is not None:
            await self._call(handler, "")
            return
        self._stage.effects.remark(self._bot.texts.stale_press)
        self._foreground.show()

    async def failed_send(self, failed: SendFailed) -> None:
        """A message of ours will never arrive. Nothing that is due happens on the occasion: it
        would be said, and a report of a failed send says nothing.
        """
        if failed.blocked:
            await parking.park(self._walk, self._conversations, failed)
        handler = plain_handler(self._bot.router, Facts(self._update, None))
        if handler is None:
            return
        try:
            with self._undoing():
                await self._call(handler.handler, handler.payload, handler.route)
        except Exception as error:  # whatever a handler raises: what is known stays known
            _log.error(
                "the handler of a failed send has failed: %s", error, exc_info=from_handler(error)
            )
