"""Sessions that are kept in memory alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from engine.turns.scopes import person_of

MOST = 10_000
"""Sessions that are kept; beyond that, the one that was used least recently is forgotten."""


class MemorySessions:
    """A ``SessionStorage`` that ends with the process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def forget_person(self, person: str) -> None:
        """Somebody was erased: nothing of theirs is kept."""
        for key in [key for key in self._kept if person_of(key) == person]:
            del self._kept[key]

    async def get(self, key: str) -> Mapping[str, Any] | None:
        """The session of the key."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key]

    async def persist(self, key: str, session: Mapping[str, Any]) -> None:
        """Keeps a session."""
        self._kept[key] = session
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
