"""What would become of the live instances under this code, without touching any of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from engine.state import Conversation
from flows.errors import CorruptState
from flows.flow import Flow
from flows.instance import FlowInstance, Line
from flows.ports import FlowStorage, Query
from flows.registry import FlowRegistry

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


async def dry_run(storage: FlowStorage, registry: FlowRegistry) -> AsyncIterator[Verdict]:
    """A verdict on every live instance, those that are set aside included. Nothing is written."""
    keys = await _busy(storage)
    for start in range(0, len(keys), AT_ONCE):
        for key, state in await _states(storage, keys[start : start + AT_ONCE]):
            for verdict in _judged(key, state, registry):
                yield verdict


def judge(instance: FlowInstance, registry: FlowRegistry) -> Verdict:
    """What would become of one instance."""
    flow = registry.flows.get(instance.flow)
    versions = (instance.version,) if flow is None else _path(flow, instance.version)
    fault = _fault(instance, registry)
    return Verdict(instance.id, instance.flow, instance.step, versions, fault)


def _path(flow: Flow[Any, Any], version: int) -> tuple[int, ...]:
    """The versions that migrations lead through; one that declares none is passed over."""
    steps = [from_ + 1 for from_ in sorted(flow.migrations) if version <= from_ < flow.version]
    return (version, *steps)


def _fault(instance: FlowInstance, registry: FlowRegistry) -> str | None:
    """Why an instance, or the run of a flow that it has called, cannot go on."""
    flow = registry.flows.get(instance.flow)
    if flow is None:
        return f"no flow {instance.flow!r} is registered"
    try:
        fault = flow.misfit(migrated(flow, instance))
    except Exception as error:  # a migration is code of the bot, and may raise anything
        return f"its migration fails: {type(error).__name__}: {error}"
    children = (line.visit.child for line in instance.lines() if line.visit is not None)
    called = (_fault(child, registry) for child in children if child is not None)
    return fault or next((f"what it has called: {one}" for one in called if one), None)


def migrated(flow: Flow[Any, Any], instance: FlowInstance) -> FlowInstance:
    """The instance as the flow's migrations would leave it; the one that is given stays as it is.

    Raises:
        Exception: whatever a migration raises.
    """
    moved = deepcopy(instance)
    for from_ in sorted(flow.migrations):
        if not moved.version <= from_ < flow.version:
            continue
        migration = flow.migrations[from_]
        if migration.data is not None:
            moved.data = migration.data(moved.data)
        for line in moved.lines():
            _rename(line, migration.renamed)
        moved.version = from_ + 1
    return moved


def _rename(line: Line, renamed: Mapping[str, str]) -> None:
    if line.visit is not None:
        line.visit.step = renamed.get(line.visit.step, line.visit.step)
    for past in line.history:
        past.step = renamed.get(past.step, past.step)


def _judged(
    key: str, state: Conversation | CorruptState, registry: FlowRegistry
) -> Sequence[Verdict]:
    if isinstance(state, CorruptState):
        return [Verdict(key, "(unreadable)", "", (), str(state))]
    return [judge(instance, registry) for instance in state.instances()]


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
    return [(key, _decoded(key, snapshot.state)) for key, snapshot in found.items()]


def _decoded(key: str, text: str) -> Conversation | CorruptState:
    try:
        return Conversation.decode(key, text)
    except CorruptState as error:
        return error
