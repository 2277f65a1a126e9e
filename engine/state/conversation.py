"""The state of a conversation: its session and its instances, and their JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.state.migrating import CannotMigrate, migrated, misfit
from engine.steps.places import Flows, instances, visits
from flows.errors import CorruptState
from flows.messages.translations import as_json
from flows.records import record
from flows.turns.instance import FlowInstance, Status
from flows.turns.stored import instance_from_json, instance_to_json
from flows.turns.visit import OnceResult, Visit, Waiting

FORMAT = 4
"""The version of this JSON; raised when an older engine could not read it."""

PLAIN = 3
"""The version of it where no text is one that can be said in several languages."""


@record(slots=True)
class Conversation:
    """What is kept of a conversation between its turns.

    Attributes:
        session: the session in its JSON form; empty before its first use.
        stack: running instances, the one on top last.
        aside: quarantined instances, kept until some code fits them.
        alarm: when the timer is set for that wakes this conversation (milliseconds since the
            epoch); None: none is set.
        chat: where it was last talked about, of what does not belong to one chat and person.
        parked: its chat is closed to us, as far as is known, until somebody writes there.
        fsm: the state of plain handlers (see ``flows.fsm.Machine``); None: there is none.
        marks: what pre-handlers have claimed, and until when (milliseconds since the epoch).
        locale: the one that was chosen here; None: none was.
        language: what the app of the person who was heard last said of their language; empty: it
            is not known.
        current: a turn of this process has brought its instances and their clocks up to the code
            of now. It is no part of the state.
    """

    session: dict[str, Any] = field(default_factory=dict)
    stack: list[FlowInstance] = field(default_factory=list)
    aside: list[FlowInstance] = field(default_factory=list)
    alarm: int | None = None
    chat: str | None = None
    parked: bool = False
    fsm: dict[str, Any] | None = None
    marks: dict[str, int] = field(default_factory=dict)
    locale: str | None = None
    language: str = ""
    current: bool = field(default=False, compare=False)

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
        self.alarm, self.chat, self.current = other.alarm, other.chat, other.current
        self.parked, self.fsm, self.marks = other.parked, other.fsm, other.marks
        self.locale, self.language = other.locale, other.language

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
        data: dict[str, Any] = {
            "session": self.session,
            "stack": [instance_to_json(one) for one in self.stack],
        }
        if self.aside:
            data["aside"] = [instance_to_json(one) for one in self.aside]
        if self.alarm is not None:
            data["alarm"] = self.alarm
        if self.chat is not None:
            data["chat"] = self.chat
        if self.parked:
            data["parked"] = True
        if self.fsm is not None:
            data["fsm"] = self.fsm
        if self.marks:
            data["marks"] = self.marks
        if self.locale is not None:
            data["locale"] = self.locale
        if self.language:
            data["language"] = self.language
        data["format"] = FORMAT if self.language else PLAIN
        return orjson.dumps(data, as_json, orjson.OPT_PASSTHROUGH_SUBCLASS).decode()

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
                [instance_from_json(one) for one in data.get("aside", ())],
                data.get("alarm"),
                data.get("chat"),
                data.get("parked", False),
                data.get("fsm"),
                data.get("marks") or {},
                data.get("locale"),
                data.get("language", ""),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise CorruptState(key, f"{type(error).__name__}: {error}") from error


def is_ours_alone(conversation: Conversation) -> bool:
    """Whether nobody outside of the engine can hold a part of it that could be changed: what
    handlers and inputs have handed in or been handed out is here of the types that cannot be.
    """
    if conversation.aside or len(conversation.stack) > 1:
        return False
    for one in conversation.stack:
        if one.fork is not None or one.shelved or one.spare or not _is_plain(one.visit):
            return False
    return True


def _is_plain(visit: Visit | None) -> bool:
    if visit is None:
        return False
    if visit.once or visit.given or visit.child or visit.escalated:
        return False
    for answer in visit.answers:
        if type(answer.value) not in _UNCHANGING:
            return False
    waiting = visit.waiting
    return waiting is None or _asks_plainly(waiting)


def _asks_plainly(waiting: Waiting) -> bool:
    if waiting.poll is not None or (waiting.prompt is not None and waiting.prompt.keyboard):
        return False
    for draft in waiting.drafts:
        if draft is not None:
            return False
    for button in waiting.buttons:
        if type(button.value) not in _UNCHANGING:
            return False
    for stored in waiting.inputs:
        for value in stored.values():
            if type(value) not in _UNCHANGING:
                return False
    return True


_UNCHANGING = frozenset((str, int, float, bool, type(None)))


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
    conversation.current = True
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
