"""Forms whose model flows through, accepted as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import assert_type

from pydantic import BaseModel

from flows import (
    Action,
    Answers,
    Flow,
    FormBuilder,
    FormTurn,
    Integer,
    Reply,
    form_flow,
)


class Address(BaseModel):
    city: str = ""


class Person(BaseModel):
    name: str
    age: int = 0
    address: Address


@dataclass(frozen=True)
class Services:
    mailer: str


def words(person: Person) -> Reply:
    return Reply(text=person.name)


async def age(turn: FormTurn) -> int:
    return await turn.ask("Age?", Integer())


form = form_flow(
    Person,
    summary=words,
    when={"age": lambda person: person.name != "Ada"},
    overrides={"age": age, "name": "Who?"},
)
assert_type(form.result(Answers()), Person)


@form.step("address.city")
async def city(turn: FormTurn) -> str | Action[Enum]:
    said = await turn.ask("City?")
    return turn.back() if said == "back" else said


@form.on_submit
async def done(turn: FormTurn, person: Person) -> Action[Enum] | None:
    turn.reply(f"{person.name}, {person.address.city}")
    return None


assert_type(form.build(), Flow[Enum, Answers, Person])

with_services = form_flow(Person, deps=Services)
assert_type(with_services, FormBuilder[Person, Services])


@with_services.on_submit
async def mail(turn: FormTurn[Services], person: Person) -> None:
    turn.reply(turn.deps.mailer.upper())
