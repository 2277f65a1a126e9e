"""Who holds which partition: what a call of ``lease`` changes, given what the table says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from flows.ports import Fence


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition as stored. ``until`` is 0 when nobody holds it."""

    part: int
    owner: str | None
    epoch: int
    until: int


def share_out(
    partitions: Sequence[Partition], worker: str, *, want: int, now: int, ttl: int
) -> list[Partition]:
    """The partitions as they are after the call, only those that changed.

    Renews what the worker holds, gives back what is over ``want``, and takes free or expired
    ones with an epoch raised by 1. The worker's own expired ones count as expired: between
    then and now anybody might have held them.
    """
    mine = [row for row in partitions if row.owner == worker and row.until > now]
    free = [row for row in partitions if row.owner is None or row.until <= now]
    lacking = max(0, want - len(mine))
    taken = [replace(row, owner=worker, epoch=row.epoch + 1) for row in free[:lacking]]
    # An expired lease of the worker's own that it does not take again is given up.
    over = mine[max(0, want) :] + [row for row in free[lacking:] if row.owner == worker]
    return [
        *(replace(row, until=now + ttl) for row in [*mine[: max(0, want)], *taken]),
        *given_back(over),
    ]


def given_back(partitions: Iterable[Partition]) -> list[Partition]:
    """The partitions, held by nobody."""
    return [replace(row, owner=None, until=0) for row in partitions]


def fence_of(partitions: Iterable[Partition], worker: str, workers: int = 1) -> Fence:
    """What the worker holds; ``workers`` is how many there are."""
    epochs = {row.part: row.epoch for row in partitions if row.owner == worker}
    return Fence(worker, epochs, workers)


def known_workers(until: dict[str, int], worker: str, *, now: int, ttl: int) -> int:
    """Notes in ``until`` that the worker has called, forgets those whose time is up, and answers
    how many are left.
    """
    until[worker] = now + ttl
    for name in [name for name, end in until.items() if end <= now]:
        del until[name]
    return len(until)


def still_held(fence: Fence, epochs: Iterable[tuple[int, int]]) -> Collection[int]:
    """The partitions of the fence that are as it says.

    ``epochs`` are the (partition, epoch) pairs that the table gives to the fence's worker.
    """
    return {part for part, epoch in epochs if fence.epochs.get(part) == epoch}
