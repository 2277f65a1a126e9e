"""``ps`` and ``show``: what runs, and one of them closely."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
import typer
from pydantic import BaseModel

from engine.channels.console.plain import harmless
from engine.cli import beside
from engine.cli.loading import load_app
from engine.cli.output import say, table
from engine.cli.talking import Target
from engine.operate import InstancePage, InstanceView
from engine.operate.lookup import visits
from engine.operate.words import moment, span, who
from engine.privacy.confidences import of_instance
from engine.privacy.redaction import Redactor
from engine.state.conversation import unfit
from engine.steps.places import Flows, escalated
from flows.errors import UnknownFlow
from flows.inputs import input_from_json
from flows.ports import InstanceRow
from flows.sensitive import MASK, masked
from flows.turns.instance import FlowInstance, Status
from flows.turns.visit import Escalation, Visit, Waiting

COLUMNS = ("id", "flow", "step", "status", "who", "idle")

Instance = Annotated[
    str, typer.Argument(metavar="INSTANCE", help="Its id, as 'handrail ps' lists it.")
]


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    app.command()(ps)
    app.command()(show)


def ps(
    target: Target,
    flow: Annotated[str | None, typer.Option(help="Only instances of this flow.")] = None,
    status: Annotated[
        Status | None, typer.Option(help="Only those that are so; ended ones too.")
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Those that have ended as well.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
) -> None:
    """List the instances that run, the one that moved last first.

    It works while the bot runs, and when it does not. Ended instances are kept for two days,
    unless the bot says otherwise.

    Example: handrail ps examples.signup:app --flow signup
    """
    app = load_app(target)

    async def look() -> InstancePage:
        live = None if all or status is not None else True
        async with beside.operator(app) as operator:
            return await operator.instances(flow=flow, status=status, live=live, limit=limit)

    page = beside.run(look())
    if not page.rows and flow is not None and flow not in app.flows:
        raise UnknownFlow(flow, app.flows)
    if not page.rows:
        say("Nothing to list." if all or status else "Nothing runs.")
        return
    table(COLUMNS, [_row(row) for row in page.rows])
    if page.next is not None:
        say(f"These are the newest {limit}. There are more: say --flow, --status or --limit.")


def show(target: Target, instance: Instance) -> None:
    """Show an instance: its step, what it waits for, its data and its last moves.

    Example: handrail show examples.signup:app 2s-0
    """
    app = load_app(target)

    async def look() -> InstanceView:
        async with beside.operator(app) as operator:
            return await operator.show(instance)

    view = beside.run(look())
    for name, value in _facts(view, target, app.flows):
        say(f"{name:<10} {harmless(value)}")


def summary(row: InstanceRow) -> str:
    """An instance in a line."""
    return f"{row.id}: {row.flow} at {row.step or '(no step)'}, {row.status}"


def age(at: int) -> str:
    """How long ago it was."""
    return span(_now() - at)


def _row(row: InstanceRow) -> tuple[str, ...]:
    return (row.id, row.flow, row.step, row.status, who(row.conv), age(row.updated))


def _facts(view: InstanceView, target: str, flows: Flows) -> Iterator[tuple[str, str]]:
    row = view.row
    model = flows[row.flow].data if row.flow in flows else None
    yield "instance", row.id
    yield "flow", f"{row.flow}, version {row.flow_version}"
    yield "step", row.step or "(none)"
    yield "status", row.status
    yield "who", who(row.conv)
    yield "in", row.conv
    yield "idle", age(row.updated)
    if view.instance is not None and view.instance.status is Status.QUARANTINED:
        yield "set aside", unfit(view.instance, flows) or "it fits again, and goes on next time"
    if view.parked:
        yield "parked", "its chat is closed to the bot; it goes on when its person writes"
    if view.instance is not None:
        yield from _state(view.instance, target, Redactor(of_instance(view.instance, flows)))
        yield from _data(view.instance.data, model)
    elif row.result is not None:
        yield from _result(row.result, model)
    for timer in view.timers:
        yield "timer", f"{timer.name}, {_when(timer.due)}"
    for move in view.moves:
        way = f"{move.source or '(start)'} -> {move.target or '(end)'}"
        yield "move", f"{moment(move.at)} {way} by {move.cause}"


def _state(instance: FlowInstance, target: str, redactor: Redactor) -> Iterator[tuple[str, str]]:
    yield "started", moment(instance.started)
    for visit in visits(instance):
        yield from (("waits for", line) for line in _waits(visit, instance, target, redactor))
    if instance.history:
        yield "came by", " ".join(past.step for past in instance.history)
    if escalated(instance):
        return  # time stands still while an operator looks at it
    for label, due in (("expires", instance.silent), ("ends", instance.oldest)):
        if due is not None:
            yield label, _when(due)


def _data(data: dict[str, Any], model: type[BaseModel] | None) -> Iterator[tuple[str, str]]:
    """The data as an operator may see it; where no flow tells what is sensitive, all of it is."""
    shown = dict.fromkeys(data, MASK) if model is None else masked(model, data)
    for name, value in shown.items():
        yield "data", f"{name} = {orjson.dumps(value).decode()}"


def _result(result: str, model: type[BaseModel] | None) -> Iterator[tuple[str, str]]:
    data = orjson.loads(result)
    if isinstance(data, dict):
        yield from _data(data, model)
    else:
        yield "data", "(it is encrypted with a key that is not here, or was changed since)"


def _waits(visit: Visit, instance: FlowInstance, target: str, redactor: Redactor) -> Iterator[str]:
    """A question or a reason may quote what operators do not see."""
    if visit.escalated is not None:
        yield f"an operator ({visit.step}): {redactor.text(_escalation(visit.escalated))}"
        yield f"  answer: handrail resume {target} {instance.id} PAYLOAD"
    if visit.waiting is not None and visit.waiting.ticket is not None:
        yield f"an outside event ({visit.step}), which comes with:"
        yield f"  handrail resume {target} {visit.waiting.ticket} PAYLOAD"
    elif visit.waiting is not None:
        yield f"its person ({visit.step}): {redactor.text(_question(visit.waiting))}"


def _escalation(escalation: Escalation) -> str:
    since = f"since {moment(escalation.at)}, {escalation.reason}"
    if escalation.accept is None:
        return since
    return f"{since}. {input_from_json(escalation.accept).hint()}"


def _question(waiting: Waiting) -> str:
    asked = waiting.prompt.text if waiting.prompt is not None else "(no prompt)"
    until = f" (until {moment(waiting.deadline)})" if waiting.deadline is not None else ""
    return " ".join(asked.split()) + until


def _when(due: int) -> str:
    left = due - _now()
    return f"{moment(due)}, in {span(left)}" if left > 0 else f"{moment(due)}, now due"


def _now() -> int:
    return time.time_ns() // 1_000_000
