"""The operator: starts, moves, resumes and ends conversations from outside of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

from engine.bot import Bot
from engine.clock import SystemClock
from engine.operate import dead_letters as letters
from engine.operate import lookup, views
from engine.operate.audit import Audit, AuditPage, page
from engine.operate.broadcasts import Accept, Broadcasts
from engine.operate.erasing import Erased, Eraser
from engine.operate.homes import Home, home_at
from engine.operate.receipts import Put, Receipt, into_inbox, row_of, until_done, update_of
from engine.routes.payloads import as_json, operator_answer
from engine.state.conversation import unfit
from flows.conversation import ConversationKey
from flows.errors import (
    BadAddress,
    NotWaiting,
    PayloadRefused,
    UnknownFlow,
    UnknownInstance,
    UnknownToken,
)
from flows.flow import Flow
from flows.inputs import input_from_json
from flows.ports import Clock, FlowStorage, Query, Tally
from flows.turns.instance import FlowInstance, Status
from flows.updates import Order

PATIENCE = 10.0
"""Seconds that ``erase`` gives the last hooks of a person's flows."""


class Operator:
    """Acts on the conversations of a bot, in whichever process the bot runs.

    What is asked for is checked against the state as committed, and becomes a row in the inbox
    of its conversation. It is carried out by a turn of the conversation, in order with what the
    person sends, by the process that owns it: at once where the bot runs, else when it runs
    next. A call returns when its row is durable. The turn checks again; what does not fit any
    more by then is logged, and nothing is changed.

    Attributes:
        broadcasts: one message for many people.

    Args:
        storage: an open storage.
        bot: its flows are those that can be started and moved.
        sources: channel and bot of the conversations that ``start`` begins, where it is not told.
        put: how rows get into the inbox; None: straight into the storage.
        put_all: the same for several rows at once.
        erased: is told that somebody was erased.
        who: the operator, under whose name what is done is kept in the audit; None: a program
            acts, and nothing is.
    """

    def __init__(
        self,
        storage: FlowStorage,
        bot: Bot,
        *,
        sources: Sequence[str] = (),
        clock: Clock | None = None,
        put: Put | None = None,
        put_all: Accept | None = None,
        erased: Callable[[str], None] | None = None,
        who: str | None = None,
    ) -> None:
        self._storage = storage
        self._bot = bot
        self._registry = bot.registry
        self._sources = tuple(sources)
        self._clock = clock or SystemClock()
        self._put = put or into_inbox(storage)
        self._erased = erased
        self._put_all = put_all
        self._audit = Audit(storage, self._clock, who)
        self.broadcasts = Broadcasts(storage, self._clock, source=self._source, accept=put_all)

    def on_behalf_of(self, who: str) -> Operator:
        """The same, for somebody whose name is kept in the audit with what they do."""
        return Operator(
            self._storage,
            self._bot,
            sources=self._sources,
            clock=self._clock,
            put=self._put,
            put_all=self._put_all,
            erased=self._erased,
            who=who,
        )

    # --- orders -------------------------------------------------------------------------

    async def start(
        self,
        flow: str | Flow[Any, Any],
        *,
        user: str | int,
        chat: str | int | None = None,
        topic: str | int | None = None,
        source: str | None = None,
        data: Mapping[str, Any] | BaseModel | None = None,
    ) -> Receipt:
        """Starts a flow for a person.

        Args:
            flow: a registered flow, or its name.
            user: the channel's id of the person.
            chat: the channel's id of the chat; None: the private chat with the person.
            topic: the topic of the chat, where it has topics.
            source: channel and bot, such as ``telegram:110201543``; None: the one that runs.
            data: what the flow starts with.

        Raises:
            UnknownFlow: no flow of that name is registered.
            StartRefused: the data does not make the flow's.
            BadAddress: there is no such bot, or an id is empty.
        """
        name = flow if isinstance(flow, str) else flow.name
        known = self._registry.get(name)
        given = dict(data or {})
        started = known.start(given)
        home = home_at(self._source(source), user=user, chat=chat, topic=topic)
        arguments = {field: started[field] for field in given}
        return await self._order(
            Order(order="start", flow=name, data=arguments), await self._canonical(home)
        )

    async def resume(self, ticket: str, payload: Any = None) -> Receipt:
        """Hands in the outside event that a step waits for by its ticket, which works once. A web
        server may pass on what stands in its URL: nothing but a ticket opens anything here.

        Args:
            payload: JSON, or a model.

        Raises:
            UnknownToken: the ticket is expired, was used already, or was never issued.
            PayloadRefused: the payload is no JSON.
        """
        return await self._event(ticket, as_json(payload))

    async def decide(self, instance: str, payload: Any = None) -> Receipt:
        """An operator's answer to an escalated instance, which goes on with it.

        Args:
            payload: JSON, or a model. A step that wants an input takes it as text, as a person
                would have typed it, or as the value of a button.

        Raises:
            UnknownInstance: no instance of that id runs.
            NotWaiting: the instance waits for no operator.
            PayloadRefused: the payload is no JSON, or not what the step wants.
        """
        value = as_json(payload)
        found = await lookup.find(self._storage, instance)
        self._check_fit(found.instance)
        _check_answer(found.instance, value)
        order = Order(order="resume", instance=found.instance.id, payload=value)
        return await self._order(order, found.home, detail=_choice(found.instance, value))

    async def goto(self, instance: str, step: str | Enum) -> Receipt:
        """Moves an instance to any step of its flow.

        Raises:
            UnknownInstance: no instance of that id runs.
            UnknownFlow: its flow is not registered any more.
            UnknownStep: its flow has no such step.
        """
        found = await lookup.find(self._storage, instance)
        name = step.name if isinstance(step, Enum) else step
        flow = self._bot.flows.get(found.instance.flow)
        if flow is None:
            raise UnknownFlow(found.instance.flow, self._bot.flows)
        flow.step(name)
        order = Order(order="goto", instance=instance, step=name)
        return await self._order(order, found.home)

    async def repeat(self, instance: str) -> Receipt:
        """Has an instance ask its question again: the person gets the prompt once more.

        Raises:
            UnknownInstance: no instance of that id runs.
            NotWaiting: it is set aside, or an operator has to look at it first.
        """
        found = await lookup.find(self._storage, instance)
        if found.instance.status is Status.QUARANTINED:
            raise NotWaiting(instance, "it is set aside: move it to a step, or cancel it")
        if lookup.escalation_of(found.instance) is not None:
            raise NotWaiting(instance, "it waits for an operator, and asks its person nothing")
        return await self._order(Order(order="repeat", instance=instance), found.home)

    async def cancel(self, instance: str, reason: str = "cancelled") -> Receipt:
        """Ends an instance; its hooks run. ``reason`` is what they and the log are told.

        Raises:
            UnknownInstance: no instance of that id runs.
        """
        found = await lookup.find(self._storage, instance)
        order = Order(order="cancel", instance=instance, reason=reason)
        return await self._order(order, found.home)

    async def cancel_conversation(
        self, key: str | ConversationKey, reason: str = "cancelled"
    ) -> Receipt:
        """Ends all instances of a conversation; their hooks run.

        Raises:
            UnknownConversation: nothing runs in it, or it is no key.
        """
        home = await lookup.home_where_something_runs(self._storage, str(key))
        return await self._order(Order(order="cancel_all", reason=reason), home)

    async def erase(self, person: str, *, patience: float = PATIENCE) -> Erased:
        """Removes a person everywhere: conversations, messages, log. Nothing brings them back.

        First their instances are ended, so that hooks can clean up elsewhere; what has not ended
        after ``patience`` seconds, or has no bot that would end it, is removed all the same. It
        is the one thing that does not wait its turn: turns in flight leave no trace. So do not
        await it in a handler of the same person, which would wait for itself. What several
        people share, such as a flow of a whole chat, stays.

        Args:
            person: channel and user id, such as ``telegram/4242``.

        Raises:
            BadAddress: it is not of that form.
        """
        if not all(person.partition("/")):
            raise BadAddress(f"{person!r} names nobody. Write channel/user: telegram/4242, say.")
        # before it is done, so that it is kept whatever happens; the row forgets whom it is about
        await self._audit.keep("erase", person)
        eraser = Eraser(self._storage, self._clock, cancel=self._end_unnamed)
        result = await eraser.erase(person, patience=patience)
        if self._erased is not None:
            self._erased(person)
        return result

    async def until_done(self, receipt: Receipt, *, seconds: float) -> bool:
        """Waits until the turn of an order is committed; False when it takes longer than that."""
        return await until_done(receipt, self._storage, self._clock, seconds=seconds)

    # --- looking ------------------------------------------------------------------------

    async def instances(
        self,
        *,
        flow: str | None = None,
        status: Status | str | None = None,
        conversation: str | ConversationKey | None = None,
        person: str | None = None,
        live: bool | None = None,
        step: str | None = None,
        idle: float | None = None,
        text: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> views.InstancePage:
        """A page of instances, the one that moved last first.

        Args:
            step: those that stand, or have ended, at this step.
            idle: those in which nothing has happened for so many seconds, or longer.
            text: those whose id, or the key of whose conversation, has this in it.
            live: True: only those that have not ended; False: only those that have.
            after: the ``next`` of the page before.
            limit: how many, 1 to 1000.

        Raises:
            ValueError: ``after`` or ``limit`` cannot be.
        """
        query = Query(
            what="instances",
            conv=None if conversation is None else str(conversation),
            flow=flow,
            status=None if status is None else str(status),
            person=person,
            live=live,
            step=step,
            before=None if idle is None else self._clock.now() - round(idle * 1000),
            text=text,
            after=after,
            limit=limit,
        )
        return await views.page(self._storage, query)

    async def dead_letters(
        self,
        *,
        conversation: str | ConversationKey | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> letters.DeadLetterPage:
        """A page of dead letters, the newest first: updates that could not be handled, and
        messages that could not be sent.

        Args:
            after: the ``next`` of the page before.
            limit: how many, 1 to 1000.

        Raises:
            ValueError: ``after`` or ``limit`` cannot be.
        """
        conv = None if conversation is None else str(conversation)
        query = Query(what="dead_letters", conv=conv, after=after, limit=limit)
        return await letters.page(self._storage, query)

    async def dead_letter(self, letter: int) -> letters.DeadLetterRow:
        """One dead letter, by its number. Raises UnknownDeadLetter."""
        return await letters.one(self._storage, letter)

    async def replay(self, letter: int) -> None:
        """Puts a dead letter back where it came from, once: an update is handled once more, a
        message is sent once more, behind what is on its way to its chat. Where the bot runs, it
        takes it up within a second. What is given up again is a new dead letter.

        Raises:
            UnknownDeadLetter: there is none of that number.
        """
        found = await letters.one(self._storage, letter)
        await self._audit.keep("replay", str(letter), conv=found.conversation)
        await letters.replay(self._storage, letter)

    async def tally(self) -> Sequence[Tally]:
        """How many instances there are of each flow, step and status, those included that have
        ended and are kept for a while.
        """
        return await self._storage.tally()

    async def audit(
        self,
        *,
        conversation: str | ConversationKey | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> AuditPage:
        """A page of what operators did, the newest first.

        Args:
            after: the ``next`` of the page before.
            limit: how many, 1 to 1000.

        Raises:
            ValueError: ``after`` or ``limit`` cannot be.
        """
        conv = None if conversation is None else str(conversation)
        return await page(self._storage, Query(what="audit", conv=conv, after=after, limit=limit))

    async def note(self, what: str, target: str, *, conversation: str | None = None) -> None:
        """Keeps in the audit what somebody did that is no order, such as looking at what only
        few may see.
        """
        await self._audit.keep(what, target, conv=conversation)

    async def traffic(self, conversation: str | ConversationKey) -> views.Traffic:
        """What is on its way to and from a conversation."""
        return await views.traffic(self._storage, str(conversation))

    async def show(self, instance: str, *, moves: int = views.MOVES) -> views.InstanceView:
        """A close look at an instance, over or not.

        Args:
            moves: how many of its last moves, 1 to 1000.

        Raises:
            UnknownInstance: there is none of that id.
            CorruptState: its conversation cannot be read.
        """
        return await views.view(self._storage, instance, moves)

    # --- how ----------------------------------------------------------------------------

    async def _event(self, ticket: str, payload: Any) -> Receipt:
        try:
            found = await lookup.find(self._storage, ticket.partition(".")[0])
        except UnknownInstance:
            raise UnknownToken(ticket) from None
        if not lookup.waits_with(found.instance, ticket):
            raise UnknownToken(ticket)
        self._check_fit(found.instance)
        order = Order(order="resume", instance=found.instance.id, token=ticket, payload=payload)
        return await self._order(order, found.home)

    def _check_fit(self, instance: FlowInstance) -> None:
        """What another code has set aside goes on with this one, where it fits.

        Raises:
            NotWaiting: it does not.
        """
        if instance.status is Status.QUARANTINED and unfit(instance, self._bot.flows):
            raise NotWaiting(instance.id, "it is set aside, because it fits no flow of this code")

    async def _order(self, order: Order, home: Home, *, detail: str = "") -> Receipt:
        """Puts an order into the inbox. It is the state that makes a ticket work once, and no
        memory of rows: an event whose turn fails may be handed in again.
        """
        await self._audit.order(order, home, detail)
        return await self._kept(order, home)

    async def _end_unnamed(self, key: str, reason: str) -> Receipt:
        """Ends all of a conversation, for somebody whose erasing is in the audit already."""
        home = await lookup.home_where_something_runs(self._storage, key)
        return await self._kept(Order(order="cancel_all", reason=reason), home)

    async def _kept(self, order: Order, home: Home) -> Receipt:
        while True:
            update = update_of(order, home, ext=uuid4().hex, at=self._clock.now())
            row = row_of(update, home, self._registry.keys)
            seq = await self._put(row, update)
            if seq is not None:  # else an id was drawn twice
                return Receipt(seq, str(row.conv))

    def _source(self, source: str | None) -> str:
        if source is None and len(self._sources) == 1:
            return self._sources[0]
        if source is None:
            raise BadAddress(
                "it is not known which bot is meant. Say source=, channel and bot, "
                "such as telegram:110201543."
            )
        if self._sources and source not in self._sources:
            raise BadAddress(f"{source!r} does not run here, only {', '.join(self._sources)}.")
        return source

    async def _canonical(self, home: Home) -> Home:
        """The chat under the id that its conversations are kept by."""
        address = home.address
        known = (await self._storage.aliases()).get((address.source, address.chat))
        if known is None:
            return home
        return home_at(
            address.source,
            user=home.user.id if home.user is not None else "",
            chat=known,
            topic=address.topic,
        )


def _choice(instance: FlowInstance, payload: Any) -> str:
    """What an operator has chosen; what was written freely may be meant for the flow alone."""
    escalation = lookup.escalation_of(instance)
    if escalation is None or escalation.accept is None:
        return ""
    options = input_from_json(escalation.accept).options()
    return str(payload) if any(payload == value for _, value in options) else ""


def _check_answer(instance: FlowInstance, payload: Any) -> None:
    escalation = lookup.escalation_of(instance)
    if escalation is None:
        raise NotWaiting(instance.id, lookup.occupation(instance))
    try:
        operator_answer(escalation.accept, payload)
    except PayloadRefused:
        raise
    except ValueError as error:
        raise NotWaiting(instance.id, f"what it wants cannot be read ({error})") from error
