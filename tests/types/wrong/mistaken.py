"""Results of called flows and of branches that are taken for something else."""

# A mark belongs to its line, and makes it long.
# fmt: off
# ruff: noqa: E501

from __future__ import annotations

from enum import Enum, auto

from pydantic import BaseModel

from flows import Action, FlowBuilder, Text, Turn


class Step(Enum):
    NAME = auto()


class Other(Enum):
    NAME = auto()


class Person(BaseModel):
    name: str = ""


class Street(BaseModel):
    line: str = ""


street = FlowBuilder("street", Other, Street).ask(Other.NAME, "Street?", Text(), into="line")
as_data = street.build(initial=Other.NAME)
as_text = street.build(initial=Other.NAME, result=lambda data: data.line)


async def calls(turn: Turn[Step, Person]) -> Action[Step]:
    number: int = await turn.call(as_text)  # error: mypy=arg-type pyright=reportAssignmentType
    person: Person = await turn.call(as_data)  # error: mypy=arg-type pyright=reportAssignmentType
    await turn.call(as_data, Person())  # error: mypy=misc pyright=reportArgumentType
    turn.parallel[Other.NAME]  # error: mypy=index pyright=reportArgumentType
    print(turn.parallel[Step.NAME].data.line)  # error: mypy=attr-defined pyright=reportAttributeAccessIssue
    payment: Street = await turn.outside("ticket", Person)  # error: mypy=arg-type pyright=reportAssignmentType
    turn.reply(f"{number} {person} {payment}")
    return turn.complete()
