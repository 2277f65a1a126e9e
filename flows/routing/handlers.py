"""The decorators of a router: what calls a handler."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import isfunction
from typing import ParamSpec, TypeVar

from flows.definition.naming import shown
from flows.errors import DefinitionError
from flows.filters import Condition, Filter
from flows.filters import state as in_state
from flows.menus import MenuScope
from flows.routing.deep_links import DeepLink, OnDeepLink
from flows.routing.hears import OnHears
from flows.routing.kind_triggers import (
    OnAnswer,
    OnAny,
    OnAudio,
    OnDocument,
    OnMessage,
    OnPhoto,
    OnVideo,
    OnVoice,
)
from flows.routing.registry import NO_LANGUAGES
from flows.routing.routes import PlainHandler
from flows.routing.triggers import OnCallback, OnCommand, OnKind, OnText, Trigger

H = TypeVar("H", bound=PlainHandler)
P = ParamSpec("P")
R = TypeVar("R")


def _with_parentheses(decorator: Callable[P, R]) -> Callable[P, R]:
    """Refuses a decorator that stands above its handler without parentheses."""

    @wraps(decorator)
    def made(*args: P.args, **kwargs: P.kwargs) -> R:
        router, *given = args
        if given and isfunction(given[0]):
            name = f"@{getattr(router, 'name', 'router')}.{decorator.__name__}"
            raise DefinitionError(
                f"{name} stands above {shown(given[0])} without parentheses. Write {name}(...)."
            )
        return decorator(*args, **kwargs)

    return made


class Handlers(ABC):
    """What a router calls its handlers for. Each decorator answers the handler as it is."""

    name: str

    @abstractmethod
    def _register(
        self, triggers: Sequence[Trigger], where: Condition | None, *, state: Filter | None = None
    ) -> Callable[[H], H]:
        """Calls the decorated handler for what one of the triggers matches."""

    @_with_parentheses
    def on(self, trigger: Trigger, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for what ``trigger`` matches.

        Args:
            where: what the update has to be, too: one of ``flows.filters``, or a function of the
                update. All decorators take it.

        Raises:
            DefinitionError: it is no trigger or no filter, its command is taken, or the handler is
                no async function of a context.
        """
        return self._register((trigger,), where)

    def all(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for every update of any kind."""
        return self.on(OnAny(), where=where)

    @_with_parentheses
    def command(
        self,
        name: str | Sequence[str],
        description: str = "",
        *,
        languages: Mapping[str, str] = NO_LANGUAGES,
        scope: MenuScope | Sequence[MenuScope] = "everybody",
        where: Condition | None = None,
    ) -> Callable[[H], H]:
        """Calls the decorated handler for ``/name``; ``ctx.payload`` is what stands behind it.

        Args:
            name: of one command, or of several that do the same.
            languages: the description in other languages; see ``OnCommand``.
            scope: in which chats a menu shows it; see ``OnCommand``.

        Raises:
            DefinitionError: no command name, or one that is taken.
        """
        names = (name,) if isinstance(name, str) else tuple(name)
        if not names:
            raise DefinitionError(f"router {self.name!r}: command() needs a name")
        triggers = (OnCommand(one, description, languages=languages, scope=scope) for one in names)
        return self._register(tuple(triggers), where)

    @_with_parentheses
    def deep_link(self, link: DeepLink, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for ``/start`` with a payload of the link; ``ctx.payload``
        is its value.
        """
        return self.on(OnDeepLink(link), where=where)

    @_with_parentheses
    def text(self, pattern: str = "", *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for texts in which ``pattern`` (RE2) is found; ``ctx.match``
        is what was found.
        """
        return self.on(OnText(pattern), where=where)

    @_with_parentheses
    def hears(
        self, *texts: str, pattern: str | Sequence[str] = (), where: Condition | None = None
    ) -> Callable[[H], H]:
        """Calls the decorated handler for one of these texts, exactly, or one in which one of the
        patterns (RE2) is found; ``ctx.match`` is what was found.
        """
        return self.on(OnHears(*texts, pattern=pattern), where=where)

    @_with_parentheses
    def callback(
        self, pattern: str = "", *, regex: str = "", where: Condition | None = None
    ) -> Callable[[H], H]:
        """Calls the decorated handler for presses of buttons whose data matches ``pattern``, in
        which ``*`` stands for anything, or in whose data ``regex`` (RE2) is found.
        """
        return self.on(OnCallback(pattern, regex=regex), where=where)

    @_with_parentheses
    def kind(self, kind: str, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for one kind of ``Update.kinds``, such as ``"contact"``."""
        return self.on(OnKind(kind), where=where)

    def message(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for any message: a text, a command, a photo, a place ..."""
        return self.on(OnMessage(), where=where)

    def photos(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for photos and albums; ``ctx.payload`` is the caption."""
        return self.on(OnPhoto(), where=where)

    def voice(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for voice messages."""
        return self.on(OnVoice(), where=where)

    def audio(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for music and other sounds."""
        return self.on(OnAudio(), where=where)

    def video(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for videos."""
        return self.on(OnVideo(), where=where)

    def document(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for files."""
        return self.on(OnDocument(), where=where)

    def web_app_data(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for what a web app has sent."""
        return self.kind("web_app", where=where)

    def edited(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for messages that were edited."""
        return self.kind("edited_message", where=where)

    def channel_post(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for posts in a channel."""
        return self.kind("channel_post", where=where)

    def inline_query(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for what people type behind the bot's name."""
        return self.kind("inline_query", where=where)

    def chat_member(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler where somebody comes to a chat, leaves it, or changes in it;
        what becomes of the bot itself is of kind ``"my_chat_member"``.
        """
        return self.kind("chat_member", where=where)

    def join_request(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler where somebody asks to join a chat."""
        return self.kind("chat_join_request", where=where)

    def reaction(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler where somebody reacts to a message."""
        return self.kind("message_reaction", where=where)

    def poll_answer(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler where somebody votes in a poll."""
        return self.kind("poll_answer", where=where)

    def pre_checkout(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler where somebody is about to pay."""
        return self.kind("pre_checkout_query", where=where)

    def payment(self, *, where: Condition | None = None) -> Callable[[H], H]:
        """Calls the decorated handler for payments that were made."""
        return self.kind("payment", where=where)

    @_with_parentheses
    def state(
        self, *names: str, on: Trigger | None = None, where: Condition | None = None
    ) -> Callable[[H], H]:
        """Calls the decorated handler where the person is in one of these states (see
        ``Context.fsm``). It goes before the triggers of flows and before all other handlers.

        Args:
            on: what calls it; None: any message but a command.

        Raises:
            DefinitionError: there is no name, or as for ``on``.
        """
        if not names:
            raise DefinitionError(f"router {self.name!r}: state() needs the name of a state")
        return self._register((on or OnAnswer(),), where, state=in_state(*names))
