"""What type checkers make of the inputs; the assertions are read by mypy and pyright."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum, auto
from typing import TypeVar, assert_type

from flows import inputs
from flows.inputs import (
    Choice,
    Confirm,
    Date,
    Document,
    Email,
    Input,
    Integer,
    Number,
    Pattern,
    Phone,
    Photo,
    Text,
)
from flows.updates import FileRef

T = TypeVar("T")


class Plan(StrEnum):
    FREE = auto()
    PRO = auto()


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


def test_the_public_names_are_sorted_and_there() -> None:
    assert list(inputs.__all__) == sorted(inputs.__all__)
    assert all(hasattr(inputs, name) for name in inputs.__all__)
