"""A bot that uses all forms of definition, and is accepted as it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from enum import Enum, StrEnum, auto
from typing import assert_type

from pydantic import BaseModel

from engine import App
from flows import (
    END,
    Action,
    AnyOf,
    CallNext,
    Choice,
    Confirm,
    Contact,
    ContactCard,
    Context,
    Date,
    DiceThrow,
    Edited,
    Email,
    FileRef,
    Flow,
    FlowBuilder,
    FlowRegistry,
    Integer,
    Location,
    MultiChoice,
    OnCommand,
    Payment,
    Phone,
    Photo,
    Photos,
    Place,
    Poll,
    PollInfo,
    Receipt,
    Router,
    Sticker,
    StickerInfo,
    Text,
    Time,
    Turn,
    WebAppData,
    call_flow,
    field,
)


class Step(StrEnum):
    NAME = auto()
    AGE = auto()
    PLAN = auto()
    CONFIRM = auto()


class Plan(Enum):
    FREE = 1
    PRO = 2


class Person(BaseModel):
    name: str = ""
    age: int = 0
    plan: Plan | None = None


@dataclass(frozen=True)
class Services:
    mailer: str


class Visitor(BaseModel):
    messages: int = 0


builder = FlowBuilder("person", Step, Person)


@builder.step(Step.NAME)
async def name(turn: Turn[Step, Person]) -> Action[Step]:
    turn.data.name = await turn.ask("Name?", Text(max_length=80), keep=turn.data.name or None)
    return turn.next()


def save_age(data: Person, value: int) -> None:
    data.age = value


def save_plan(data: Person, value: Plan) -> None:
    data.plan = value


async def confirm(turn: Turn[Step, Person]) -> Action[Step]:
    if not await turn.ask("Right?", Confirm()):
        return turn.detour(Step.NAME)
    if turn.data.age < 18:
        return turn.goto(Step.AGE)
    return turn.complete()


chained = (
    builder.ask(Step.AGE, "Age?", Integer(ge=0), save=save_age)
    .ask(Step.PLAN, "Plan?", Choice(Plan), save=save_plan)
    .step(Step.CONFIRM, confirm, to=[Step.AGE, END])
)
assert_type(chained, FlowBuilder[Step, Person])


@builder.on_error
async def recover(turn: Turn[Step, Person], error: Exception) -> Action[Step]:
    turn.log("failed", error=str(error))
    return turn.retry()


flow = builder.build(initial=Step.NAME)
assert_type(flow, Flow[Step, Person])

with_services = FlowBuilder("served", Step, Person, deps=Services)


@with_services.step(Step.NAME)
async def served(turn: Turn[Step, Person, Services]) -> Action[Step]:
    turn.reply(turn.deps.mailer.upper())
    return turn.next()


async def typed_answers(turn: Turn[Step, Person]) -> Action[Step]:
    assert_type(await turn.ask("?"), str)
    assert_type(await turn.ask("?", Email()), str)
    assert_type(await turn.ask("?", Integer()), int)
    assert_type(await turn.ask("?", Date()), date)
    assert_type(await turn.ask("?", Confirm()), bool)
    assert_type(await turn.ask("?", Photo()), FileRef)
    assert_type(await turn.ask("?", Choice(Plan)), Plan)
    assert_type(await turn.ask("?", Choice({"One": 1, "Two": 2}), check=lambda n: None), int)
    assert_type(await turn.ask("?", Choice(["one", "two"]), keep="one"), str)
    assert_type(await turn.ask("?", MultiChoice(Plan), keep=[Plan.PRO]), list[Plan])
    assert_type(await turn.ask("?", MultiChoice(["a", "b"])), list[str])
    assert_type(await turn.ask("?", Date(picker=True)), date)
    assert_type(await turn.ask("?", Time()), time)
    assert_type(await turn.ask("?", AnyOf(Photo(), Integer())), FileRef | int)
    assert_type(await turn.ask("?", AnyOf(Contact(), Phone(), Confirm())), ContactCard | str | bool)
    assert_type(await turn.ask("?", Photos()), list[FileRef])
    assert_type(await turn.ask("?", Sticker()), StickerInfo)
    assert_type(await turn.ask("?", Poll()), PollInfo)
    assert_type(await turn.ask("?", DiceThrow()), int)
    assert_type(await turn.ask("?", Payment()), Receipt)
    assert_type(await turn.ask("?", Edited(Integer())), int)
    assert_type(await turn.ask("?", AnyOf(Text(), Edited(Integer()))), str | int)
    assert_type(await turn.ask("?", Location()), Place)
    assert_type(await turn.ask("?", WebAppData()), str)
    assert_type(await turn.ask("?", WebAppData(Visitor)), Visitor)
    turn.data.age = await turn.ask("?", field(Person, "age"))
    assert_type(await turn.once("rate", lambda: 3), int)
    assert_type(await turn.once("fetch", fetch), float)
    return turn.next(Step.AGE)


async def fetch() -> float:
    return 1.5


async def explicit(turn: Turn[Step, Person]) -> Action[Step]:
    match turn.input:
        case None:
            return turn.wait(Text(), Integer(), prompt="Which?")
        case answer:
            turn.reply(f"{answer}")
            return turn.back(restore=True)


router = Router("bot")
registry = FlowRegistry()
registry.register(OnCommand("start"), flow)
registry.apply_to_router(router)


@router.middleware
async def count(ctx: Context[Visitor, Services], call_next: CallNext) -> None:
    ctx.session.messages += 1
    await call_next()


@router.command("again")
async def again(ctx: Context[Visitor, Services]) -> None:
    ctx.reply(ctx.deps.mailer)
    await call_flow(ctx, registry, "person", {"name": "Ada"})
    await call_flow(ctx, flow, {"name": "Ada"})


app = App(router, session=Visitor, deps=Services("smtp"))
