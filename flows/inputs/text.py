"""Free text, and text of a given form."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from flows.inputs.base import Json, StringInput
from flows.messages.translations import nphrase, phrase
from flows.routing.patterns import compile_pattern
from flows.updates import Command, Content, TextMessage

MAX_TEXT = 4096
"""Characters that a text may have unless said otherwise."""

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that look like nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(StringInput):
    """Any text: a str as it was written, without the white space around it.

    A text in which nothing can be seen counts as empty and is refused.

    Attributes:
        min_length, max_length: characters (code points), counted without the space around.
        commands: whether commands are answers too, such as ``/start``.
    """

    kind: ClassVar[str] = "text"

    min_length: int = 1
    max_length: int = MAX_TEXT
    commands: bool = False

    def __post_init__(self) -> None:
        if self.min_length < 1:
            raise self._cannot(f"min_length is {self.min_length}; an empty text is no answer")
        if self.max_length < self.min_length:
            raise self._cannot(
                f"min_length {self.min_length} is more than max_length {self.max_length}"
            )
        StringInput.__post_init__(self)

    @property
    def specific(self) -> bool:
        """False: it takes whatever is written."""
        return False

    def fits(self, content: Content) -> bool:
        """Whether it is a text, or a command where these are allowed."""
        return isinstance(content, TextMessage) or (self.commands and isinstance(content, Command))

    def parse_text(self, text: str) -> Json:
        """The text, if its length is right."""
        if not any(map(_is_visible, text)):
            raise self.refused(phrase("Please send a text."))
        if len(text) > self.max_length:
            raise self.refused(
                phrase(
                    "That is too long: {length} characters. Please send at most {most}.",
                    length=len(text),
                    most=self.max_length,
                )
            )
        if len(text) < self.min_length:
            raise self.refused(
                nphrase(
                    "That is too short. Please send at least {n} character.",
                    "That is too short. Please send at least {n} characters.",
                    self.min_length,
                )
            )
        return text

    def hint(self) -> str:
        """Asks for a text."""
        return self.retry or phrase("Please send a text.")


@dataclass(frozen=True, slots=True)
class Pattern(StringInput):
    """A text that matches a pattern as a whole: a str without the white space around it.

    Attributes:
        source: the regular expression, in RE2 syntax: it runs in bounded time.
        wanted: what is wanted, in words for the person, such as "two letters and four digits".

    Raises:
        UnboundedPattern: at construction, for back-references and look-around.
    """

    kind: ClassVar[str] = "pattern"

    source: str
    wanted: str | None = None

    def __post_init__(self) -> None:
        compile_pattern(self.source)
        StringInput.__post_init__(self)

    def parse_text(self, text: str) -> Json:
        """The text, if it matches."""
        if len(text) > MAX_TEXT or compile_pattern(self.source).fullmatch(text) is None:
            raise self.refused(self._wish(phrase("That is not in the form that is needed.")))
        return text

    def hint(self) -> str:
        """Says what is wanted, as far as the definition tells."""
        return self.retry or self._wish(phrase("Please send it as a text."))

    def _wish(self, otherwise: str) -> str:
        return phrase("Please send {wanted}.", wanted=self.wanted) if self.wanted else otherwise


def _is_visible(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] != "Z" and category not in ("Cc", "Cf") and char not in _BLANK
