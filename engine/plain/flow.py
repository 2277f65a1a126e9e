"""A plain handler as a flow of one step, which it is when it has asked."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, PlainSerializer, PlainValidator

from engine.plain.outcomes import follow
from flows.definition.chart import COMPLETED, compile_chart
from flows.definition.sources import fingerprint
from flows.flow import Flow, Hooks, StepCode
from flows.plain.context import context_of
from flows.plain.options import options_of
from flows.routing.patterns import BoundedMatch
from flows.routing.routes import PlainHandler
from flows.turns.actions import Action
from flows.turns.turn import Turn
from flows.updates import Content, Update


class PlainStep(Enum):
    """The only step of a plain handler."""

    HANDLER = "handler"


STEP = PlainStep.HANDLER.name
"""The name of that step, as it is stored."""


def _read(value: Any) -> Update:
    return value if isinstance(value, Update) else Update.from_json(orjson.dumps(value).decode())


def _written(update: Update) -> Any:
    return orjson.loads(update.to_json())


class PlainCall(BaseModel):
    """The data of such a flow: the update that called the handler."""

    update: Annotated[Update, PlainValidator(_read), PlainSerializer(_written)]


def call_data(update: Update) -> dict[str, Any]:
    """The data of a new run, in its JSON form."""
    return {"update": _written(update)}


_EDGES = {STEP: (COMPLETED,)}
_CHART = compile_chart("plain_handler", initial=STEP, edges=_EDGES, forks={})


Found = Callable[[PlainHandler, Content, int], BoundedMatch | None]
"""Answers what the pattern that calls a handler, by one of its routes, finds in a content."""


def plain_flow(name: str, handler: PlainHandler, found: Found) -> Flow[PlainStep, PlainCall]:
    """The handler as a flow of one step."""
    options = options_of(handler)

    async def step(turn: Turn[PlainStep, PlainCall]) -> Action[PlainStep]:
        update = turn.data.update
        match = partial(found, handler, update.content, turn._run.visit.seen.get("route", 0))
        context = context_of(turn, update, turn.payload, match)
        context._go_on(turn)
        before, ended = context.fsm.stored, False
        try:
            outcome = await handler(context)
            ended = not turn._run.suspended
        finally:
            if not ended:  # where it has asked, it will do it again
                context.fsm.stored = before
        if ended:  # else it went on after its question, and what it answered is ignored
            follow(outcome, context, handler)
            turn.session = context.session
        return turn.complete()

    return Flow(
        name=name,
        version=1,
        description="",
        steps=PlainStep,
        data=PlainCall,
        initial=PlainStep.HANDLER,
        code={STEP: StepCode(PlainStep.HANDLER, step, fingerprint(handler))},
        table=_EDGES,
        chart=_CHART,
        result=_whole,
        hooks=Hooks(),
        ttl=options.ttl,
        max_age=options.max_age,
        again="restart",
        interrupt=options.interrupt,
    )


def _whole(data: PlainCall) -> PlainCall:
    return data
