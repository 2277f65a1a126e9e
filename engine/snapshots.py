"""The last committed state of scopes: from memory, else from the storage.

What is in memory is trusted only because every commit compares the version. It is the stored
text and never objects, which a turn that fails would have changed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine.patience import patiently
from flows.errors import CorruptState
from flows.ports import Clock, FlowStorage, Snapshot

CACHED = 10_000
"""Scopes whose last committed text is kept in memory."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is known of some scopes; absent ones are in neither.

    Attributes:
        corrupt: those that cannot be read, and why.
    """

    known: dict[str, Snapshot] = field(default_factory=dict)
    corrupt: dict[str, CorruptState] = field(default_factory=dict)


class Snapshots:
    """A bounded cache in front of the storage; also of what is known to be absent."""

    def __init__(self, storage: FlowStorage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._cache: OrderedDict[str, Snapshot | None] = OrderedDict()

    async def load(self, keys: Iterable[str]) -> Loaded:
        """The state of these scopes, in one read; a key may stand there twice."""
        loaded = Loaded()
        keys = dict.fromkeys(keys)
        missing = [key for key in keys if key not in self._cache]
        for key in keys:
            if key in self._cache:
                self._cache.move_to_end(key)
                snapshot = self._cache[key]
                if snapshot is not None:
                    loaded.known[key] = snapshot
        if missing:
            await self._fetch(missing, loaded)
        return loaded

    def remember(self, key: str, snapshot: Snapshot | None) -> None:
        """This was read or committed; None: there is none."""
        self._cache[key] = snapshot
        self._cache.move_to_end(key)
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)

    def drop(self, key: str) -> None:
        """What is in memory is old."""
        self._cache.pop(key, None)

    def clear(self) -> None:
        """Nothing in memory may be used any more."""
        self._cache.clear()

    async def _fetch(self, keys: Sequence[str], loaded: Loaded) -> None:
        try:
            found = await patiently(self._clock, lambda: self._storage.load(keys))
        except CorruptState as error:
            if len(keys) == 1:
                loaded.corrupt[keys[0]] = error
                return
            for key in keys:  # one of them spoils the whole answer
                await self._fetch([key], loaded)
            return
        for key in keys:
            self.remember(key, found.get(key))
        loaded.known.update(found)
