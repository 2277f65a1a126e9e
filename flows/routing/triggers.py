"""What starts a flow, or calls a handler: a command, a button's data, a pattern, a kind."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from flows.errors import DefinitionError
from flows.menus import MenuCommand, MenuScope, languages_of_menu, scopes_of_menu
from flows.messages.replies import BUTTON_PREFIX, MAX_BUTTON_DATA
from flows.routing.patterns import BoundedMatch, BoundedPattern, compile_pattern
from flows.updates import Command, Content, Press, TextMessage, Update

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


class Trigger(Protocol):
    """Looks at what came in."""

    def match(self, content: Content) -> str | None:
        """The payload for the flow or handler, possibly empty; None when it does not match."""
        ...


@dataclass(frozen=True, slots=True)
class OnCommand:
    """``/name``; the payload is what stands behind it, such as a deep link's.

    Args:
        name: 1 to 32 of ``a-z``, ``0-9`` and ``_``; a leading slash is dropped.
        description: a few words for the list of commands.
        languages: the description in other languages, by two-letter code.
        scope: in which chats a menu shows it: ``"everybody"``, ``"private"``, ``"groups"``,
            ``"admins"``, the id of a chat, or several of these; ``()``: none does.

    Raises:
        DefinitionError: the name, a language or a scope is none.
    """

    name: str
    description: str = ""
    languages: Mapping[str, str] | Sequence[tuple[str, str]] = field(default=(), kw_only=True)
    scope: MenuScope | Sequence[MenuScope] = field(default="everybody", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", command_name(self.name))
        # as tuples, so that a trigger can be hashed and compared
        object.__setattr__(self, "languages", languages_of_menu(self.languages))
        object.__setattr__(self, "scope", scopes_of_menu(self.scope))

    def in_menu(self, description: str = "") -> MenuCommand:
        """The command as menus have it; ``description`` stands in where it has none."""
        said = self.description or description
        languages, scopes = languages_of_menu(self.languages), scopes_of_menu(self.scope)
        return MenuCommand(self.name, said, languages, scopes)

    def match(self, content: Content) -> str | None:
        """The arguments of the command."""
        if isinstance(content, Command) and content.name == self.name:
            return content.args
        return None


@dataclass(frozen=True, slots=True)
class OnCallback:
    """A pressed button whose data matches ``pattern``, in which ``*`` stands for anything; the
    payload is the data. The engine's own buttons never match.

    Args:
        regex: in place of ``pattern``: what is found in the data (RE2).

    Raises:
        UnboundedPattern: RE2 refuses ``regex``.
    """

    pattern: str = ""
    regex: str = field(default="", kw_only=True)
    _compiled: BoundedPattern | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", compile_pattern(self.regex) if self.regex else None)
        if bool(self.pattern) == bool(self.regex):
            raise DefinitionError(
                "OnCallback needs a pattern, such as 'signup:*', or a regex=, and not both"
            )
        if self.pattern.startswith(BUTTON_PREFIX):
            raise DefinitionError(
                f"OnCallback({self.pattern!r}): data that starts with {BUTTON_PREFIX!r} belongs to "
                "the engine's own buttons"
            )
        if len(self.pattern.encode()) > MAX_BUTTON_DATA:
            raise DefinitionError(
                f"OnCallback({self.pattern!r}): a button's data has at most {MAX_BUTTON_DATA} "
                "bytes, so this can never match"
            )

    def match(self, content: Content) -> str | None:
        """The data of the button."""
        if not isinstance(content, Press) or content.data.startswith(BUTTON_PREFIX):
            return None
        if self._compiled is None:
            return content.data if fnmatchcase(content.data, self.pattern) else None
        return content.data if self._compiled.search(content.data) is not None else None

    def found(self, content: Content) -> BoundedMatch | None:
        """What ``regex`` has found."""
        if self._compiled is None or not isinstance(content, Press):
            return None
        return self._compiled.search(content.data)


@dataclass(frozen=True, slots=True)
class OnText:
    """A text in which ``pattern`` (RE2 syntax) is found; the payload is the text.

    Raises:
        UnboundedPattern: RE2 refuses the pattern.
    """

    pattern: str
    _compiled: BoundedPattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", compile_pattern(self.pattern))

    def match(self, content: Content) -> str | None:
        """The text."""
        if isinstance(content, TextMessage) and self._compiled.search(content.text):
            return content.text
        return None

    def found(self, content: Content) -> BoundedMatch | None:
        """What the pattern has found."""
        return self._compiled.search(content.text) if isinstance(content, TextMessage) else None


@dataclass(frozen=True, slots=True)
class OnKind:
    """Anything of one kind of ``Update.kinds``, such as ``"photo"``.

    Raises:
        DefinitionError: there is no such kind.
    """

    kind: str

    def __post_init__(self) -> None:
        if self.kind not in Update.kinds:
            raise DefinitionError(
                f"OnKind({self.kind!r}): there is no such kind of update. "
                f"The kinds are {', '.join(Update.kinds)}."
            )

    def match(self, content: Content) -> str | None:
        """An empty payload."""
        return "" if content.kind == self.kind else None


def check_trigger(trigger: object) -> None:
    """Raises DefinitionError when it is no trigger: a text, say, or a class."""
    if isinstance(trigger, type) or not callable(getattr(trigger, "match", None)):
        raise DefinitionError(
            f"{trigger!r} is no trigger. Give one such as OnCommand('start') or OnText('^hi')."
        )


def command_name(name: str) -> str:
    """The name without its slash. Raises DefinitionError when it is none."""
    bare = name.removeprefix("/")
    if not _COMMAND.fullmatch(bare):
        raise DefinitionError(
            f"{name!r} is no command name. Take 1 to 32 of a-z, 0-9 and '_', without arguments."
        )
    return bare
