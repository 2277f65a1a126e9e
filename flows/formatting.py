"""Formatted texts: bold, links and the like, put together so that nothing has to be escaped.

    turn.reply(bold("Hello ") + turn.user.name + "!")

What a person typed is text and stays text, whatever is in it. A formatted text is a ``str``, its
plain form, so it goes wherever a text goes; a message keeps the format. ``str`` methods that
cut or change a text (``upper``, slices, f-strings) answer the plain form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, SupportsIndex

from flows.errors import DefinitionError
from flows.messages.markup import html, markdown

Style = Literal[
    "bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "text_link",
    "text_mention", "custom_emoji", "blockquote", "expandable_blockquote",
]  # fmt: skip
"""How a piece of a text looks, by Telegram's words."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text that has a style.

    Attributes:
        start, end: characters of the plain text.
        detail: the address of a link, the id of a person or an emoji, the language of code.
    """

    start: int
    end: int
    style: Style
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """A span as Telegram counts it: ``offset`` and ``length`` are UTF-16 units."""

    offset: int
    length: int
    style: Style
    detail: str = ""


class Formatted(str):
    """A text and its styles; immutable. Its value as a ``str`` is the plain text.

    Attributes:
        spans: the styled pieces, one that holds others before these.
    """

    __slots__ = ("spans",)

    spans: tuple[Span, ...]

    def __new__(cls, text: str = "", spans: Iterable[Span] = ()) -> Formatted:
        """The text with these spans; without any, those that it has already."""
        made = super().__new__(cls, text)
        own = text.spans if isinstance(text, Formatted) else ()
        made.spans = (*spans, *own)
        return made

    def __reduce__(self) -> tuple[type[Formatted], tuple[str, tuple[Span, ...]]]:
        return Formatted, (str(self), self.spans)

    def __repr__(self) -> str:
        return f"Formatted({self.html!r})"

    def __add__(self, other: str) -> Formatted:
        return _joined((self, other)) if isinstance(other, str) else NotImplemented

    def __radd__(self, other: str) -> Formatted:
        return _joined((other, self)) if isinstance(other, str) else NotImplemented

    def __mul__(self, times: SupportsIndex) -> Formatted:
        return _joined([self] * times.__index__())

    def __rmul__(self, times: SupportsIndex) -> Formatted:
        return self * times

    def join(self, parts: Iterable[str]) -> Formatted:
        """The parts with this text between them; each keeps its format."""
        pieces: list[str] = []
        for part in parts:
            pieces += [self, part] if pieces else [part]
        return _joined(pieces)

    @property
    def plain(self) -> str:
        """The text without its styles."""
        return str(self)

    @property
    def html(self) -> str:
        """The text in Telegram's HTML."""
        return html(str(self), self.spans)

    @property
    def markdown(self) -> str:
        """The text in Telegram's MarkdownV2."""
        return markdown(str(self), self.spans)

    @property
    def entities(self) -> tuple[Entity, ...]:
        """The spans, counted in UTF-16 units."""
        return tuple(_entity(str(self), span) for span in self.spans)


def bold(text: str) -> Formatted:
    """The text in bold."""
    return _styled(text, "bold")


def italic(text: str) -> Formatted:
    """The text in italics."""
    return _styled(text, "italic")


def underline(text: str) -> Formatted:
    """The text underlined."""
    return _styled(text, "underline")


def strike(text: str) -> Formatted:
    """The text struck through."""
    return _styled(text, "strikethrough")


def spoiler(text: str) -> Formatted:
    """The text hidden until it is touched."""
    return _styled(text, "spoiler")


def code(text: str) -> Formatted:
    """A piece of code within a line, which is copied when touched. Styles in it are left out."""
    return _styled(str(text), "code")


def pre(text: str, language: str = "") -> Formatted:
    """A block of code.

    Args:
        language: of a programming language, such as ``python``.

    Raises:
        DefinitionError: the language is more than letters, digits and ``+-#._``.
    """
    if language and not all(char.isalnum() or char in "+-#._" for char in language):
        raise DefinitionError(f"{language!r} is no name of a language for a block of code")
    return _styled(str(text), "pre", language)


def link(text: str, url: str) -> Formatted:
    """The text as a link to an address.

    Raises:
        DefinitionError: there is no address.
    """
    if not url.strip():
        raise DefinitionError(f"the link {str(text)!r} needs an address")
    return _styled(text, "text_link", url)


def mention(name: str, user: str | int) -> Formatted:
    """Names a person who has no user name, so that they are told.

    Args:
        user: the channel's id of the person.

    Raises:
        DefinitionError: the id is no number.
    """
    if not str(user).isdecimal():
        raise DefinitionError(f"{user!r} is no id of a person who could be mentioned")
    return _styled(name, "text_mention", str(user))


def custom_emoji(fallback: str, emoji: str | int) -> Formatted:
    """An emoji of a set of somebody's own.

    Args:
        fallback: the plain emoji that is shown where the other cannot be.
        emoji: its id.

    Raises:
        DefinitionError: the id is no number.
    """
    if not str(emoji).isdecimal():
        raise DefinitionError(f"{emoji!r} is no id of a custom emoji")
    return _styled(str(fallback), "custom_emoji", str(emoji))


def blockquote(text: str, *, expandable: bool = False) -> Formatted:
    """The text as a quotation, closed at first if ``expandable``. Quotations in it are opened."""
    quoted = Formatted(text)
    inner = [span for span in quoted.spans if not span.style.endswith("blockquote")]
    plain = Formatted(str(quoted), inner)
    return _styled(plain, "expandable_blockquote" if expandable else "blockquote")


def join(separator: str, parts: Iterable[str]) -> Formatted:
    """The parts with a text between them; each keeps its format."""
    return Formatted(separator).join(parts)


def _styled(text: str, style: Style, detail: str = "") -> Formatted:
    if not text:
        return Formatted()
    text = _in_words(text)
    return Formatted(text, [Span(0, len(text), style, detail)])


def _joined(parts: Iterable[str]) -> Formatted:
    texts: list[str] = []
    spans: list[Span] = []
    at = 0
    for part in parts:
        part = _in_words(part)
        if isinstance(part, Formatted):
            spans += [replace(s, start=s.start + at, end=s.end + at) for s in part.spans]
        texts.append(str(part))
        at += len(part)
    return Formatted("".join(texts), spans)


def _in_words(text: str) -> str:
    """The text as it is said now: that of a ``Translatable`` is another one in each language."""
    return text if isinstance(text, Formatted) else str(text)


def _entity(text: str, span: Span) -> Entity:
    offset = _units(text[: span.start])
    return Entity(offset, _units(text[span.start : span.end]), span.style, span.detail)


def _units(text: str) -> int:
    return len(text) + sum(1 for char in text if char > "\uffff")
