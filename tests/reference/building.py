"""Makes real flows of plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

from pydantic import BaseModel

from engine import App
from flows import END as FLOW_END
from flows import (
    Action,
    Choice,
    Flow,
    FlowBuilder,
    FlowRegistry,
    Input,
    Integer,
    OnCommand,
    Progress,
    Router,
    Text,
    Turn,
)
from tests.reference.plans import (
    END,
    PICKS,
    Ask,
    BotPlan,
    Call,
    Decision,
    FlowPlan,
    ForkPlan,
    StepPlan,
)

AnyTurn = Turn[Any, Any]
Flows = dict[str, Flow[Any, Any, Any]]


class Fields(BaseModel):
    """The data of every flow."""

    a: str = ""
    b: str = ""
    c: str = ""


class HandlerFailed(Exception):
    """A step of a plan decided to fail."""


def build_app(bot: BotPlan) -> App:
    """The bot of the plan. Flows that are called stand before their callers."""
    registry, router, flows = FlowRegistry(), Router("reference"), Flows()
    for plan in bot.flows:
        flows[plan.name] = _flow(plan, flows)
        registry.register(OnCommand(plan.name), flows[plan.name])
    registry.back_command("back")
    registry.cancel_command("cancel")
    registry.help_command("help")
    registry.apply_to_router(router)
    return App(router)


def _flow(plan: FlowPlan, flows: Flows) -> Flow[Any, Any, Any]:
    steps: Any = Enum("Step", [step.name for step in plan.steps])  # type: ignore[misc]  # no literal
    builder: FlowBuilder[Any, Fields] = FlowBuilder(
        plan.name, steps, Fields, again=plan.again, interrupt=plan.interrupt, ttl=_span(plan.ttl)
    )
    for step in plan.steps:
        to = None if step.to is None else [_target(steps, name) for name in step.to]
        builder.step(steps[step.name], _handler(step, steps, flows), to=to)
        if step.cases:
            cases = [(_holds(name, letter), _target(steps, to)) for name, letter, to in step.cases]
            builder.branch(steps[step.name], cases, otherwise=_target(steps, step.otherwise))
    if plan.fork is not None:
        _fork(builder, plan, plan.fork, steps)
    if plan.hooks:
        _hooks(builder, plan, steps)
    return builder.build(initial=steps[plan.steps[0].name], result=lambda data: data.a)


def _fork(builder: FlowBuilder[Any, Fields], plan: FlowPlan, fork: ForkPlan, steps: Any) -> None:
    def hub(progress: Progress[Any, Any]) -> str:
        return f"hub {plan.name} {progress.done}/{progress.need}"

    builder.parallel(
        from_=steps[fork.after],
        steps=[tuple(steps[name] for name in branch) for branch in fork.branches],
        join=_target(steps, fork.join),
        need=fork.need,
        labels={steps[branch[0]]: branch[0] for branch in fork.branches},
        hub=hub,
    )


def _hooks(builder: FlowBuilder[Any, Fields], plan: FlowPlan, steps: Any) -> None:
    builder.on_enter(_saying(f"[{plan.name} enter]"))
    builder.on_complete(_saying(f"[{plan.name} complete]"))
    builder.on_cancel(_saying(f"[{plan.name} cancel]"))
    for step in plan.steps:
        builder.on_enter(steps[step.name], _saying(f"[{plan.name} enter {step.name}]"))
        builder.on_leave(steps[step.name], _saying(f"[{plan.name} leave {step.name}]"))

    @builder.on_exit
    async def over(turn: AnyTurn) -> None:
        assert turn.ending is not None
        turn.reply(f"[{plan.name} exit {turn.ending.value}]")


def _saying(text: str) -> Callable[[AnyTurn], Any]:
    async def hook(turn: AnyTurn) -> None:
        turn.reply(text)

    return hook


def _holds(name: str, letter: str) -> Callable[[Fields], bool]:
    return lambda data: letter in getattr(data, name)


def _target(steps: Any, name: str) -> Any:
    return FLOW_END if name == END else steps[name]


def _handler(plan: StepPlan, steps: Any, flows: Flows) -> Callable[[AnyTurn], Any]:
    async def step(turn: AnyTurn) -> Action[Any]:
        if plan.says:
            turn.reply(plan.says)
        answer = ""
        for part in plan.parts:
            answer = await _answer(turn, part, flows)
        if plan.writes is not None:
            setattr(turn.data, plan.writes, f"{getattr(turn.data, plan.writes)}{answer}"[-9:])
        return _decide(turn, plan.ways.get(answer, plan.usual), steps)

    return step


async def _answer(turn: AnyTurn, part: Ask | Call, flows: Flows) -> str:
    if isinstance(part, Call):
        return str(await turn.call(flows[part.flow]))
    answer = await turn.ask(
        part.text, _wanted(part), timeout=_span(part.timeout), remind=_span(part.remind)
    )
    return str(answer)


def _wanted(ask: Ask) -> Input[Any]:
    match ask.wants:
        case "word":
            return Text()
        case "number":
            return Integer(retry=ask.refusal)
        case "pick":
            return Choice(PICKS, retry=ask.refusal)


def _decide(turn: AnyTurn, decision: Decision, steps: Any) -> Action[Any]:
    target = steps[decision.step] if decision.step is not None else None
    decide: Mapping[str, Callable[[], Action[Any]]] = {
        "next": lambda: turn.next() if target is None else turn.next(target),
        "goto": lambda: turn.goto(target),
        "detour": lambda: turn.detour(target),
        "back": turn.back,
        "restore": lambda: turn.back(restore=True),
        "repeat": lambda: turn.repeat("again"),
        "done": turn.done,
        "complete": turn.complete,
        "cancel": turn.cancel,
    }
    if decision.verb == "fail":
        raise HandlerFailed
    return decide[decision.verb]()


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
