"""Fields, answers and dependencies of the wrong kind."""

# A mark belongs to its line, and makes it long.
# fmt: off
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from pydantic import BaseModel

from flows import (
    Action,
    AnyOf,
    Choice,
    Confirm,
    Contact,
    Context,
    Email,
    FlowBuilder,
    Integer,
    MultiChoice,
    Text,
    Time,
    Turn,
    WebAppData,
)


class Step(StrEnum):
    NAME = auto()
    AGE = auto()


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


@dataclass(frozen=True)
class Others:
    pager: str


class Visitor(BaseModel):
    messages: int = 0


def save_text(data: Person, value: str) -> None:
    data.name = value


builder = FlowBuilder("person", Step, Person, deps=Services)
builder.ask(Step.AGE, "?", Integer(), save=save_text)  # error: mypy=arg-type pyright=reportArgumentType
builder.ask(Step.AGE, "?", Integer())  # error: mypy=call-overload pyright=reportCallIssue
builder.ask(Step.AGE, "?", Integer, into="age")  # error: mypy=call-overload pyright=reportArgumentType


async def fields(turn: Turn[Step, Person]) -> Action[Step]:
    turn.data.nmae = "Ada"  # error: mypy=attr-defined pyright=reportAttributeAccessIssue
    turn.data.age = "36"  # error: mypy=assignment pyright=reportAttributeAccessIssue
    return turn.nxt()  # error: mypy=attr-defined,no-any-return pyright=reportAttributeAccessIssue


async def answers(turn: Turn[Step, Person]) -> Action[Step]:
    a: int = await turn.ask("?", Email())  # error: mypy=arg-type pyright=reportAssignmentType
    b: str = await turn.ask("?", Confirm())  # error: mypy=arg-type pyright=reportAssignmentType
    c: str = await turn.ask("?", Choice(Plan))  # error: mypy=arg-type pyright=reportAssignmentType
    d: int = await turn.ask("?")  # error: mypy=assignment pyright=reportAssignmentType
    turn.data.age = await turn.ask("?", Text())  # error: mypy=arg-type pyright=reportAttributeAccessIssue
    turn.reply(f"{a}{b}{c}{d}")
    return turn.next()


async def more_answers(turn: Turn[Step, Person]) -> Action[Step]:
    a: str = await turn.ask("?", Time())  # error: mypy=arg-type pyright=reportAssignmentType
    b: Plan = await turn.ask("?", MultiChoice(Plan))  # error: mypy=arg-type pyright=reportAssignmentType
    c: list[int] = await turn.ask("?", MultiChoice(["a", "b"]))  # error: mypy=arg-type pyright=reportAssignmentType
    d: int = await turn.ask("?", AnyOf(Integer(), Email()))  # error: mypy=arg-type pyright=reportAssignmentType
    e: str = await turn.ask("?", WebAppData(Visitor))  # error: mypy=arg-type pyright=reportAssignmentType
    f: str = await turn.ask("?", Contact())  # error: mypy=arg-type pyright=reportAssignmentType
    turn.reply(f"{a}{b}{c}{d}{e}{f}")
    await turn.ask("?", MultiChoice(Plan), keep=[1])  # error: mypy=misc pyright=reportArgumentType,reportCallIssue
    await turn.ask("?", AnyOf(Integer(), Email()), keep=Plan.PRO)  # error: mypy=misc pyright=reportArgumentType,reportCallIssue
    AnyOf(Integer(), Email)  # error: mypy=call-overload pyright=reportArgumentType
    MultiChoice(Plan, labels={"PRO": "Pro"})  # error: mypy=misc pyright=reportArgumentType
    return turn.next()


async def keeps(turn: Turn[Step, Person]) -> Action[Step]:
    await turn.ask("?", Email(), keep=3)  # error: mypy=misc pyright=reportArgumentType,reportCallIssue
    await turn.ask("?", Choice(Plan), keep="Pro")  # error: mypy=misc pyright=reportArgumentType,reportCallIssue
    await turn.ask("?", keep=3)  # error: mypy=call-overload pyright=reportArgumentType
    return turn.next()


def longer(value: str) -> str | None:
    return None if len(value) > 3 else "longer, please"


async def checks(turn: Turn[Step, Person]) -> Action[Step]:
    await turn.ask("?", Integer(), check=longer)  # error: mypy=arg-type pyright=reportArgumentType,reportCallIssue
    rate: str = await turn.once("rate", lambda: 3)  # error: mypy=arg-type,return-value pyright=reportAssignmentType
    turn.reply(rate)
    return turn.next()


async def uses_services(turn: Turn[Step, Person, Services]) -> Action[Step]:
    turn.reply(turn.deps.pager)  # error: mypy=attr-defined pyright=reportAttributeAccessIssue
    return turn.next()


async def wants_others(turn: Turn[Step, Person, Others]) -> Action[Step]:
    turn.reply(turn.deps.pager)
    return turn.next()


builder.step(Step.NAME, wants_others)  # error: mypy=arg-type pyright=reportArgumentType,reportCallIssue


async def late(turn: Turn[Step, Person]) -> None:
    turn.reply("Too late.")


async def asking(ctx: Context[Visitor, Services]) -> None:
    name: int = await ctx.ask("?")  # error: mypy=assignment pyright=reportAssignmentType
    years: str = await ctx.ask("?", Integer())  # error: mypy=arg-type pyright=reportAssignmentType
    photo: str = await ctx.wait_voice("?")  # error: mypy=assignment pyright=reportAssignmentType
    await ctx.wait_text("?", otherwise=late)  # error: mypy=arg-type pyright=reportArgumentType
    await ctx.wait_text("?", timeot=None)  # error: mypy=call-arg pyright=reportCallIssue
    ctx.reply(f"{name} {years} {photo}")


async def plain(ctx: Context[Visitor, Services]) -> None:
    ctx.session.mesages += 1  # error: mypy=attr-defined pyright=reportAttributeAccessIssue
    ctx.reply(ctx.deps.pager)  # error: mypy=attr-defined pyright=reportAttributeAccessIssue
