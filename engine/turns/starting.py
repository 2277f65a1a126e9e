"""Starting flows: what becomes of one that runs already, and of the one that is interrupted."""

from __future__ import annotations

from typing import Any

from engine.state.conversation import Conversation
from engine.state.expiry import restart_silence
from engine.state.timers import pass_over_reminders
from engine.steps import endings, showing
from engine.steps.entering import Then, enter
from engine.steps.places import Place, top
from engine.steps.running import Called, Suspended
from engine.steps.walk import Walk
from engine.turns import confirming
from engine.turns.conversations import Conversations
from engine.turns.stage import new_instance, origin_of
from flows.errors import UnknownFlow
from flows.flow import Flow
from flows.turns.effects import StartRequest
from flows.turns.instance import FlowInstance, PendingStart, Status
from flows.turns.started_by import kept_content

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Starter:
    """Starts flows in one turn.

    Args:
        cause: seq of the inbox row; ids of new instances come from it, so that a turn that is
            run again makes the same ones.
    """

    def __init__(self, walk: Walk, conversations: Conversations, cause: int) -> None:
        self._walk = walk
        self._stage = walk.stage
        self._conversations = conversations
        self._cause = cause
        self._started = 0

    async def start(self, request: StartRequest) -> FlowInstance | None:
        """Starts the flow, or does what it says of being started again; answers the instance
        whose question is shown now.

        Raises:
            UnknownFlow: it is not registered.
            StartRefused: these arguments do not make its data.
            NoScope: the update has nothing that the flow is keyed by.
        """
        flow = request.flow
        if self._stage.flows.get(flow.name) is not flow:
            raise UnknownFlow(flow.name, self._stage.flows)
        conversation = self._conversations.home(flow)
        running = _running(conversation, flow.name)
        if running is not None and flow.again == "confirm":
            confirming.ask(self._stage, top(running, self._stage.flows), request)
            return running
        if running is not None and flow.again != "restart":
            return self._again(running, refuse=flow.again == "refuse")
        data = flow.start(request.arguments)
        if running is not None:
            await self._end(running, cause="restart")
        elif not await self._interrupt(conversation):
            return conversation.top
        kept = kept_content(request.content) if request.content is not None else None
        instance = self.made(flow, data, payload=request.payload, started_by=kept)
        place = self._added(instance)
        await self._walk.go(enter(self._stage, place, flow.initial.name, cause="start"))
        return instance

    async def start_over(self, running: FlowInstance, pending: PendingStart) -> FlowInstance:
        """Ends what runs, and starts it anew as it was asked for before.

        Raises:
            StartRefused: the data does not fit the flow any more.
        """
        flow = self._stage.flows[running.flow]
        data = flow.start(pending.data)
        await self._end(running, cause="restart")
        instance = self.made(flow, data, payload=pending.payload, started_by=pending.started_by)
        self._conversations.put_beside(instance, running)
        place = top(instance, self._stage.flows)
        restart_silence(place, self._stage.now)
        await self._walk.go(enter(self._stage, place, flow.initial.name, cause="start"))
        return instance

    def made(
        self,
        flow: Flow[Any, Any, Any],
        data: dict[str, Any],
        *,
        payload: str,
        started_by: dict[str, Any] | None = None,
    ) -> FlowInstance:
        """An instance with an id of its own, which does not run yet."""
        instance = new_instance(
            flow,
            id=f"{_base36(self._cause)}-{self._started}",
            data=data,
            now=self._stage.now,
            origin=origin_of(self._stage.around.update),
            payload=payload,
            started_by=started_by,
        )
        self._started += 1
        return instance

    def _added(self, instance: FlowInstance) -> Place:
        """Puts a new instance on top, and answers its place."""
        place = top(instance, self._stage.flows)
        self._conversations.add(instance, place.flow)
        restart_silence(place, self._stage.now)
        return place

    # --- plain handlers that ask --------------------------------------------------------

    async def make_room(self, flow: Flow[Any, Any, Any]) -> bool:
        """A plain handler is about to ask: an earlier run of it is over, and what runs besides
        decides what becomes of it. Answers whether the handler may ask.
        """
        conversation = self._conversations.home(flow)
        running = _running(conversation, flow.name)
        if running is None:
            return await self._interrupt(conversation)
        await self._end(running, cause="restart")
        return True

    async def take_up(self, place: Place, rest: Suspended | Called) -> None:
        """A plain handler has come to rest at its first question: it is a conversation from now.

        Raises:
            StepFailed: it called a flow that cannot run.
        """
        instance = place.instance
        self._added(instance)
        self._stage.moved(instance, None, place.visit.step, "start")
        await self._walk.take_up(place, rest)

    def _again(self, running: FlowInstance, *, refuse: bool) -> FlowInstance:
        """The flow runs already: its question is shown."""
        if refuse:
            self._stage.say(self._stage.texts.running_already)
        if self._conversations.raise_to_top(running):
            pass_over_reminders(running, self._stage.flows, self._stage.now)
        showing.show(self._stage, top(running, self._stage.flows))
        return running

    async def _interrupt(self, conversation: Conversation) -> bool:
        """What the running flow says to another one; answers whether that may start."""
        running = conversation.top
        if running is None or running.status is not Status.ACTIVE:
            return True
        match self._stage.flows[running.flow].interrupt:
            case "stack":
                return True
            case "replace":
                await self._end(running, cause="replaced")
                return True
            case "refuse":
                self._stage.say(self._stage.texts.busy)
                showing.show(self._stage, top(running, self._stage.flows))
                return False

    async def _end(self, running: FlowInstance, *, cause: str) -> None:
        place = top(running, self._stage.flows)
        then: Then | None = await endings.end(self._walk, place, Status.CANCELLED, cause=cause)
        await self._walk.go(then)


def _running(conversation: Conversation, flow: str) -> FlowInstance | None:
    """The run of that flow; one that this turn has ended may be started anew."""
    runs = (one for one in conversation.stack if one.flow == flow)
    return next((one for one in runs if one.status is Status.ACTIVE), None)


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
