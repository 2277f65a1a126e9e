"""Bytes read as a row of decisions, so that all bytes mean some input and small changes of them
small changes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Tape:
    """The bytes of one input; behind their end there are zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes, fewer at the end."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def below(self, count: int) -> int:
        """A number from 0 to ``count - 1``."""
        width = 1 if count <= 256 else 2
        return int.from_bytes(self.take(width), "big") % count

    def choose(self, options: Sequence[T]) -> T:
        """One of the options; the first where the bytes are used up."""
        return options[self.below(len(options))]

    def text(self, most: int = 64) -> str:
        """Any text, with NUL and lone surrogates."""
        taken = self.take(self.below(most + 1))
        if self.below(2):
            return taken.decode("utf-16-le", "surrogatepass" if len(taken) % 2 == 0 else "replace")
        return taken.decode("utf-8", "surrogateescape")

    def rest(self) -> bytes:
        """All that is left."""
        taken = self._data[self._at :]
        self._at = len(self._data)
        return taken
