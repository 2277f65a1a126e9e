"""The state of a conversation: its session and its instances, and their JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.migrating import CannotMigrate, migrated, misfit
from engine.places import Flows, instances, visits
from flows.errors import CorruptState
from flows.instance import FlowInstance, Status
from flows.stored import instance_from_json
from flows.visit import OnceResult

FORMAT = 2
"""The version of this JSON; raised when an older engine could not read it."""


@dataclass(slots=True)
class Conversation:
    """What is kept of a conversation between its turns.

    Attributes:
        session: the session in its JSON form; empty before its first use.
        stack: running instances, the one on top last.
        aside: quarantined instances, kept until some code fits them.
        alarm: when the timer is set for that wakes this conversation (milliseconds since the
            epoch); None: none is set.
        chat: where it was last talked about, of what does not belong to one chat and person.
    """

    session: dict[str, Any] = field(default_factory=dict)
    stack: list[FlowInstance] = field(default_factory=list)
    aside: list[FlowInstance] = field(default_factory=list)
    alarm: int | None = None
    chat: str | None = None
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
        self.alarm, self.chat = other.alarm, other.chat

    def keep_results(self, notes: Mapping[str, Mapping[str, OnceResult]]) -> None:
        """Keeps the results of ``turn.once`` of a turn that failed, for the next run.

        Args:
            notes: ``instance/place`` to key to result.
        """
        for root in self.stack:
            known = {one.id: one for one in instances(root)}
            for name, results in notes.items():
                owner, _, place = name.partition("/")
                if owner in known:
                    _keep(known[owner], place, results)
                elif owner.startswith(f"{root.id}-"):
                    root.keep_for_called(owner, place, dict(results))

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
                data.get("alarm"),
                data.get("chat"),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptState(key, f"{type(error).__name__}: {error}") from error


def _keep(instance: FlowInstance, place: str, results: Mapping[str, OnceResult]) -> None:
    for visit in visits(instance):
        if visit.place == place:
            visit.once.update(results)
            return
    instance.spare[place] = dict(results)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An instance that was just set aside, and why."""

    instance: FlowInstance
    reason: str


def sort_out(conversation: Conversation, flows: Flows) -> list[Quarantined]:
    """Brings instances up to the versions of now; sets those aside that fit no code, and takes
    those back that fit again.
    """
    found: list[Quarantined] = []
    stack: list[FlowInstance] = []
    for one in conversation.stack:
        fitting = _fitting(one, flows)
        if isinstance(fitting, FlowInstance):
            stack.append(fitting)
        else:
            found.append(Quarantined(one, fitting))
    back = _back(conversation, flows) if conversation.aside else []
    for quarantined in found:
        quarantined.instance.status = Status.QUARANTINED
        conversation.aside.append(quarantined.instance)
    conversation.stack[:] = [*back, *stack]
    return found


def _back(conversation: Conversation, flows: Flows) -> list[FlowInstance]:
    """Takes out what was set aside and fits again."""
    fitting = [(one, _fitting(one, flows)) for one in conversation.aside]
    conversation.aside[:] = [one for one, fits in fitting if not isinstance(fits, FlowInstance)]
    back = [fits for _, fits in fitting if isinstance(fits, FlowInstance)]
    for one in back:
        one.status = Status.ACTIVE
    return back


def unfit(instance: FlowInstance, flows: Flows) -> str | None:
    """Why the code of now cannot go on with the instance; None: it can."""
    fitting = _fitting(instance, flows)
    return fitting if isinstance(fitting, str) else None


def _fitting(instance: FlowInstance, flows: Flows) -> FlowInstance | str:
    """The instance as the code of now can go on with it, or why it cannot."""
    try:
        fitting = migrated(instance, flows)
    except CannotMigrate as error:
        return str(error)
    return misfit(fitting, flows) or fitting
