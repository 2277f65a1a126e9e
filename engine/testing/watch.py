"""A storage that tells what goes through it: when the next timer is due, and what was moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from flows.ports import (
    Clock,
    Committed,
    Fence,
    FlowStorage,
    InstanceRow,
    Outcome,
    TimerRow,
    TransitionRow,
    TurnCommit,
)

FOR_EVER = 100 * 365 * 24 * 3600 * 1000
"""A lease that no test outlives, in milliseconds."""


class Watch:
    """Looks on what a process stores.

    The time that a test lets pass is not the process's, so its lease does not run out by it.

    Attributes:
        due: no timer is due before (milliseconds since the epoch); None: none is set.
        moves: every committed move, in order.
        instances: the last row of every instance, by (conv, id).

    Args:
        held: the clock stands still until a test moves it.
    """

    def __init__(self, clock: Clock, *, held: bool) -> None:
        self.due: int | None = None
        self.moves: list[TransitionRow] = []
        self.instances: dict[tuple[str, str], InstanceRow] = {}
        self.held = held
        self._clock = clock

    def storage(self, inner: FlowStorage) -> FlowStorage:
        """The storage that is looked on."""
        return cast(FlowStorage, _WatchedStorage(self, inner))

    def fired(self, wait: float | None) -> None:
        """The timers were looked at: the next one is due in so many seconds."""
        self.due = None if wait is None else self._clock.now() + round(wait * 1000)

    def committed(self, turn: TurnCommit) -> None:
        """A turn was committed."""
        dues = [row.due for row in turn.timers if isinstance(row, TimerRow)]
        self.due = min(dues if self.due is None else [self.due, *dues], default=None)
        self.moves.extend(turn.transitions)
        self.instances.update({(row.conv, row.id): row for row in turn.instances})


class _WatchedStorage:
    def __init__(self, watch: Watch, inner: FlowStorage) -> None:
        self._watch = watch
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def lease(self, worker: str, want: int, ttl: int) -> Fence:
        return await self._inner.lease(worker, want, FOR_EVER if self._watch.held else ttl)

    async def fire(self, fence: Fence, limit: int) -> tuple[Sequence[int], float | None]:
        seqs, wait = await self._inner.fire(fence, limit)
        self._watch.fired(wait)
        return seqs, wait

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        results = await self._inner.commit(fence, turns)
        for turn, result in zip(turns, results, strict=True):
            if result.outcome is Outcome.DONE:
                self._watch.committed(turn)
        return results
