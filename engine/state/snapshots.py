"""The last committed state of scopes: from memory, else from the storage.

What is in memory is trusted only because every commit compares the version. It is the stored
text. Of the scopes that were used last, the conversation that the text says is kept beside it, so
that the next turn need not read it. A turn changes its conversation, and may fail: so it takes it
away, and it comes back only with the commit that has stored what it is now.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import field

from engine.patience import patiently
from engine.state.conversation import Conversation, is_ours_alone
from flows.errors import CorruptState
from flows.ports import Clock, FlowStorage, Snapshot
from flows.records import record

CACHED = 10_000
"""Scopes whose last committed text is kept in memory."""

AT_HAND = 1_000
"""Scopes whose conversation is kept, too: each is some twenty objects."""


@record(frozen=True, slots=True)
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
        self._at_hand: OrderedDict[str, Conversation] = OrderedDict()

    async def load(self, keys: Iterable[str]) -> Loaded:
        """The state of these scopes, in one read; a key may stand there twice."""
        loaded = Loaded({}, {})
        cache = self._cache
        missing: dict[str, None] = {}
        for key in keys:
            if key not in cache:
                missing[key] = None
                continue
            cache.move_to_end(key)
            snapshot = cache[key]
            if snapshot is not None:
                loaded.known[key] = snapshot
        if missing:
            await self._fetch(list(missing), loaded)
        return loaded

    def take(self, key: str, snapshot: Snapshot | None) -> Conversation:
        """The conversation of a snapshot that was loaded, for one turn alone.

        Raises:
            CorruptState: its text cannot be read.
        """
        if snapshot is None:
            return Conversation()
        if self._cache.get(key) is snapshot:
            conversation = self._at_hand.pop(key, None)
            if conversation is not None:
                return conversation
        return Conversation.decode(key, snapshot.state)

    def remember(
        self, key: str, snapshot: Snapshot | None, conversation: Conversation | None = None
    ) -> None:
        """This was read or committed; None: there is none.

        Args:
            conversation: what the state of the snapshot says; nobody may change it from now on.
        """
        self._cache[key] = snapshot
        self._cache.move_to_end(key)
        if len(self._cache) > CACHED:
            oldest, _ = self._cache.popitem(last=False)
            self._at_hand.pop(oldest, None)
        if conversation is None or not is_ours_alone(conversation):
            self._at_hand.pop(key, None)
            return
        self._at_hand[key] = conversation
        if len(self._at_hand) > AT_HAND:
            self._at_hand.popitem(last=False)

    def drop(self, key: str) -> None:
        """What is in memory is old."""
        self._cache.pop(key, None)
        self._at_hand.pop(key, None)

    def clear(self) -> None:
        """Nothing in memory may be used any more."""
        self._cache.clear()
        self._at_hand.clear()

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
