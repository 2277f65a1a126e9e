"""What every turn of a bot shares: its flows and handlers, and what they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from engine.frame.memory_sessions import MemorySessions
from engine.frame.role_book import RoleBook
from engine.plain.flow import PlainCall, PlainStep
from engine.routes.known_flows import KnownFlows
from engine.turns.notices import Notices
from flows.flow import Flow
from flows.fsm import Fsm
from flows.menus import MenuCommand
from flows.messages.bot import Bot as ServiceBot
from flows.routing.pre_handlers import PreHandler
from flows.routing.registry import AnyFlow, FlowRegistry
from flows.routing.router import Router
from flows.routing.routes import PlainHandler
from flows.sensitive import sensitive_fields
from flows.sessions import Sessions, SessionStorage

if TYPE_CHECKING:  # Babel is loaded where there are languages, and nowhere else
    from engine.languages import Languages
    from engine.telemetry.observing import Observing


@dataclass(frozen=True, kw_only=True)
class Bot:
    """A bot without its channel and its storage.

    Attributes:
        session: the model of the session; None: there is none.
        sessions: what else is to be known of it.
        session_storage: where it is kept, if not with the conversations.
        roles: who may do what; None: nobody has a role.
        deps: the dependencies object, handed to every handler and never stored.
        texts: what the engine itself says.
        fsm: what the states of plain handlers are like.
        rerun_every_step: for tests: run each step again at every question and compare.
        first: pre-handlers that come before the router's.
        typing: people see that the bot is at work where a handler takes longer than a second.
        bots: at their services, those that run in this process, by their sources.
        languages: what people are spoken to in; None: in the words that stand in the code.
        observing: who is told what it does; None: nobody.
    """

    router: Router
    session: type[BaseModel] | None = None
    sessions: Sessions[Any] | None = None
    session_storage: SessionStorage | None = None
    roles: RoleBook | None = None
    deps: Any = None
    texts: Notices = field(default_factory=Notices)
    rerun_every_step: bool = False
    fsm: Fsm = field(default_factory=Fsm)
    first: Sequence[PreHandler] = ()
    typing: bool = True
    bots: dict[str, ServiceBot] = field(default_factory=dict)
    languages: Languages | None = None
    observing: Observing | None = None

    @property
    def pre_handlers(self) -> Sequence[PreHandler]:
        """All that look at an update before anything else does, in their order."""
        if not self.first:
            return self.router.pre_handlers
        return (*self.first, *self.router.pre_handlers)

    @cached_property
    def is_confided_in(self) -> bool:
        """Whether anything in it has ``Sensitive`` fields."""
        models = [flow.data for flow in self.registry.flows.values()]
        models += [model for model in (self.session, self.fsm.data) if model is not None]
        return any(sensitive_fields(model) for model in models)

    @property
    def registry(self) -> FlowRegistry:
        """The flows."""
        return self.router.registry

    def menu(self) -> list[MenuCommand]:
        """Every command, as menus have it, in every language."""
        menu = self.router.menu()
        if self.languages is None:
            return menu
        from engine.languages.menus import in_all_languages  # as above

        return in_all_languages(menu, self.languages)

    @cached_property
    def _known(self) -> KnownFlows:
        return KnownFlows(self.router)

    @property
    def flows(self) -> Mapping[str, AnyFlow]:
        """All flows that may run: the registered ones, and what plain handlers are that ask."""
        return self._known.flows

    @property
    def catching(self) -> Mapping[str, Sequence[Router]]:
        """The included routers of plain handlers that catch what fails, by the name of the flow."""
        return self._known.catching

    def forget_person(self, person: str) -> None:
        """Somebody was erased: what is remembered of them in this process is dropped."""
        if self.roles is not None:
            self.roles.forget_person(person)
        if isinstance(self.session_storage, MemorySessions):
            self.session_storage.forget_person(person)

    def adopt_handlers(self) -> None:
        """Makes the flows of the plain handlers that there are now.

        Raises:
            DefinitionError: two that ask, or one and a flow, would be stored under one name.
        """
        self._known.adopt_handlers()

    def flow_of(self, handler: PlainHandler) -> Flow[PlainStep, PlainCall]:
        """The flow that a plain handler is when it asks.

        Raises:
            DefinitionError: another handler has the same name.
        """
        return self._known.flow_of(handler)

    def commands(self) -> list[tuple[str, str]]:
        """(name, description) of every command, in the order in which help lists them."""
        return self.router.commands()

    def kinds(self) -> frozenset[str]:
        """The kinds of update that its handlers and triggers may take."""
        return self.router.kinds()
