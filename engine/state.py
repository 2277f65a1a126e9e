"""The state of a conversation: its session and its instances, and their JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from flows.errors import CorruptState
from flows.instance import FlowInstance, Status
from flows.registry import FlowRegistry
from flows.stored import instance_from_json
from flows.visit import OnceResult

FORMAT = 1
"""The version of this JSON; raised when an older engine could not read it."""


@dataclass(slots=True)
class Conversation:
    """What is kept of a conversation between its turns.

    Attributes:
        session: the session in its JSON form; empty before its first use.
        stack: running instances, the one on top last.
        aside: quarantined instances, kept until some code fits them.
    """

    session: dict[str, Any] = field(default_factory=dict)
    stack: list[FlowInstance] = field(default_factory=list)
    aside: list[FlowInstance] = field(default_factory=list)
    format: int = FORMAT

    @property
    def top(self) -> FlowInstance | None:
        """The instance that takes free input."""
        return self.stack[-1] if self.stack else None

    def instances(self) -> Iterable[FlowInstance]:
        """All instances, running and set aside."""
        return (*self.stack, *self.aside)

    def find(self, instance: str) -> FlowInstance | None:
        """The running instance of that id."""
        return next((one for one in self.stack if one.id == instance), None)

    def raise_to_top(self, instance: FlowInstance) -> None:
        """A parked instance was addressed: it takes the input from now on."""
        self.stack.remove(instance)
        self.stack.append(instance)

    def go_back_to(self, other: Conversation) -> None:
        """Takes over what the other holds."""
        self.session = other.session
        self.stack[:] = other.stack
        self.aside[:] = other.aside

    def keep_results(self, notes: Mapping[str, Mapping[str, OnceResult]]) -> None:
        """Keeps the results of ``turn.once`` of a turn that failed, for the next run.

        Args:
            notes: ``instance/place`` to key to result.
        """
        for instance in self.stack:
            for name, results in notes.items():
                owner, _, place = name.partition("/")
                if owner != instance.id:
                    continue
                if instance.visit is not None and instance.visit.place == place:
                    instance.visit.once.update(results)
                else:
                    instance.spare[place] = dict(results)

    def encode(self) -> str:
        """The JSON text."""
        return orjson.dumps(self).decode()

    @classmethod
    def decode(cls, key: str, text: str | None) -> Conversation:
        """The conversation of its JSON text; a new one for None.

        Raises:
            CorruptState: the text is none of ours, or of a newer format.
        """
        if text is None:
            return cls()
        try:
            data = orjson.loads(text)
            if data["format"] > FORMAT:
                raise CorruptState(key, f"format {data['format']} is of a newer Handrail")
            return cls(
                data["session"],
                [instance_from_json(one) for one in data["stack"]],
                [instance_from_json(one) for one in data["aside"]],
            )
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptState(key, f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An instance that was just set aside, and why."""

    instance: FlowInstance
    reason: str


def sort_out(conversation: Conversation, registry: FlowRegistry) -> list[Quarantined]:
    """Sets instances aside that fit no code, and takes back those that fit again."""
    back = [one for one in conversation.aside if _misfit(one, registry) is None]
    found = [
        Quarantined(one, reason)
        for one in conversation.stack
        if (reason := _misfit(one, registry)) is not None
    ]
    if not back and not found:
        return []
    for one in back:
        conversation.aside.remove(one)
        one.status = Status.ACTIVE
        conversation.stack.insert(0, one)
    for quarantined in found:
        conversation.stack.remove(quarantined.instance)
        quarantined.instance.status = Status.QUARANTINED
        conversation.aside.append(quarantined.instance)
    return found


def _misfit(instance: FlowInstance, registry: FlowRegistry) -> str | None:
    flow = registry.flows.get(instance.flow)
    if flow is None:
        return f"no flow {instance.flow!r} is registered"
    return flow.misfit(instance)
