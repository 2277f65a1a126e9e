"""How a text is to be read."""

from __future__ import annotations

from typing import Literal

from flows.errors import DefinitionError
from flows.formatting import Formatted
from flows.messages.translations import Translatable

Format = Literal["plain", "html", "markdown"]
"""How a text is to be read. ``plain`` is shown as it is, whatever is in it."""


def written(text: str, format: Format) -> tuple[str, Format]:
    """The text as a message keeps it: a formatted one is written out in HTML.

    Raises:
        DefinitionError: it is no text.
    """
    if isinstance(text, Translatable):
        return _in_any_words(text, format)
    if isinstance(text, Formatted):
        return (text.html, "html") if text.spans else (str(text), "plain")
    if not isinstance(text, str):
        raise DefinitionError(
            f"a message says a text, not {text!r}. Write str(...) or an f-string."
        )
    return text, format


def _in_any_words(text: Translatable, format: Format) -> tuple[str, Format]:
    """The text, which is put into words when it is sent. Where something formatted stands in it,
    that is now: what comes of it is read as HTML.
    """
    if text.has_formatted:
        if format == "plain":
            return written(str(text), format)
        return str(text.with_values({}, markup=format)), format
    return (
        (text, format) if format == text.markup else (text.with_values({}, markup=format), format)
    )
