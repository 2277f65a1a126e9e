"""Pieces of a file that a browser asks for, such as the place in a film that somebody jumps to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flows.errors import HandrailError

_ONE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from ``start`` on, up to and without ``stop``."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many bytes these are."""
        return self.stop - self.start


class NoSuchSpan(HandrailError, ValueError):
    """There are no such bytes in the file."""


def span_of(wanted: str, size: int) -> Span | None:
    """The span that a ``Range`` header asks for; None: it asks for no single one, and gets all.

    Raises:
        NoSuchSpan: it begins behind the end.
    """
    found = _ONE.fullmatch(wanted.strip())
    if found is None:
        return None
    if found[3] is not None:  # so many at the end
        span = Span(max(0, size - int(found[3])), size)
    else:
        start = int(found[1])
        last = int(found[2]) if found[2] else max(start, size)
        if last < start:
            return None
        span = Span(start, min(size, last + 1))
    if span.size <= 0:
        raise NoSuchSpan(f"the file has {size} bytes, and {wanted[:80]!r} is behind them")
    return span
