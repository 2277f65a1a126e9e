"""What operators and programs outside of a conversation want of it, done within a turn.

Orders are checked before they are accepted; here they are checked again, because the conversation
may have gone on meanwhile. What cannot be done any more is logged, and nothing changes.
"""

from __future__ import annotations

import logging
from copy import deepcopy
from hmac import compare_digest

from engine.routes.payloads import operator_answer
from engine.state.conversation import Conversation
from engine.state.expiry import add_pause, restart_silence
from engine.state.migrating import CannotMigrate, migrated, misfit
from engine.state.timers import pass_over_reminders
from engine.steps import endings, moves, showing
from engine.steps.entering import Then
from engine.steps.moves import Leaving
from engine.steps.places import Place, current, escalations, every, top
from engine.steps.transitions import SwitchTo, jump
from engine.steps.walk import Walk
from engine.turns.conversations import Conversations
from engine.turns.starting import Starter
from flows.errors import HandrailError, UnknownFlow, UnknownStep
from flows.turns.effects import StartRequest
from flows.turns.instance import FlowInstance, Status
from flows.turns.visit import Answer, Escalation, Given, Waiting
from flows.updates import Order

_log = logging.getLogger("handrail.operate")


class Orders:
    """Obeys orders in one turn."""

    def __init__(self, walk: Walk, conversations: Conversations, starter: Starter) -> None:
        self._walk = walk
        self._stage = walk.stage
        self._conversations = conversations
        self._starter = starter

    async def obey(self, order: Order) -> FlowInstance | None:
        """Does what the order says; answers the instance whose question is shown now.

        Raises:
            StepFailed: a step failed over it, and ``on_error`` did not help.
        """
        try:
            return await self._obey(order)
        except HandrailError as error:
            _log.error("order %r cannot be carried out: %s", order.order, error)
            return None

    async def _obey(self, order: Order) -> FlowInstance | None:
        match order.order:
            case "start":
                flow = self._stage.flows.get(order.flow)
                if flow is None:
                    raise UnknownFlow(order.flow, self._stage.flows)
                return await self._starter.start(StartRequest(flow, order.data))
            case "cancel_all":
                await self._cancel_all(order)
                return None
        root = self._conversations.find(order.instance)
        if root is None:
            return await self._set_aside(order)
        match order.order:
            case "resume":
                return await self._resume(root, order)
            case "goto":
                return await self._go_to(root, order.step)
            case "repeat":
                return self._repeat(root)
            case "cancel":
                await self._cancel(root, order.reason)
        return None

    # --- resume -------------------------------------------------------------------------

    async def _resume(self, root: FlowInstance, order: Order) -> FlowInstance | None:
        for place in every(top(root, self._stage.flows), self._stage.flows):
            visit = place.line.visit
            if visit is None:
                continue
            if order.token and _has_ticket(visit.waiting, order.token):
                return await self._event(place, order)
            if not order.token and visit.escalated is not None:
                return await self._operator(place, visit.escalated, order)
        _log.warning("nothing of instance %s waits for that any more", order.instance)
        return None

    async def _event(self, place: Place, order: Order) -> FlowInstance:
        """An outside event that a step waits for."""
        visit = place.visit
        key = visit.waiting.key if visit.waiting is not None else None
        visit.answers.append(Answer("outside", key, order.payload))
        self._touched(place)
        await self._walk.go(Then(place, fresh=True, replay=True))
        return place.root

    async def _operator(self, place: Place, escalation: Escalation, order: Order) -> FlowInstance:
        """An operator has looked at it."""
        visit = place.visit
        if not escalation.again:
            visit.given = _given(escalation, order.payload)
        visit.escalated = None
        add_pause(place.root, self._stage.now - escalation.at)
        self._touched(place)
        # one that has no answers says all that it has to say: it may never have said it
        replay = escalation.again and bool(visit.answers)
        await self._walk.go(Then(place, fresh=escalation.fresh, replay=replay))
        return place.root

    def _rise(self, root: FlowInstance) -> None:
        if self._conversations.raise_to_top(root):
            pass_over_reminders(root, self._stage.flows, self._stage.now)

    def _touched(self, place: Place) -> None:
        self._rise(place.root)
        place.take_focus()
        restart_silence(place, self._stage.now)

    # --- goto, repeat and cancel ----------------------------------------------------------------

    async def _go_to(self, root: FlowInstance, step: str) -> FlowInstance:
        """The instance goes on at another step; what it has called is abandoned."""
        place = top(root, self._stage.flows)
        if step not in place.flow.code:
            raise UnknownStep(place.flow.name, step, place.flow.code)
        self._rise(root)
        here = self._line(place)
        since = [escalation.at for escalation in escalations(root)]
        add_pause(root, self._stage.now - min(since, default=self._stage.now))
        move = jump(here, step)
        if not isinstance(move, SwitchTo):  # which only talks about another branch
            await endings.drop_called(self._walk, here)
        if here.line.visit is not None:
            here.visit.escalated = None
        restart_silence(place, self._stage.now)
        await self._walk.go(await moves.make(self._walk, here, Leaving(move, "goto")))
        return root

    def _repeat(self, root: FlowInstance) -> FlowInstance:
        """Asks again, so that the answer to it is taken by this instance. That it was asked is no
        sign of its person: no time limit begins anew.
        """
        self._rise(root)
        showing.show(self._stage, top(root, self._stage.flows))
        return root

    def _line(self, place: Place) -> Place:
        """The line of the instance itself that is talked about."""
        here: Place = current(place, self._stage.flows)
        while here.parent is not None:
            here = here.parent
        return here

    async def _cancel(self, root: FlowInstance, reason: str) -> None:
        self._stage.say(self._stage.texts.cancelled)
        place = top(root, self._stage.flows)
        await self._walk.go(await endings.end(self._walk, place, Status.CANCELLED, cause=reason))

    async def _cancel_all(self, order: Order) -> None:
        """Ends all of one conversation; what it shares with others in other scopes goes on."""
        conversation = self._conversations.by_key.get(order.scope, self._conversations.own)
        if conversation.stack:
            self._stage.say(self._stage.texts.cancelled)
        for root in reversed(list(conversation.stack)):
            place = top(root, self._stage.flows)
            then = await endings.end(self._walk, place, Status.CANCELLED, cause=order.reason)
            await self._walk.go(then)
        for one in list(conversation.aside):
            self._end_aside(conversation, one, order.reason)

    # --- what was set aside -------------------------------------------------------------

    async def _set_aside(self, order: Order) -> FlowInstance | None:
        """An instance that fits no code can be moved to a step that there is, or ended."""
        for conversation in self._conversations.by_key.values():
            for one in conversation.aside:
                if one.id == order.instance:
                    return await self._help(conversation, one, order)
        _log.warning("instance %s is not running any more", order.instance)
        return None

    async def _help(
        self, conversation: Conversation, one: FlowInstance, order: Order
    ) -> FlowInstance | None:
        match order.order:
            case "cancel":
                self._end_aside(conversation, one, order.reason)
            case "goto":
                moved = self._fitting(one, order.step)
                conversation.aside.remove(one)
                conversation.stack.append(moved)
                return await self._go_to(moved, order.step)
            case _:
                _log.warning("instance %s is set aside: move it to a step, or cancel it", one.id)
        return None

    def _end_aside(self, conversation: Conversation, one: FlowInstance, reason: str) -> None:
        conversation.aside.remove(one)
        one.status = Status.CANCELLED
        self._stage.ended.append(one)
        self._stage.moved(one, one.step or None, None, reason)

    def _fitting(self, one: FlowInstance, step: str) -> FlowInstance:
        """The instance at no step, with the data that the code of now wants.

        Raises:
            CannotMove: not even so the code fits it.
            UnknownStep: its flow has no such step.
        """
        flows = self._stage.flows
        try:
            moved = migrated(deepcopy(one), flows)
        except CannotMigrate as error:
            raise CannotMove(f"instance {one.id} cannot be moved: {error}") from error
        moved.visit = moved.fork = None
        moved.shelved = {}
        moved.status = Status.ACTIVE
        if (reason := misfit(moved, flows)) is not None:
            raise CannotMove(f"instance {one.id} cannot be moved: {reason}")
        flow = flows[moved.flow]
        if step not in flow.code:
            raise UnknownStep(flow.name, step, flow.code)
        return moved


class CannotMove(HandrailError, ValueError):
    """An instance that is set aside fits no code, whatever its step."""


def _has_ticket(waiting: Waiting | None, token: str) -> bool:
    ticket = waiting.ticket if waiting is not None else None
    return ticket is not None and compare_digest(ticket.encode(), token.encode())


def _given(escalation: Escalation, payload: object) -> Given:
    """The operator's answer as what the step asked for. Raises PayloadRefused."""
    if escalation.accept is None:
        return Given({"kind": "outside"}, payload)
    return Given(escalation.accept, operator_answer(escalation.accept, payload))
