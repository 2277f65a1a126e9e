"""What starts a flow, or calls a handler: a command, a button's data, a pattern, a kind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from flows.errors import DefinitionError
from flows.patterns import BoundedPattern, compile_pattern
from flows.replies import BUTTON_PREFIX, MAX_BUTTON_DATA
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
    """

    name: str
    description: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", command_name(self.name))

    def match(self, content: Content) -> str | None:
        """The arguments of the command."""
        if isinstance(content, Command) and content.name == self.name:
            return content.args
        return None


@dataclass(frozen=True, slots=True)
class OnCallback:
    """A pressed button whose data matches ``pattern``, in which ``*`` stands for anything; the
    payload is the data. The engine's own buttons never match.
    """

    pattern: str

    def __post_init__(self) -> None:
        if not self.pattern:
            raise DefinitionError("OnCallback needs a pattern, such as 'signup:*'")
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
        if isinstance(content, Press) and fnmatchcase(content.data, self.pattern):
            return content.data
        return None


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
