"""Definitions with all that a flow can say; accepted as they stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum, auto
from typing import Any, assert_type

from pydantic import BaseModel

from flows import END, Action, Flow, FlowBuilder, Text, Turn
from flows.compose import choose, sequence, together
from flows.turns.timing import Reminder


class Step(StrEnum):
    START = auto()
    EMAIL = auto()
    EMAIL_OK = auto()
    PHONE = auto()
    REVIEW = auto()


class Person(BaseModel):
    name: str = ""
    age: int = 0


builder = FlowBuilder("person", Step, Person, version=2, again="restart", interrupt="replace")


@builder.on_enter
@builder.on_exit
async def flow_hook(turn: Turn[Step, Person]) -> None:
    turn.reply(turn.data.name)


@builder.on_enter(Step.EMAIL)
@builder.on_leave(Step.EMAIL)
async def step_hook(turn: Turn[Step, Person]) -> None:
    turn.data.age += 1


@builder.middleware
async def around(
    turn: Turn[Step, Person], call_next: Callable[[], Awaitable[Action[Step]]]
) -> Action[Step]:
    return await call_next()


@builder.on_timeout
def late(turn: Turn[Step, Person]) -> Action[Step]:
    return turn.cancel("late")


async def asks(turn: Turn[Step, Person]) -> Action[Step]:
    turn.data.name = await turn.ask("?")
    return turn.next()


chained = (
    builder.parallel(
        from_=Step.START,
        steps=[(Step.EMAIL, Step.EMAIL_OK), Step.PHONE],
        join=Step.REVIEW,
        need="any",
        labels={Step.EMAIL: "E-mail"},
        merge={"age": sum, "name": max},
    )
    .branch(Step.REVIEW, [(lambda data: data.age > 3, Step.START)], otherwise=END)
    .step(Step.EMAIL, asks, timeout=timedelta(days=1), remind=[timedelta(hours=1)])
    .ask(Step.EMAIL_OK, "?", Text(), into="name", remind=Reminder(timedelta(hours=1), "Hm?"))
    .step(Step.PHONE, asks, on_timeout=lambda turn: turn.cancel(), middleware=[around])
    .on_enter(Step.PHONE, step_hook)
    .migrate(from_=1, renamed={"OLD": Step.EMAIL, "OLDER": "OLD"}, data=lambda data: data)
)
assert_type(chained, FlowBuilder[Step, Person])

whole = builder.build(initial=Step.START)
assert_type(whole, Flow[Step, Person, Person])
named = builder.build(initial=Step.START, result=lambda data: data.name)
assert_type(named, Flow[Step, Person, str])
aged = builder.build(initial=Step.START, result=lambda data: data.age)

assert_type(sequence("both", named, aged), Flow[Any, Any, tuple[str, int]])
assert_type(together("both", named, aged), Flow[Any, Any, tuple[str, int]])
assert_type(together("some", named, aged, need=1), Flow[Any, Any, tuple[str | None, int | None]])
assert_type(choose("one", "?", ("A", named), ("B", aged)), Flow[Any, Any, str | int])
assert_type(choose("same", "?", {"A": named, "B": named}), Flow[Any, Any, str])


async def calls(turn: Turn[Step, Person]) -> Action[Step]:
    name, age = await turn.call(sequence("both", named, aged))
    assert_type(name, str)
    assert_type(age, int)
    return turn.next()
