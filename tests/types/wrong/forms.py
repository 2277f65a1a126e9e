"""Forms whose functions do not fit their model."""

# A mark belongs to its line, and makes it long.
# fmt: off
# ruff: noqa: E501

from __future__ import annotations

from enum import Enum

from pydantic import BaseModel

from flows import Action, FormTurn, form_flow


class Person(BaseModel):
    name: str
    age: int = 0


class Parcel(BaseModel):
    weight: int


def words(parcel: Parcel) -> str:
    return f"{parcel.weight} kg"


def not_async(turn: FormTurn) -> int:
    return 1


form = form_flow(Person)


async def of_another_model(turn: FormTurn, parcel: Parcel) -> None:
    turn.reply(f"{parcel.weight}")


async def answers_no_action(turn: FormTurn, person: Person) -> int:
    return person.age


async def without_a_model(turn: FormTurn) -> Action[Enum]:
    return turn.complete()


form.on_submit(of_another_model)  # error: mypy=arg-type pyright=reportArgumentType
form.on_submit(answers_no_action)  # error: mypy=arg-type pyright=reportArgumentType
form.on_submit(without_a_model)  # error: mypy=arg-type pyright=reportArgumentType
form.step("age")(not_async)  # error: mypy=arg-type pyright=reportArgumentType
form_flow(Person, overrides={"age": not_async})  # error: mypy=dict-item pyright=reportArgumentType
form_flow(Person, overrides={"age": 3})  # error: mypy=dict-item pyright=reportArgumentType
form_flow(Person, when={"age": lambda person: person.weight > 1})  # error: mypy=attr-defined pyright=reportAttributeAccessIssue
form_flow(int)  # error: mypy=type-var pyright=reportArgumentType


@form.on_submit
async def done(turn: FormTurn, person: Person) -> None:
    turn.reply(person.weight)  # error: mypy=attr-defined pyright=reportAttributeAccessIssue
