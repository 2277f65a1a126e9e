"""What type checkers make of the inputs; the assertions are read by mypy and pyright."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from enum import StrEnum, auto
from typing import TypeVar, assert_type

from pydantic import BaseModel

from flows import inputs
from flows.inputs import (
    AnyOf,
    Audio,
    Choice,
    Confirm,
    Contact,
    Date,
    Document,
    Email,
    Input,
    Integer,
    Location,
    MultiChoice,
    Number,
    Pattern,
    Phone,
    Photo,
    Text,
    Time,
    Url,
    Video,
    Voice,
    WebAppData,
)
from flows.updates import ContactCard, FileRef, Place

T = TypeVar("T")


class Plan(StrEnum):
    FREE = auto()
    PRO = auto()


class Order(BaseModel):
    cups: int


def ask(wanted: Input[T], value: object) -> T:
    """As ``Turn.ask`` is typed."""
    return wanted.load(wanted.dump(value))  # type: ignore[arg-type]  # any value, for the test


def test_an_answer_has_the_type_of_its_input() -> None:
    file = FileRef(id="1")
    assert_type(ask(Text(), "a"), str)
    assert_type(ask(Email(), "a"), str)
    assert_type(ask(Phone(), "a"), str)
    assert_type(ask(Pattern("a"), "a"), str)
    assert_type(ask(Integer(ge=1), 1), int)
    assert_type(ask(Number(), 1), Decimal)
    assert_type(ask(Date(), date(2024, 2, 29)), date)
    assert_type(ask(Confirm(), True), bool)
    assert_type(ask(Photo(), file), FileRef)
    assert_type(ask(Document(), file), FileRef)
    assert_type(ask(Choice(Plan, labels={Plan.PRO: "Best"}), Plan.PRO), Plan)
    assert_type(ask(Choice(["a", "b"]), "a"), str)
    assert_type(ask(Choice({"a": 1}), 1), int)
    assert_type(ask(Choice([("A", Plan.PRO), ("B", Plan.FREE)]), Plan.PRO), Plan)
    assert isinstance(ask(Choice(Plan), "pro"), Plan)


def test_an_answer_of_several_inputs_or_options_has_their_types() -> None:
    assert_type(ask(MultiChoice(Plan), [Plan.PRO]), list[Plan])
    assert_type(ask(MultiChoice(["a", "b"], max_choices=1), ["a"]), list[str])
    assert_type(ask(MultiChoice({"a": 1}), [1]), list[int])
    assert_type(ask(AnyOf(Integer(), Date()), 1), int | date)
    assert_type(ask(AnyOf(Email(), Photo(), Confirm()), True), str | FileRef | bool)
    assert_type(ask(AnyOf(Email(), Phone()), "a"), str)
    assert_type(ask(AnyOf(MultiChoice(Plan), Integer()), 1), list[Plan] | int)


def test_what_is_shared_or_written_has_the_type_of_its_input() -> None:
    file, place, card = FileRef(id="1"), Place(latitude=1, longitude=2), ContactCard(phone="1")
    assert_type(ask(Url(), "a"), str)
    assert_type(ask(Time(), time(9)), time)
    assert_type(ask(Voice(), file), FileRef)
    assert_type(ask(Audio(), file), FileRef)
    assert_type(ask(Video(), file), FileRef)
    assert_type(ask(Location(), place), Place)
    assert_type(ask(Contact(), card), ContactCard)
    assert_type(ask(WebAppData(), "{}"), str)
    assert_type(ask(WebAppData(Order), Order(cups=1)), Order)


def test_the_public_names_are_sorted_and_there() -> None:
    assert list(inputs.__all__) == sorted(inputs.__all__)
    assert all(hasattr(inputs, name) for name in inputs.__all__)
