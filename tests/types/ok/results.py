"""Results of called flows and of branches, accepted as they stand."""

from __future__ import annotations

from enum import Enum, auto
from typing import assert_type

from pydantic import BaseModel

from flows import Action, FlowBuilder, Text, Turn


class Step(Enum):
    START = auto()
    NAME = auto()
    END = auto()


class Person(BaseModel):
    name: str = ""


class Street(BaseModel):
    line: str = ""


class One(Enum):
    ONLY = auto()


street = FlowBuilder("street", One, Street).ask(One.ONLY, "Street?", Text(), into="line")
as_data = street.build(initial=One.ONLY)
as_text = street.build(initial=One.ONLY, result=lambda data: data.line)

builder = FlowBuilder("person", Step, Person)
builder.say(Step.START, "Hello.")
builder.ask(Step.NAME, "Name?", Text(), into="name")
builder.parallel(from_=Step.START, steps=[Step.NAME], join=Step.END)


@builder.step(Step.END)
async def end(turn: Turn[Step, Person]) -> Action[Step]:
    assert_type(await turn.call(as_data), Street)
    assert_type(await turn.call(as_text, Street(line="1 Main St")), str)
    assert_type(turn.parallel[Step.NAME].data.name, str)
    assert_type(turn.parallel.pending, list[Step])
    assert_type(await turn.outside(turn.ticket(), Person), Person)
    return turn.complete()
