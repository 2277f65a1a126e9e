"""The App: a bot, and what it needs to run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from pydantic import BaseModel, ValidationError

from engine.bot import Bot
from engine.clock import SystemClock
from engine.composition import channel_of, storage_of
from engine.notices import Notices
from engine.operate import Erased, Operator, Receipt
from engine.retention import SHORTEST
from engine.settings import Settings
from engine.worker import Worker
from flows.conversation import ConversationKey
from flows.errors import DefinitionError, NotRunning
from flows.flow import Flow
from flows.models import DoesNotFit
from flows.ports import Channel, Clock, FlowStorage
from flows.registry import FlowRegistry
from flows.router import Router
from flows.summary import summary

HANDLER_TIMEOUT = 30.0
"""Seconds that the handlers of one turn may take, unless an App says otherwise."""


Lifespan = Callable[["App"], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class AtWork:
    """What an App has while it runs."""

    worker: Worker
    storage: FlowStorage
    source: str


class App:
    """Ties flows, handlers, dependencies and session together.

    Args:
        router: the handlers without a flow, with the flows' registry applied to it.
        registry: the flows, where it was not applied to the router yet.
        session: the model of the session; every field needs a default.
        deps: an object that every handler finds as ``turn.deps`` and ``ctx.deps``.
        texts: what the engine itself says to people.
        handler_timeout: seconds that the handlers of one turn may take.
        rerun_every_step: for tests: run each step again at every question, and fail it with
            NondeterministicStep if it comes to another one.
        lifespan: what has to stand while the App runs, such as a web server of your own: a
            function of the App that answers an async context manager.
        keep: how long ended conversations and handled updates are kept, 48 hours or more: until
            then an update that is delivered again is known.

    Raises:
        DefinitionError: a session field without a default, or a time that cannot be.
    """

    def __init__(
        self,
        router: Router,
        *,
        registry: FlowRegistry | None = None,
        session: type[BaseModel] | None = None,
        deps: Any = None,
        texts: Notices | None = None,
        handler_timeout: float = HANDLER_TIMEOUT,
        keep: timedelta = SHORTEST,
        rerun_every_step: bool = False,
        clock: Clock | None = None,
        lifespan: Lifespan | None = None,
    ) -> None:
        if registry is not None and router.registry is not registry:
            registry.apply_to_router(router)
        if handler_timeout <= 0:
            raise DefinitionError(f"handler_timeout must be above 0, not {handler_timeout}")
        if keep < SHORTEST:
            raise DefinitionError(f"keep must be {SHORTEST} or more, not {keep}")
        _check_session(session)
        self._bot = Bot(
            router=router,
            session=session,
            deps=deps,
            texts=texts or Notices(),
            rerun_every_step=rerun_every_step,
        )
        self._timeout = handler_timeout
        self._keep = keep
        self._lifespan = lifespan
        self._clock = clock or SystemClock()
        self._at_work: AtWork | None = None

    @property
    def name(self) -> str:
        """The name of the router."""
        return self._bot.router.name

    @property
    def router(self) -> Router:
        """The handlers without a flow."""
        return self._bot.router

    @property
    def registry(self) -> FlowRegistry:
        """The flows."""
        return self._bot.registry

    @property
    def clock(self) -> Clock:
        """What it takes the time from, unless ``run`` is given another one."""
        return self._clock

    def check(self) -> list[str]:
        """A line about each flow; that they can be listed means that they passed every check."""
        return [summary(flow) for flow in self.registry.flows.values()]

    async def run(
        self,
        *,
        channel: Channel | None = None,
        storage: FlowStorage | None = None,
        stop: asyncio.Event | None = None,
        at_once: asyncio.Event | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Runs until ``stop`` is set or the channel's input has ended; then finishes the turns
        and sends in flight and gives everything back.

        Args:
            channel: where people are; None: Telegram where HANDRAIL_TELEGRAM_TOKEN is set, else
                the console.
            storage: where conversations are kept; None: what HANDRAIL_DATABASE_URL names.
            at_once: where this is set before ``stop``, what is in flight is given up at once; it
                is done again after the next start.
            clock: in place of the App's own.

        Raises:
            AlreadyOwned: another process works on this storage.
            SchemaMismatch: the storage's schema is not ours.
            StorageDown: the storage cannot be reached at the start.
            ChannelStopped: the channel cannot go on.
            Exception: what the lifespan raises, as it is.
        """
        if channel is None:
            channel = channel_of(Settings.from_environment())
        if storage is None:
            storage = storage_of(Settings.from_environment().database_url)
        try:
            await storage.open()
            worker = Worker(
                self._bot,
                storage=storage,
                channel=channel,
                clock=clock or self._clock,
                handler_timeout=self._timeout,
                keep=self._keep,
            )
            self._at_work = AtWork(worker, storage, channel.source)
            async with self._lifespan(self) if self._lifespan is not None else nullcontext():
                await worker.run(stop or asyncio.Event(), at_once)
        finally:
            self._at_work = None
            await channel.close()
            await storage.close()

    # --- from outside -------------------------------------------------------------------

    @asynccontextmanager
    async def operator(
        self, storage: FlowStorage | None = None, *, sources: Sequence[str] = ()
    ) -> AsyncIterator[Operator]:
        """An Operator for scripts, and beside a bot that runs in another process.

        Args:
            storage: a handle of its own on the bot's storage, which is opened and closed here;
                None: what HANDRAIL_DATABASE_URL names.
            sources: the bot that ``start`` is for, where it is not told.

        Raises:
            SchemaMismatch: the storage's schema is not ours.
            StorageDown: the storage cannot be reached.
        """
        if storage is None:
            storage = storage_of(Settings.from_environment().database_url)
        try:
            await storage.open()
            yield Operator(storage, self._bot, sources=sources, clock=self._clock)
        finally:
            await storage.close()

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
        """Starts a flow for a person, while the App runs; see ``Operator.start``."""
        return await self.running.start(
            flow, user=user, chat=chat, topic=topic, source=source, data=data
        )

    async def resume(self, ticket: str, payload: Any = None) -> Receipt:
        """Hands in an outside event by its ticket, while the App runs; see ``Operator.resume``."""
        return await self.running.resume(ticket, payload)

    async def decide(self, instance: str, payload: Any = None) -> Receipt:
        """Hands in an operator's answer to an escalated instance, while the App runs; see
        ``Operator.decide``.
        """
        return await self.running.decide(instance, payload)

    async def goto(self, instance: str, step: str | Enum) -> Receipt:
        """Moves an instance to a step, while the App runs; see ``Operator.goto``."""
        return await self.running.goto(instance, step)

    async def cancel(self, instance: str, reason: str = "cancelled") -> Receipt:
        """Ends an instance, while the App runs; see ``Operator.cancel``."""
        return await self.running.cancel(instance, reason)

    async def cancel_conversation(
        self, key: str | ConversationKey, reason: str = "cancelled"
    ) -> Receipt:
        """Ends all of a conversation, while the App runs; see ``Operator.cancel_conversation``."""
        return await self.running.cancel_conversation(key, reason)

    async def erase(self, person: str) -> Erased:
        """Removes a person everywhere, while the App runs; see ``Operator.erase``."""
        return await self.running.erase(person)

    @property
    def running(self) -> Operator:
        """The Operator of this App while it runs: its orders are carried out at once.

        Raises:
            NotRunning: it does not run in this process.
        """
        at_work = self._at_work
        inbox = at_work.worker.inbox if at_work is not None else None
        if at_work is None or inbox is None:
            raise NotRunning(self.name)
        return Operator(
            at_work.storage,
            self._bot,
            sources=(at_work.source,),
            clock=self._clock,
            put=inbox.put,
            erased=inbox.forget,
        )


def _check_session(session: type[BaseModel] | None) -> None:
    if session is None:
        return
    try:
        session()
    except ValidationError as error:
        field = DoesNotFit.of(error).field
        raise DefinitionError(
            f"the session model {session.__name__} needs a default for its field {field!r}: "
            "everybody starts with an empty session"
        ) from None
