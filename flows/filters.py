"""Filters: what an update has to be, besides what a trigger matches. They combine with ``&``,
``|`` and ``~``; a function of the update that answers at once is one as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import cast

from flows.definition.naming import shown
from flows.errors import DefinitionError
from flows.records import record
from flows.routing.patterns import BoundedPattern, compile_pattern
from flows.updates import Command, Content, TextMessage, Update

Predicate = Callable[[Update], bool]
"""A condition of your own. It is asked while it is decided who gets an update: let it look at the
update alone, and answer at once. What it raises fails the turn.
"""


@record(frozen=True, slots=True)
class Facts:
    """What filters look at.

    Attributes:
        state: the person's state (see ``Context.fsm``); None: there is none.
    """

    update: Update
    state: str | None


class Filter(ABC):
    """A condition on updates."""

    __slots__ = ()

    @abstractmethod
    def passes(self, facts: Facts) -> bool:
        """Whether the update is meant."""

    def __and__(self, other: Filter | Predicate) -> Filter:
        """Both pass."""
        return _All(self, filter_of(other))

    def __rand__(self, other: Predicate) -> Filter:
        """Both pass."""
        return _All(filter_of(other), self)

    def __or__(self, other: Filter | Predicate) -> Filter:
        """One of the two passes."""
        return _Any(self, filter_of(other))

    def __ror__(self, other: Predicate) -> Filter:
        """One of the two passes."""
        return _Any(filter_of(other), self)

    def __invert__(self) -> Filter:
        """It does not pass."""
        return _Not(self)


Condition = Filter | Predicate
"""What ``where=`` takes."""


def filter_of(condition: object) -> Filter:
    """The filter that is meant.

    Raises:
        DefinitionError: it is neither a filter nor a function that answers at once.
    """
    if isinstance(condition, Filter):
        return condition
    if isinstance(condition, type) or not callable(condition):
        raise DefinitionError(
            f"{condition!r} is no filter. Give one of flows.filters, or a function of the update."
        )
    if iscoroutinefunction(condition) or iscoroutinefunction(type(condition).__call__):
        raise DefinitionError(
            f"the filter {shown(condition)} is an async function. Take one that answers at once, "
            "and look up what takes time in a handler or a middleware."
        )
    return _Where(cast(Predicate, condition))


def both(one: Filter | None, other: Filter | None) -> Filter | None:
    """What passes both; None stands for what everything passes."""
    if one is None or other is None:
        return one or other
    return one & other


# --- filters --------------------------------------------------------------------------------


def users(*ids: int | str) -> Filter:
    """From one of these people, by the channel's ids."""
    return _Users(_texts(ids, "users"))


def chats(*ids: int | str) -> Filter:
    """In one of these chats, by the channel's ids."""
    return _Chats(_texts(ids, "chats"))


def language(*tags: str) -> Filter:
    """From somebody whose language is one of these; ``"pt"`` takes ``pt-br`` too."""
    return _Language(tuple(tag.lower() for tag in _texts(tags, "language")))


def matches(pattern: str) -> Filter:
    """With a text, a command or a caption in which ``pattern`` (RE2) is found.

    Raises:
        UnboundedPattern: RE2 refuses the pattern.
    """
    return _Matches(pattern)


def state(*names: str) -> Filter:
    """From somebody who is in one of these states (see ``Context.fsm``); without names: in any."""
    return _State(frozenset(str.__str__(name) for name in names))


def where(predicate: Predicate) -> Filter:
    """For which a function of the update answers true."""
    return filter_of(predicate)


@dataclass(frozen=True, slots=True)
class _Private(Filter):
    private: bool

    def passes(self, facts: Facts) -> bool:
        update = facts.update
        return update.address is not None and update.private is self.private


@dataclass(frozen=True, slots=True)
class _Reply(Filter):
    def passes(self, facts: Facts) -> bool:
        return facts.update.reply_to is not None


@dataclass(frozen=True, slots=True)
class _HasText(Filter):
    def passes(self, facts: Facts) -> bool:
        return text_of(facts.update.content) != ""


PRIVATE: Filter = _Private(True)
"""In a private chat, of one person and the bot."""

GROUP: Filter = _Private(False)
"""In any other chat."""

REPLY: Filter = _Reply()
"""A reply to an earlier message."""

HAS_TEXT: Filter = _HasText()
"""A text, a command, or something with a caption."""


def text_of(content: Content) -> str:
    """The text or the caption; empty where there is none."""
    if isinstance(content, TextMessage | Command):
        return content.text
    caption = getattr(content, "caption", "")  # whatever has one, and most have none
    return caption if isinstance(caption, str) else ""


@dataclass(frozen=True, slots=True)
class _Users(Filter):
    ids: frozenset[str]

    def passes(self, facts: Facts) -> bool:
        user = facts.update.user
        return user is not None and user.id in self.ids


@dataclass(frozen=True, slots=True)
class _Chats(Filter):
    ids: frozenset[str]

    def passes(self, facts: Facts) -> bool:
        address = facts.update.address
        return address is not None and address.chat in self.ids


@dataclass(frozen=True, slots=True)
class _Language(Filter):
    tags: tuple[str, ...]

    def passes(self, facts: Facts) -> bool:
        user = facts.update.user
        spoken = user.language.lower() if user is not None else ""
        return any(spoken == tag or spoken.startswith(f"{tag}-") for tag in self.tags)


@dataclass(frozen=True, slots=True)
class _Matches(Filter):
    pattern: str
    _compiled: BoundedPattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", compile_pattern(self.pattern))

    def passes(self, facts: Facts) -> bool:
        text = text_of(facts.update.content)
        return text != "" and self._compiled.search(text) is not None


@dataclass(frozen=True, slots=True)
class _State(Filter):
    names: frozenset[str]

    def passes(self, facts: Facts) -> bool:
        return facts.state is not None and (not self.names or facts.state in self.names)


@dataclass(frozen=True, slots=True)
class _Where(Filter):
    predicate: Predicate

    def passes(self, facts: Facts) -> bool:
        return bool(self.predicate(facts.update))


@dataclass(frozen=True, slots=True)
class _All(Filter):
    first: Filter
    second: Filter

    def passes(self, facts: Facts) -> bool:
        return self.first.passes(facts) and self.second.passes(facts)


@dataclass(frozen=True, slots=True)
class _Any(Filter):
    first: Filter
    second: Filter

    def passes(self, facts: Facts) -> bool:
        return self.first.passes(facts) or self.second.passes(facts)


@dataclass(frozen=True, slots=True)
class _Not(Filter):
    inner: Filter

    def passes(self, facts: Facts) -> bool:
        return not self.inner.passes(facts)


def _texts(given: tuple[int | str, ...], name: str) -> frozenset[str]:
    if not given:
        raise DefinitionError(f"filters.{name}() passes nobody. Give one or more.")
    return frozenset(map(str, given))
