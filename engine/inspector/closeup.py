"""One instance, as an operator may see it: what is ``Sensitive`` is masked everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel

from engine.operate import InstanceView, Traffic
from engine.operate.lookup import visits
from engine.plain.flow import PlainCall
from engine.privacy.confidences import of_instance
from engine.privacy.redaction import Redactor
from engine.state.conversation import unfit
from engine.steps.places import Flows, escalated, instances
from flows.inputs import input_from_json
from flows.messages.replies import Reply
from flows.ports import InstanceRow, TransitionRow
from flows.sensitive import MASK, masked, sensitive_fields, spoken
from flows.turns.instance import FlowInstance, Line, Status
from flows.turns.visit import Escalation, Visit, Waiting

UNREADABLE = "(it is encrypted with a key that is not here, or was changed since)"


@dataclass(frozen=True, slots=True)
class Wait:
    """What a step waits for.

    Attributes:
        whom: ``person``, ``event`` or ``operator``.
        text: the question, or why it was handed over.
        hints: what is taken as an answer.
        since, until: milliseconds since the epoch.
    """

    step: str
    whom: str
    text: str
    hints: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Noted:
    """A line of a step's journal."""

    step: str
    what: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Past:
    """The steps that a line was at before, the oldest first; ``branch``: which, in a fork."""

    branch: str
    steps: tuple[str, ...]
    done: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that has not arrived."""

    text: str
    state: str
    tries: int
    due: int


@dataclass(frozen=True, slots=True)
class Closeup:
    """All of one instance.

    Attributes:
        fault: why it is set aside.
        options: label and value of each answer that an operator may give, where there are some.
        answers: whether it waits for an operator.
        data: the name of each field, of its flow and of those that it has called, and its value.
        been: the steps that it has been at.
    """

    row: InstanceRow
    live: bool
    started: int | None
    fault: str | None
    parked: bool
    expires: int | None
    ends: int | None
    waits: tuple[Wait, ...]
    answers: bool
    options: tuple[tuple[str, Any], ...]
    data: tuple[tuple[str, str], ...]
    history: tuple[Past, ...]
    journal: tuple[Noted, ...]
    timers: tuple[tuple[str, int], ...]
    moves: tuple[TransitionRow, ...]
    been: frozenset[str]
    outgoing: tuple[Outgoing, ...]
    unhandled: tuple[tuple[str, int, int], ...]


def closeup(view: InstanceView, traffic: Traffic, flows: Flows) -> Closeup:
    """An instance with what is on its way to and from its conversation."""
    row, instance = view.row, view.instance
    flow = flows.get(row.flow)
    model = flow.data if flow is not None else None
    redactor = Redactor(_hidden(view, flows, model))
    still = instance is not None and escalated(instance)  # time stands still meanwhile
    escalation = _escalation(instance)
    return Closeup(
        row=row,
        live=instance is not None,
        started=instance.started if instance is not None else None,
        fault=_fault(instance, flows),
        parked=view.parked,
        expires=instance.silent if instance is not None and not still else None,
        ends=instance.oldest if instance is not None and not still else None,
        waits=tuple(_waits(instance, redactor)),
        answers=escalation is not None,
        options=_options(escalation),
        data=tuple(_data(instance, row, flows, model)),
        history=tuple(_history(instance)),
        journal=tuple(_journal(instance, flows)),
        timers=tuple((timer.name, timer.due) for timer in view.timers),
        moves=tuple(_told(move, redactor) for move in view.moves),
        been=frozenset(move.target for move in view.moves if move.target is not None),
        outgoing=tuple(
            Outgoing(
                redactor.text(one.send.text) if isinstance(one.send, Reply) else
                f"({type(one.send).__name__.lower()} of an earlier message)",
                one.state, one.tries, one.due,
            )
            for one in traffic.unsent
        ),
        unhandled=tuple((one.kind, one.at, one.tries) for one in traffic.unhandled),
    )  # fmt: skip


def _hidden(view: InstanceView, flows: Flows, model: type[BaseModel] | None) -> Iterator[str]:
    """What must not be shown, as far as it is known."""
    if view.instance is not None:
        yield from of_instance(view.instance, flows)
    result = _read(view.row.result)
    if isinstance(result, dict):
        names = result if model is None else sensitive_fields(model)
        yield from spoken([result.get(name) for name in names])


def _read(result: str | None) -> Any:
    return None if result is None else orjson.loads(result)


def _fault(instance: FlowInstance | None, flows: Flows) -> str | None:
    if instance is None or instance.status is not Status.QUARANTINED:
        return None
    return unfit(instance, flows) or "it fits again, and goes on next time"


def _escalation(instance: FlowInstance | None) -> Escalation | None:
    if instance is None:
        return None
    return next((visit.escalated for visit in visits(instance) if visit.escalated), None)


def _options(escalation: Escalation | None) -> tuple[tuple[str, Any], ...]:
    if escalation is None or escalation.accept is None:
        return ()
    return tuple(input_from_json(escalation.accept).options())


def _waits(instance: FlowInstance | None, redactor: Redactor) -> Iterator[Wait]:
    for visit in visits(instance) if instance is not None else ():
        if visit.escalated is not None:
            accept = visit.escalated.accept
            hints = () if accept is None else (input_from_json(accept).hint(),)
            reason = redactor.text(visit.escalated.reason)
            yield Wait(visit.step, "operator", reason, hints, since=visit.escalated.at)
        if visit.waiting is not None:
            yield _wait(visit, visit.waiting, redactor)


def _wait(visit: Visit, waiting: Waiting, redactor: Redactor) -> Wait:
    whom = "person" if waiting.ticket is None else "event"
    asked = redactor.text(waiting.prompt.text) if waiting.prompt is not None else ""
    hints = tuple(dict.fromkeys(input_from_json(one).hint() for one in waiting.inputs))
    return Wait(visit.step, whom, asked, hints, until=waiting.deadline, failures=waiting.failures)


def _data(
    instance: FlowInstance | None, row: InstanceRow, flows: Flows, model: type[BaseModel] | None
) -> Iterator[tuple[str, str]]:
    if instance is None:
        left = _read(row.result)
        if isinstance(left, dict):
            yield from _fields("", left, model)
        elif left is not None:
            yield "", UNREADABLE
        return
    for one in instances(instance):
        flow = flows.get(one.flow)
        prefix = "" if one is instance else f"{one.flow}: "
        yield from _fields(prefix, one.data, flow.data if flow is not None else None)


def _fields(
    prefix: str, data: dict[str, Any], model: type[BaseModel] | None
) -> Iterator[tuple[str, str]]:
    """Where no flow tells what is sensitive, all of it is; and what calls a plain handler may go
    anywhere.
    """
    if model is None or model is PlainCall:
        shown: dict[str, Any] = dict.fromkeys(data, MASK)
    else:
        shown = masked(model, data)
    for name, value in shown.items():
        yield f"{prefix}{name}", _json(value)


def _history(instance: FlowInstance | None) -> Iterator[Past]:
    if instance is None:
        return
    yield Past("", _steps(instance))
    for branch in instance.fork.branches if instance.fork is not None else ():
        yield Past(branch.head, _steps(branch), branch.done)


def _steps(line: Line) -> tuple[str, ...]:
    now = (line.visit.step,) if line.visit is not None else ()
    return tuple(past.step for past in line.history) + now


def _journal(instance: FlowInstance | None, flows: Flows) -> Iterator[Noted]:
    """What the steps that are not left yet were told; masked where the flow has secrets at all,
    since it is not known yet where an answer goes.
    """
    for one in instances(instance) if instance is not None else ():
        flow = flows.get(one.flow)
        secret = flow is None or flow.data is PlainCall or bool(sensitive_fields(flow.data))
        for line in one.lines():
            if line.visit is not None:
                yield from _noted(line.visit, secret=secret)


def _noted(visit: Visit, *, secret: bool) -> Iterator[Noted]:
    def shown(value: Any) -> str:
        return MASK if secret and value not in (None, "", True, False) else _json(value)

    for answer in visit.answers:
        yield Noted(visit.step, answer.kind, answer.key or "", shown(answer.value))
    if visit.given is not None:
        yield Noted(visit.step, "answer", "", shown(visit.given.value))
    for key, result in visit.once.items():
        yield Noted(visit.step, "once", key, shown(result.value))


def _told(move: TransitionRow, redactor: Redactor) -> TransitionRow:
    return TransitionRow(
        move.conv, move.turn, move.n, move.instance, move.flow, move.source, move.target,
        redactor.text(move.cause), move.at,
    )  # fmt: skip


def _json(value: Any) -> str:
    return MASK if value == MASK else orjson.dumps(value).decode()


def steps_of(flows: Flows, flow: str, counted: Iterable[str]) -> list[str]:
    """The steps that one may filter by: those of the code, then others that instances are at."""
    known = flows[flow].table if flow in flows else ()
    return list(dict.fromkeys([*known, *sorted(counted)]))
