"""What would become of the live instances under this code, without touching any of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from engine.state.conversation import Conversation
from engine.state.migrating import CannotMigrate, migrated, misfit, versions
from engine.steps.places import Flows
from flows.errors import CorruptState
from flows.ports import FlowStorage, Query
from flows.turns.instance import FlowInstance

AT_ONCE = 200
"""How many conversations are read at once."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would become of an instance.

    Attributes:
        instance: its id; of a conversation that cannot be read, the key of that.
        step: where it is, by its stored name.
        versions: those that it would pass through, from its own to that of the code; only its
            own where nothing is migrated.
        fault: why it would be quarantined; None: it goes on.
    """

    instance: str
    flow: str
    step: str
    versions: tuple[int, ...]
    fault: str | None

    @property
    def migrates(self) -> bool:
        """It goes on, in another version."""
        return self.fault is None and len(self.versions) > 1


async def dry_run(storage: FlowStorage, flows: Flows) -> AsyncIterator[Verdict]:
    """A verdict on every live instance, those that are set aside included. Nothing is written.

    Raises:
        StorageDown: the storage cannot be read now.
    """
    keys = await _busy(storage)
    for start in range(0, len(keys), AT_ONCE):
        for key, state in await _states(storage, keys[start : start + AT_ONCE]):
            for verdict in _judged(key, state, flows):
                yield verdict


def judge(instance: FlowInstance, flows: Flows) -> Verdict:
    """What would become of one instance."""
    try:
        fault = misfit(migrated(instance, flows), flows)
    except CannotMigrate as error:
        fault = str(error)
    path = (instance.version, *(version + 1 for version in versions(instance, flows)))
    return Verdict(instance.id, instance.flow, instance.step, path, fault)


def _judged(key: str, state: Conversation | CorruptState, flows: Flows) -> Sequence[Verdict]:
    if isinstance(state, CorruptState):
        return [Verdict(key, "(unreadable)", "", (), str(state))]
    return [judge(instance, flows) for instance in state.instances()]


async def _busy(storage: FlowStorage) -> list[str]:
    """The conversations in which something lives.

    A turn moves its instances to the front of the listing, past a reader on its way down. So the
    front is read once more: what has moved is there.
    """
    keys: dict[str, None] = {}
    newest = await _down_to(storage, keys, since=None)
    await _down_to(storage, keys, since=newest)
    return list(keys)


async def _down_to(storage: FlowStorage, keys: dict[str, None], *, since: int | None) -> int | None:
    """Adds the conversations of instances that moved at or after ``since``, or of all. Answers
    when the first of them moved.
    """
    newest: int | None = None
    after: str | None = None
    while True:
        page = await storage.inspect(Query(what="instances", live=True, after=after, limit=1000))
        for row in page.rows:
            newest = row["updated"] if newest is None else newest
            if since is not None and row["updated"] < since:
                return newest
            keys[row["conv"]] = None
        after = page.next
        if after is None:
            return newest


async def _states(
    storage: FlowStorage, keys: Sequence[str]
) -> list[tuple[str, Conversation | CorruptState]]:
    """What is stored of each; one that cannot be read spoils no other."""
    try:
        found = await storage.load(keys)
    except CorruptState as error:
        if len(keys) == 1:
            return [(keys[0], error)]
        return [one for key in keys for one in await _states(storage, [key])]
    return [(key, _decoded(key, found[key].state)) for key in keys if key in found]


def _decoded(key: str, text: str) -> Conversation | CorruptState:
    try:
        return Conversation.decode(key, text)
    except CorruptState as error:
        return error
