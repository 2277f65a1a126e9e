"""What is remembered of a person in a chat for a while: a name, and until when it counts.

Two promises are made of that one number: that something counts once within a time, and that it
counts so often (a token bucket, kept as the time at which it is full again).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

MOST = 64
"""Marks of one conversation; beyond that, those that end first are forgotten."""


class Marks:
    """The marks of one conversation while a turn looks at them.

    Attributes:
        until: name to the time until which it counts (milliseconds since the epoch).
        spent: those of ``until`` that count even if the turn fails.

    Args:
        kept: what was kept so far; it is not changed.
        at: now.
    """

    def __init__(self, kept: Mapping[str, int], at: int) -> None:
        self.until = {name: until for name, until in kept.items() if until > at}
        self.spent: dict[str, int] = {}
        self._at = at

    def claim(self, key: str, span: int) -> bool:
        """Whether the key is free; it is taken for ``span`` milliseconds then."""
        name = _name(key)
        if name in self.until:
            return False
        self._keep(name, self._at + span)
        return True

    def spend(self, key: str, *, interval: int, burst: int) -> bool:
        """Whether there is a token in the bucket of the key; it is taken out then.

        Args:
            interval: milliseconds in which one token comes in.
            burst: how many the bucket holds.
        """
        name = _name(key)
        full = self.until.get(name, self._at) + interval
        if full - self._at > burst * interval:
            return False
        self._keep(name, full)
        self.spent[name] = full
        return True

    def copy(self) -> Marks:
        """The same, to go back to."""
        made = Marks(self.until, self._at)
        made.spent = dict(self.spent)
        return made

    def _keep(self, name: str, until: int) -> None:
        self.until[name] = until
        if len(self.until) > MOST:
            del self.until[min(self.until, key=self.until.__getitem__)]


def _name(key: str) -> str:
    """A digest: what people say does not stand in a name, and all names are short."""
    return blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()
