"""Definitions that mix up flows."""

# A mark belongs to its line, and makes it long.
# fmt: off
# ruff: noqa: E501

from __future__ import annotations

from enum import StrEnum, auto

from pydantic import BaseModel

from flows import END, Action, FlowBuilder, Turn
from flows.compose import sequence


class Step(StrEnum):
    NAME = auto()
    AGE = auto()


class Person(BaseModel):
    name: str = ""


class Other(StrEnum):
    NAME = auto()


class Parcel(BaseModel):
    weight: int = 0


builder = FlowBuilder("person", Step, Person)


async def hook(turn: Turn[Step, Person]) -> None:
    turn.reply("hm")


async def other_hook(turn: Turn[Other, Parcel]) -> None:
    turn.reply("hm")


def not_async(turn: Turn[Step, Person]) -> None:
    turn.reply("hm")


async def takes_one(turn: Turn[Step, Person]) -> Action[Step]:
    return turn.next()


def decides_elsewhere(turn: Turn[Step, Person]) -> Action[Other]:
    raise NotImplementedError


builder.on_exit(other_hook)  # error: mypy=arg-type pyright=reportArgumentType
builder.on_complete(not_async)  # error: mypy=arg-type pyright=reportArgumentType
builder.on_leave(Step.NAME, other_hook)  # error: mypy=arg-type pyright=reportArgumentType
builder.on_leave(Other.NAME, hook)  # error: mypy=call-overload pyright=reportArgumentType
builder.on_enter(Other.NAME, hook)  # error: mypy=call-overload pyright=reportArgumentType
builder.on_enter(Step.NAME)(other_hook)  # error: mypy=arg-type pyright=reportArgumentType
builder.middleware(takes_one)  # error: mypy=arg-type pyright=reportArgumentType
builder.on_timeout(decides_elsewhere)  # error: mypy=arg-type pyright=reportArgumentType
builder.step(Step.NAME, takes_one, on_enter=other_hook)  # error: mypy=arg-type pyright=reportArgumentType,reportCallIssue
builder.step(Step.NAME, takes_one, middleware=[hook])  # error: mypy=list-item pyright=reportArgumentType,reportCallIssue
builder.parallel(from_=Other.NAME, steps=[Step.NAME], join=END)  # error: mypy=arg-type pyright=reportArgumentType
builder.parallel(from_=Step.AGE, steps=[Other.NAME], join=END)  # error: mypy=list-item pyright=reportArgumentType
builder.parallel(from_=Step.AGE, steps=[Step.NAME], join=Other.NAME)  # error: mypy=arg-type pyright=reportArgumentType
builder.parallel(from_=Step.AGE, steps=[Step.NAME], join=END, need="most")  # error: mypy=arg-type pyright=reportArgumentType
builder.branch(Other.NAME, [(lambda data: True, END)], otherwise=END)  # error: mypy=arg-type pyright=reportArgumentType
builder.branch(Step.NAME, [(lambda data: True, Other.NAME)], otherwise=END)  # error: mypy=list-item pyright=reportArgumentType
builder.branch(Step.NAME, [(lambda data: data.weight > 1, END)], otherwise=END)  # error: mypy=attr-defined pyright=reportAttributeAccessIssue
builder.branch(Step.NAME, [(lambda data: True, END)], otherwise=Other.NAME)  # error: mypy=arg-type pyright=reportArgumentType
builder.build(initial=Step.NAME, result=lambda data: data.weight)  # error: mypy=attr-defined pyright=reportAttributeAccessIssue
builder.migrate(from_=1, data=lambda data: 3)  # error: mypy=arg-type,return-value pyright=reportArgumentType
FlowBuilder("person", Step, Person, again="maybe")  # error: mypy=arg-type pyright=reportArgumentType
FlowBuilder("person", Step, Person, interrupt=True)  # error: mypy=arg-type pyright=reportArgumentType

flow = builder.build(initial=Step.NAME, result=lambda data: data.name)


async def calls(turn: Turn[Step, Person]) -> Action[Step]:
    first, second = await turn.call(sequence("two", flow, flow))
    first.weight()  # error: mypy=attr-defined pyright=reportAttributeAccessIssue
    turn.data.name = second + 1  # error: mypy=operator pyright=reportOperatorIssue
    return turn.next()
