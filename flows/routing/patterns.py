"""Regular expressions that take bounded time, whatever a person sends."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Protocol, cast

import re2

from flows.errors import DefinitionError, UnboundedPattern


class BoundedMatch(Protocol):
    """What a pattern found; the part of ``re.Match`` that RE2 has as well."""

    def group(self, group: int | str = 0, /) -> str | None:
        """The text of a group, None where it took no part in the match."""
        ...

    def groups(self) -> tuple[str | None, ...]:
        """The texts of all groups, in their order."""
        ...

    def groupdict(self) -> dict[str, str | None]:
        """The texts of the named groups."""
        ...


class BoundedPattern(Protocol):
    """A compiled pattern; the part of ``re.Pattern`` that RE2 has as well."""

    @property
    def pattern(self) -> str:
        """The source that it was compiled from."""
        ...

    def fullmatch(self, text: str, /) -> BoundedMatch | None:
        """The match of the whole text, or None."""
        ...

    def search(self, text: str, /) -> BoundedMatch | None:
        """The first match anywhere in the text, or None."""
        ...


@lru_cache(maxsize=1024)
def compile_pattern(source: str) -> BoundedPattern:
    """The pattern, compiled by RE2: its time grows with the length of the text and no faster.

    Raises:
        UnboundedPattern: RE2 cannot run it: back-references, look-around, huge repetitions.
        DefinitionError: it is no regular expression at all.
    """
    options: Any = re2.Options()
    options.log_errors = False  # RE2 would write to standard error on top of raising
    try:
        return cast(BoundedPattern, re2.compile(source, options))
    except re2.error as error:
        reason = _words(error)
    try:
        re.compile(source)
    except (re.error, OverflowError):
        raise DefinitionError(
            f"{source!r} is no regular expression ({reason}). Correct it; the syntax is RE2's."
        ) from None
    raise UnboundedPattern(source, reason)


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
