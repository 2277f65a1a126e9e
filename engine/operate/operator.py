"""The operator: starts, moves, resumes and ends conversations from outside of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

from engine.bot import Bot
from engine.clock import SystemClock
from engine.operate import lookup, views
from engine.operate.erasing import Erased, Eraser
from engine.operate.homes import Home, home_at
from engine.operate.receipts import Put, Receipt, into_inbox, row_of, until_done, update_of
from engine.payloads import as_json, operator_answer
from flows.conversation import ConversationKey
from flows.errors import BadAddress, NotWaiting, PayloadRefused, UnknownInstance, UnknownToken
from flows.flow import Flow
from flows.instance import FlowInstance, Status
from flows.ports import Clock, FlowStorage, Query
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

    Args:
        storage: an open storage.
        bot: its flows are those that can be started and moved.
        sources: channel and bot of the conversations that ``start`` begins, where it is not told.
        put: how rows get into the inbox; None: straight into the storage.
        erased: is told that somebody was erased.
    """

    def __init__(
        self,
        storage: FlowStorage,
        bot: Bot,
        *,
        sources: Sequence[str] = (),
        clock: Clock | None = None,
        put: Put | None = None,
        erased: Callable[[], None] | None = None,
    ) -> None:
        self._storage = storage
        self._registry = bot.registry
        self._sources = tuple(sources)
        self._clock = clock or SystemClock()
        self._put = put or into_inbox(storage)
        self._erased = erased

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
        _check_answer(found.instance, value)
        order = Order(order="resume", instance=found.instance.id, payload=value)
        return await self._order(order, found.home)

    async def goto(self, instance: str, step: str | Enum) -> Receipt:
        """Moves an instance to any step of its flow.

        Raises:
            UnknownInstance: no instance of that id runs.
            UnknownFlow: its flow is not registered any more.
            UnknownStep: its flow has no such step.
        """
        found = await lookup.find(self._storage, instance)
        name = step.name if isinstance(step, Enum) else step
        self._registry.get(found.instance.flow).step(name)
        order = Order(order="goto", instance=instance, step=name)
        return await self._order(order, found.home)

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
        eraser = Eraser(self._storage, self._clock, cancel=self.cancel_conversation)
        result = await eraser.erase(person, patience=patience)
        if self._erased is not None:
            self._erased()
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
        after: str | None = None,
        limit: int = 100,
    ) -> views.InstancePage:
        """A page of instances, the one that moved last first.

        Args:
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
            after=after,
            limit=limit,
        )
        return await views.page(self._storage, query)

    async def show(self, instance: str) -> views.InstanceView:
        """A close look at an instance, over or not.

        Raises:
            UnknownInstance: there is none of that id.
            CorruptState: its conversation cannot be read.
        """
        return await views.view(self._storage, instance)

    # --- how ----------------------------------------------------------------------------

    async def _event(self, ticket: str, payload: Any) -> Receipt:
        try:
            found = await lookup.find(self._storage, ticket.partition(".")[0])
        except UnknownInstance:
            raise UnknownToken(ticket) from None
        if not lookup.waits_with(found.instance, ticket):
            raise UnknownToken(ticket)
        if found.instance.status is Status.QUARANTINED:
            raise NotWaiting(found.instance.id, lookup.occupation(found.instance))
        order = Order(order="resume", instance=found.instance.id, token=ticket, payload=payload)
        return await self._order(order, found.home)

    async def _order(self, order: Order, home: Home) -> Receipt:
        """Puts an order into the inbox. It is the state that makes a ticket work once, and no
        memory of rows: an event whose turn fails may be handed in again.
        """
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
                "it is not known which bot is to start the flow. Say source=, channel and bot, "
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


def _check_answer(instance: FlowInstance, payload: Any) -> None:
    escalation = lookup.escalation_of(instance)
    if instance.status is Status.QUARANTINED or escalation is None:
        raise NotWaiting(instance.id, lookup.occupation(instance))
    try:
        operator_answer(escalation.accept, payload)
    except PayloadRefused:
        raise
    except ValueError as error:
        raise NotWaiting(instance.id, f"what it wants cannot be read ({error})") from error
