"""How each turn of a batch ends: decided first, from what was read under lock, then written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from flows.ports import Committed, Outcome, ScopeWrite, TurnCommit
from storage.clock import VersionClock

FENCED = Committed(Outcome.FENCED)
GONE = Committed(Outcome.GONE)
CONFLICT = Committed(Outcome.CONFLICT)


def decide(
    turns: Sequence[TurnCommit],
    *,
    held: Collection[int],
    undone: Collection[int],
    versions: dict[str, int],
    clock: VersionClock,
    micros: int,
) -> list[Committed]:
    """The outcome of each turn, in order.

    Args:
        held: the partitions that the fence still holds.
        undone: the causes of the batch that are there and not done.
        versions: the scopes of the batch that exist; brought forward turn by turn, so that a
            second turn of one scope or one cause in the batch sees the first.
        clock: where the versions of new scopes come from.
        micros: the database's time, in microseconds since the epoch.
    """
    causes = set(undone)
    outcomes: list[Committed] = []
    for turn in turns:
        if turn.part not in held:
            outcomes.append(FENCED)
        elif turn.cause not in causes:
            outcomes.append(GONE)
        elif _conflicts(turn.scopes, versions):
            outcomes.append(CONFLICT)
        else:
            causes.discard(turn.cause)
            new = tuple([_version(scope, versions, clock, micros) for scope in turn.scopes])
            outcomes.append(Committed(Outcome.DONE, new))
    return outcomes


def _conflicts(scopes: Sequence[ScopeWrite], versions: Mapping[str, int]) -> bool:
    for scope in scopes:  # noqa: SIM110 -- half the time of any(), on the hot path
        if versions.get(scope.key) != scope.version:
            return True
    return False


def _version(scope: ScopeWrite, versions: dict[str, int], clock: VersionClock, micros: int) -> int:
    """The version of the scope after its turn; 0 stands for one that is still absent."""
    if scope.state is None:
        return scope.version or 0
    version = clock.first(micros) if scope.version is None else clock.seen(scope.version + 1)
    versions[scope.key] = version
    return version
