"""Texts that are listened for, and what a pattern has found in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flows.errors import DefinitionError
from flows.messages.speaking import translator
from flows.messages.translations import Translatable, said
from flows.routing.patterns import BoundedMatch, BoundedPattern, compile_pattern
from flows.updates import Content, TextMessage


@dataclass(frozen=True, slots=True, init=False)
class OnHears:
    """One of several texts, exactly, or one in which one of several patterns is found; the
    payload is the text.

    Args:
        texts: what is said, to the letter, or in the words of the person's language; blanks
            around it do not count.
        pattern: one or several, in RE2 syntax.

    Raises:
        DefinitionError: there is neither a text nor a pattern.
        UnboundedPattern: RE2 refuses a pattern.
    """

    texts: tuple[str, ...]
    patterns: tuple[str, ...]
    _compiled: tuple[BoundedPattern, ...] = field(repr=False, compare=False)

    def __init__(self, *texts: str, pattern: str | Sequence[str] = ()) -> None:
        patterns = (pattern,) if isinstance(pattern, str) else tuple(pattern)
        if not texts and not patterns:
            raise DefinitionError("OnHears needs a text, or a pattern=, to listen for")
        object.__setattr__(self, "texts", tuple(map(_stripped, texts)))
        object.__setattr__(self, "patterns", patterns)
        object.__setattr__(self, "_compiled", tuple(map(compile_pattern, patterns)))

    def match(self, content: Content) -> str | None:
        """The text."""
        if not isinstance(content, TextMessage):
            return None
        if self._is_said(content.text.strip()) or self.found(content) is not None:
            return content.text
        return None

    def _is_said(self, text: str) -> bool:
        """Whether it is one of the texts, as it stands here or in the words of the person."""
        if text in self.texts:
            return True
        return translator() is not None and any(said(known) == text for known in self.texts)

    def found(self, content: Content) -> BoundedMatch | None:
        """What the first pattern that is found has found; None: the text itself was meant."""
        if not isinstance(content, TextMessage):
            return None
        matches = (pattern.search(content.text) for pattern in self._compiled)
        return next((match for match in matches if match is not None), None)


def _stripped(text: str) -> str:
    return text if isinstance(text, Translatable) else text.strip()


def match_in(trigger: object, content: Content) -> BoundedMatch | None:
    """What the pattern of a trigger has found; None: it has no pattern."""
    found = getattr(trigger, "found", None)
    return found(content) if found is not None else None
