"""Steps that do not belong to the flow."""

# A mark belongs to its line, and makes it long.
# fmt: off
# ruff: noqa: E501

from __future__ import annotations

from enum import StrEnum, auto

from pydantic import BaseModel

from flows import Action, FlowBuilder, Integer, Text, Turn


class Step(StrEnum):
    NAME = auto()
    AGE = auto()


class Person(BaseModel):
    name: str = ""
    age: int = 0


class Other(StrEnum):
    NAME = auto()


class Parcel(BaseModel):
    weight: int = 0


builder = FlowBuilder("person", Step, Person)
other = FlowBuilder("parcel", Other, Parcel)


async def moves(turn: Turn[Step, Person]) -> Action[Step]:
    if turn.data.age == 1:
        return turn.next(Other.NAME)  # error: mypy=arg-type pyright=reportArgumentType
    if turn.data.age == 2:
        return turn.goto(Other.NAME)  # error: mypy=arg-type pyright=reportArgumentType
    if turn.data.age == 3:
        return turn.detour(Other.NAME)  # error: mypy=arg-type pyright=reportArgumentType
    if turn.data.age == 4:
        return turn.next("AGE")  # error: mypy=arg-type pyright=reportArgumentType
    return turn.next()


async def of_another_flow(turn: Turn[Other, Parcel]) -> Action[Other]:
    return turn.next()


async def of_other_data(turn: Turn[Step, Parcel]) -> Action[Step]:
    return turn.next()


async def answers_another_step(turn: Turn[Step, Person]) -> Action[Other]:
    raise NotImplementedError


async def no_decision(turn: Turn[Step, Person]) -> None:
    turn.reply("hm")


def not_async(turn: Turn[Step, Person]) -> Action[Step]:
    return turn.next()


builder.step(Step.NAME, of_another_flow)  # error: mypy=arg-type pyright=reportArgumentType,reportCallIssue
builder.step(Step.NAME, of_other_data)  # error: mypy=arg-type pyright=reportArgumentType,reportCallIssue
builder.step(Step.NAME, answers_another_step)  # error: mypy=arg-type pyright=reportArgumentType,reportCallIssue
builder.step(Step.NAME, no_decision)  # error: mypy=arg-type pyright=reportArgumentType,reportCallIssue
builder.step(Step.NAME, not_async)  # error: mypy=arg-type pyright=reportArgumentType,reportCallIssue
builder.step(Other.NAME, moves)  # error: mypy=call-overload pyright=reportArgumentType,reportCallIssue
builder.step(Step.NAME, moves, to=[Other.NAME])  # error: mypy=list-item pyright=reportArgumentType,reportCallIssue
builder.step(Step.NAME)(of_another_flow)  # error: mypy=arg-type pyright=reportArgumentType
builder.ask(Other.NAME, "?", Text(), into="name")  # error: mypy=call-overload pyright=reportArgumentType
builder.say(Other.NAME, "hm")  # error: mypy=arg-type pyright=reportArgumentType
builder.on_error(of_another_flow)  # error: mypy=arg-type pyright=reportArgumentType
builder.build(initial=Other.NAME)  # error: mypy=call-overload pyright=reportArgumentType


@builder.step(Step.AGE)  # error: mypy=arg-type pyright=reportArgumentType
async def decorated(turn: Turn[Other, Parcel]) -> Action[Other]:
    return turn.next()


@other.step(Other.NAME)
async def fits(turn: Turn[Other, Parcel]) -> Action[Other]:
    turn.data.weight = await turn.ask("?", Integer())
    return turn.next(Other.NAME)
