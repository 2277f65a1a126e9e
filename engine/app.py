"""The App: a bot, and what it needs to run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from engine.bot import Bot
from engine.clock import SystemClock
from engine.composition import channel_of, storage_of
from engine.frame.dependencies import check_dependencies, opened
from engine.frame.memory_sessions import MemorySessions
from engine.frame.role_book import RoleBook
from engine.operate import Broadcasts, DeadLetterPage, Erased, Operator, Receipt
from engine.privacy.secrecy import refuse_to_expose
from engine.routes.claims import Claims
from engine.settings import Settings
from engine.state.sizes import LEAST, MAX_STATE
from engine.telemetry.census import MOST, Census, take_census
from engine.telemetry.observer import Observer
from engine.telemetry.observing import observing_of
from engine.telemetry.standing import Standing
from engine.turns.notices import Notices
from engine.workers.retention import SHORTEST
from engine.workers.worker import DRAIN, Worker
from flows.conversation import ConversationKey
from flows.definition.checks import call_refusal
from flows.definition.summary import summary
from flows.errors import DefinitionError, NotRunning
from flows.flow import Flow
from flows.fsm import Fsm
from flows.keys import USER_IN_CHAT
from flows.messages.bot import Api
from flows.messages.bot import Bot as ServiceBot
from flows.messages.broadcasts import RATE
from flows.messages.replies import Reply
from flows.messages.texts import Format
from flows.ports import Channel, Clock, FlowStorage, KeepsRecords
from flows.routing.guards import check_guards
from flows.routing.pre_handlers import PreHandler
from flows.routing.registry import FlowRegistry
from flows.routing.roles import Guarded, Roles
from flows.routing.router import Router
from flows.sessions import Sessions, SessionStorage

if TYPE_CHECKING:  # Babel is loaded where there are languages, and nowhere else
    from engine.languages import Languages

HANDLER_TIMEOUT = 30.0
"""Seconds that the handlers of one turn may take, unless an App says otherwise."""


Lifespan = Callable[["App"], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class AtWork:
    """What an App has while it runs."""

    bot: Bot
    worker: Worker
    storage: FlowStorage
    channel: Channel


class App:
    """Ties flows, handlers, dependencies and session together.

    Args:
        router: the handlers without a flow, with the flows' registry applied to it.
        registry: the flows, where it was not applied to the router yet.
        session: the model of the session; every field needs a default. Or ``Sessions``, which say
            more: whose they are, where they are kept.
        deps: an object that every handler finds as ``turn.deps`` and ``ctx.deps``. A function that
            ``contextlib.asynccontextmanager`` has made is called at the start; what it yields is
            given to the handlers, and it is taken down after the last turn and the last message.
        roles: the roles of people.
        pre_handlers: look at every update before those of the router.
        texts: what the engine itself says to people.
        languages: those that people are spoken to in; None: one, the words that stand in the code.
        handler_timeout: seconds that the handlers of one turn may take.
        rerun_every_step: for tests: run each step again at every question, and fail it with
            NondeterministicStep if it comes to another one.
        lifespan: what has to stand while the App runs, such as a web server of your own: a
            function of the App that answers an async context manager.
        typing: whether people see that the bot is typing where handlers take longer than a second
            or two, on channels that can show it.
        max_state: bytes of JSON that one conversation may keep, session and flows together; a
            turn that would keep more fails with StateTooLarge. A storage may set less.
        fsm: what the states of plain handlers are like, see ``ctx.fsm``; None: a dict for each
            person in each chat.
        keep: how long ended conversations and handled updates are kept, 48 hours or more: until
            then an update that is delivered again is known.
        observers: are told what it does, to measure or trace it; see ``engine.telemetry``.

    Raises:
        DefinitionError: a session field without a default, or a time or size that cannot be.
    """

    def __init__(
        self,
        router: Router,
        *,
        registry: FlowRegistry | None = None,
        session: type[BaseModel] | Sessions[Any] | None = None,
        deps: Any = None,
        roles: Roles | None = None,
        pre_handlers: Sequence[PreHandler] = (),
        texts: Notices | None = None,
        languages: Languages | None = None,
        handler_timeout: float = HANDLER_TIMEOUT,
        max_state: int = MAX_STATE,
        keep: timedelta = SHORTEST,
        rerun_every_step: bool = False,
        clock: Clock | None = None,
        lifespan: Lifespan | None = None,
        fsm: Fsm | None = None,
        typing: bool = True,
        observers: Sequence[Observer] = (),
    ) -> None:
        if registry is not None and router.registry is not registry:
            registry.apply_to_router(router)
        if handler_timeout <= 0:
            raise DefinitionError(f"handler_timeout must be above 0, not {handler_timeout}")
        if max_state < LEAST:
            raise DefinitionError(f"max_state must be {LEAST} bytes or more, not {max_state}")
        if keep < SHORTEST:
            raise DefinitionError(f"keep must be {SHORTEST} or more, not {keep}")
        if session is not None and not isinstance(session, Sessions):
            session = Sessions(session)
        check_dependencies(deps)
        for pre_handler in pre_handlers:
            if (refusal := call_refusal(pre_handler, "ctx")) is not None:
                raise DefinitionError(f"router {router.name!r}: its pre-handler {refusal}")
        check_guards((*pre_handlers, *router.pre_handlers))
        self._bot = Bot(
            router=router,
            session=session.model if session is not None else None,
            sessions=None if session is None or session.is_plain else session,
            roles=RoleBook(roles) if roles is not None else None,
            deps=deps,
            texts=texts or Notices(),
            languages=languages,
            rerun_every_step=rerun_every_step,
            fsm=fsm or Fsm(),
            typing=typing,
            first=tuple(pre_handlers),
        )
        if self._bot.fsm.key != USER_IN_CHAT:
            self.registry.take_key(self._bot.fsm.key)
        if languages is not None and languages.key != USER_IN_CHAT:
            self.registry.take_key(languages.key)
        self._deps = deps
        _check_frame(self._bot)
        self._timeout = handler_timeout
        self._max_state = max_state
        self._keep = keep
        self._lifespan = lifespan
        self._clock = clock or SystemClock()
        self._observers = tuple(observers)
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
    def languages(self) -> Languages | None:
        """Those that people are spoken to in; None: one, the words that stand in the code."""
        return self._bot.languages

    @property
    def username(self) -> str | None:
        """The bot's own name on its channel, as links have it; None: it is not known, because the
        App does not run, or the channel has no names.
        """
        channel = self._at_work.channel if self._at_work is not None else None
        return getattr(channel, "username", None)  # Telegram's has one

    @property
    def flows(self) -> Mapping[str, Flow[Any, Any, Any]]:
        """All flows that may run: those of the registry, and what plain handlers are that ask."""
        self._bot.adopt_handlers()
        return self._bot.flows

    @property
    def clock(self) -> Clock:
        """What it takes the time from, unless ``run`` is given another one."""
        return self._clock

    def check(self) -> list[str]:
        """A line about each flow; that they can be listed means that they passed every check.

        Raises:
            DefinitionError: two plain handlers that ask would be stored under one name.
        """
        self._bot.adopt_handlers()
        return [summary(flow) for flow in self.registry.flows.values()]

    async def run(
        self,
        *,
        channel: Channel | None = None,
        storage: FlowStorage | None = None,
        stop: asyncio.Event | None = None,
        at_once: asyncio.Event | None = None,
        clock: Clock | None = None,
        deps: Any = None,
    ) -> None:
        """Runs until ``stop`` is set or the channel's input has ended; then finishes the turns
        and sends in flight and gives everything back.

        This is one worker. Where storage and channel can be shared, other processes that run
        the same App on them each take an equal share of the chats, which goes to the others
        when this one ends; one of them receives for all.

        Args:
            channel: where people are; None: Telegram where HANDRAIL_TELEGRAM_TOKEN is set, else
                the console.
            storage: where conversations are kept; None: what HANDRAIL_DATABASE_URL names.
            at_once: where this is set before ``stop``, what is in flight is given up at once; it
                is done again after the next start.
            clock: in place of the App's own.
            deps: in place of the App's own, for tests: an object, or what makes one.

        Raises:
            AlreadyOwned: another process works on this storage, and it or the channel cannot be
                shared.
            SchemaMismatch: the storage's schema is not ours.
            DefinitionError: two plain handlers that ask would be stored under one name.
            SecretKeyMissing: HANDRAIL_SECRET_KEY does not hold what the storage is encrypted
                with, or is not set and there are ``Sensitive`` fields.
            StorageDown: the storage cannot be reached at the start.
            ChannelStopped: the channel cannot go on.
            Exception: what the dependencies and the lifespan raise, as it is.
        """
        if channel is None:
            channel = channel_of(Settings.from_environment())
        if storage is None:
            storage = _storage()
        try:
            self._bot.adopt_handlers()
            _check_frame(self._bot)
            limits = await storage.open()
            refuse_to_expose(self._bot, limits)
            if isinstance(channel, KeepsRecords):
                channel.keep_in(storage)
            async with opened(self._deps if deps is None else deps) as made:
                bot = replace(
                    self._bot,
                    deps=made,
                    session_storage=_session_storage(self._bot),
                    observing=observing_of(self._observers, (clock or self._clock).now),
                )
                bot.adopt_handlers()
                worker = Worker(
                    bot,
                    storage=storage,
                    shared=limits.shared,
                    channel=channel,
                    clock=clock or self._clock,
                    handler_timeout=self._timeout,
                    max_state=min(self._max_state, limits.state_bytes),
                    keep=self._keep,
                )
                api: Api | None = getattr(channel, "api", None)
                bot.bots[channel.source] = ServiceBot(channel.source, api)
                self._at_work = AtWork(bot, worker, storage, channel)
                async with self._lifespan(self) if self._lifespan is not None else nullcontext():
                    await worker.run(stop or asyncio.Event(), at_once)
        finally:
            self._at_work = None
            await channel.close()
            await storage.close()

    @property
    def bot(self) -> ServiceBot:
        """The bot at its service while the App runs, for calls from outside of handlers.

        Raises:
            NotRunning: it does not run in this process.
        """
        if self._at_work is None:
            raise NotRunning(self.name)
        return self._at_work.bot.bots[self._at_work.channel.source]

    async def drain(self, timeout: float = DRAIN) -> int:
        """Lets what is in flight end, before the App is stopped. It takes nothing in any more,
        which services hand in again later (a webhook answers 503), and begins no turn; what it
        has taken in and not begun is done after the next start, or by other workers.

        Stopping it does the same first; this is for who wants to know how it went.

        Args:
            timeout: seconds that turns in flight get, and after them sends in flight.

        Returns:
            How many turns were in flight when it began, all of which are committed now, and the
            sends in flight recorded; -1 where not all of that was done in time: what was not is
            given up, and done again after the next start.

        Raises:
            NotRunning: it does not run in this process.
        """
        if self._at_work is None or self._at_work.worker.inbox is None:
            raise NotRunning(self.name)
        return await self._at_work.worker.drain(timeout)

    @property
    def is_draining(self) -> bool:
        """Whether it runs and takes nothing in any more: it is drained, or stops."""
        return self._at_work is not None and self._at_work.worker.is_draining

    @property
    def standing(self) -> Standing:
        """How it stands in this process, for health checks and metrics."""
        if self._at_work is None:
            return Standing()
        return self._at_work.worker.standing

    async def reach_storage(self) -> None:
        """Asks the storage for something small, for health checks.

        Raises:
            NotRunning: it does not run in this process.
            StorageDown: it does not answer.
            OutcomeUnknown: the answer was lost.
        """
        await self._running_storage().load(["(health)"])

    async def census(self, limit: int = MOST) -> Census:
        """Counts what is in the storage, for metrics; see ``take_census``.

        Args:
            limit: rows of each kind that are counted at the most.

        Raises:
            NotRunning: it does not run in this process.
            StorageDown: the storage does not answer.
        """
        return await take_census(self._running_storage(), now=self._clock.now(), limit=limit)

    @property
    def observers(self) -> Sequence[Observer]:
        """Who is told what it does."""
        return self._observers

    def observe(self, *observers: Observer) -> None:
        """Adds observers, which are told from the next start on."""
        self._observers += observers

    def _running_storage(self) -> FlowStorage:
        if self._at_work is None:
            raise NotRunning(self.name)
        return self._at_work.storage

    # --- from outside -------------------------------------------------------------------

    @asynccontextmanager
    async def operator(
        self,
        storage: FlowStorage | None = None,
        *,
        sources: Sequence[str] = (),
        who: str | None = None,
    ) -> AsyncIterator[Operator]:
        """An Operator for scripts, and beside a bot that runs in another process.

        Args:
            storage: a handle of its own on the bot's storage, which is opened and closed here;
                None: what HANDRAIL_DATABASE_URL names.
            sources: the bot that ``start`` is for, where it is not told.
            who: under whose name what is done is kept in the audit; None: nothing is.

        Raises:
            SchemaMismatch: the storage's schema is not ours.
            SecretKeyMissing: as in ``run``.
            StorageDown: the storage cannot be reached.
        """
        if storage is None:
            storage = _storage()
        try:
            self._bot.adopt_handlers()
            refuse_to_expose(self._bot, await storage.open())
            yield Operator(storage, self._bot, sources=sources, clock=self._clock, who=who)
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

    async def repeat(self, instance: str) -> Receipt:
        """Has an instance ask again, while the App runs; see ``Operator.repeat``."""
        return await self.running.repeat(instance)

    async def cancel(self, instance: str, reason: str = "cancelled") -> Receipt:
        """Ends an instance, while the App runs; see ``Operator.cancel``."""
        return await self.running.cancel(instance, reason)

    async def cancel_conversation(
        self, key: str | ConversationKey, reason: str = "cancelled"
    ) -> Receipt:
        """Ends all of a conversation, while the App runs; see ``Operator.cancel_conversation``."""
        return await self.running.cancel_conversation(key, reason)

    async def dead_letters(
        self, *, conversation: str | ConversationKey | None = None, after: str | None = None
    ) -> DeadLetterPage:
        """Lists what was given up, while the App runs; see ``Operator.dead_letters``."""
        return await self.running.dead_letters(conversation=conversation, after=after)

    async def replay(self, letter: int) -> None:
        """Puts a dead letter back, while the App runs; see ``Operator.replay``."""
        await self.running.replay(letter)

    async def erase(self, person: str) -> Erased:
        """Removes a person everywhere, while the App runs; see ``Operator.erase``."""
        return await self.running.erase(person)

    async def broadcast(
        self,
        message: str | Reply,
        *,
        to: Iterable[str | int] | None = None,
        format: Format = "plain",
        rate: int = RATE,
        report_to: str | int | None = None,
    ) -> str:
        """Sends a message to many people, or to everybody, while the App runs, and answers the id
        of the broadcast; see ``Broadcasts.send``.
        """
        return await self.broadcasts.send(
            message, to=to, format=format, rate=rate, report_to=report_to
        )

    @property
    def broadcasts(self) -> Broadcasts:
        """The broadcasts of this App while it runs: to look at, pause, resume and cancel.

        Raises:
            NotRunning: it does not run in this process.
        """
        return self.running.broadcasts

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
            at_work.bot,
            sources=(at_work.channel.source,),
            clock=self._clock,
            put=inbox.put,
            put_all=inbox.put_all,
            erased=inbox.forget,
        )

    @property
    def claims(self) -> Claims:
        """What tells, before an update is handed in, whether anything here wants it: for what
        receives for others besides this App, such as ``engine.adapters``.

        Raises:
            NotRunning: it does not run in this process.
        """
        at_work = self._at_work
        claims = at_work.worker.claims if at_work is not None else None
        if claims is None:
            raise NotRunning(self.name)
        return claims


def _storage() -> FlowStorage:
    settings = Settings.from_environment()
    return storage_of(settings.database_url, settings.secret_key)


def _check_frame(bot: Bot) -> None:
    """Looks at what may have been registered since it was looked at last."""
    if bot.sessions is not None:
        bot.registry.take_key(bot.sessions.key)
    if bot.roles is not None:
        return
    guarded = [one.handler for one in bot.router.routes if isinstance(one.handler, Guarded)]
    needed = [*bot.registry.requirements, *(one.requirement for one in guarded)]
    if needed:
        raise DefinitionError(
            f"{needed[0]} is for nobody: the App knows no roles. Give it App(roles=Roles(...))."
        )


def _session_storage(bot: Bot) -> SessionStorage | None:
    """What keeps sessions, where it is not the storage of the conversations."""
    if bot.sessions is None:
        return None
    return bot.sessions.storage if bot.sessions.persist else MemorySessions()
