"""Removing a person: their flows end as flows end, and then nothing is left of them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from engine.operate.receipts import Receipt, until_done
from flows.errors import CorruptState, UnknownConversation
from flows.ports import Clock, FlowStorage, Query

_log = logging.getLogger("handrail.operate")


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of a person.

    Attributes:
        scopes: how many conversations were removed.
        ended: in how many of them flows were ended, with their hooks.
        unheard: in how many the flows were removed as they were, because no bot ended them in
            time; their hooks did not run.
    """

    scopes: int
    ended: int
    unheard: int


class Eraser:
    """Erases people.

    Args:
        cancel: ends all instances of a conversation, with a reason.
    """

    def __init__(
        self,
        storage: FlowStorage,
        clock: Clock,
        *,
        cancel: Callable[[str, str], Awaitable[Receipt]],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._cancel = cancel

    async def erase(self, person: str, *, patience: float) -> Erased:
        """Ends what runs, waits for it up to ``patience`` seconds altogether, and removes all."""
        busy = await self._busy(person)
        receipts = [receipt for key in busy if (receipt := await self._end(key)) is not None]
        late = len(busy) - await self._done(receipts, patience)
        if late:
            _log.warning(
                "in %d conversations of %s the flows were not ended within %g s; they are "
                "removed without their hooks",
                late, person, patience,
            )  # fmt: skip
        scopes = await self._storage.erase(person)
        return Erased(scopes, len(busy) - late, late)

    async def _end(self, key: str) -> Receipt | None:
        try:
            return await self._cancel(key, "erased")
        except (UnknownConversation, CorruptState) as error:  # nothing there that can be ended
            _log.warning("nothing ends conversation %s: %s", key, error)
            return None

    async def _busy(self, person: str) -> list[str]:
        """The conversations of the person in which something runs, each once."""
        keys: dict[str, None] = {}
        query = Query(what="instances", person=person, live=True, limit=1000)
        while True:
            page = await self._storage.inspect(query)
            keys.update(dict.fromkeys(str(row["conv"]) for row in page.rows))
            if page.next is None:
                return list(keys)
            query = Query(what="instances", person=person, live=True, limit=1000, after=page.next)

    async def _done(self, receipts: Sequence[Receipt], patience: float) -> int:
        """How many of the orders are done when time is up."""
        deadline = self._clock.monotonic() + patience
        done = 0
        for receipt in receipts:
            left = max(deadline - self._clock.monotonic(), 0)
            done += await until_done(receipt, self._storage, self._clock, seconds=left)
        return done
