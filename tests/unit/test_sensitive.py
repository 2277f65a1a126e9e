"""Which fields of a model are marked, wherever the mark stands."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from flows import Sensitive
from flows.sensitive import MASK, masked, sensitive_fields, spoken


class Card(BaseModel):
    number: Sensitive[str] = ""
    label: str = ""


class Tree(BaseModel):
    name: str = ""
    branches: list[Tree] = Field(default_factory=list)


class Person(BaseModel):
    plain: str = ""
    marked: Sensitive[str] = ""
    perhaps: Sensitive[str] | None = None
    several: list[Sensitive[str]] = Field(default_factory=list)
    named: dict[str, Sensitive[int]] = Field(default_factory=dict)
    bounded: Annotated[Sensitive[str], Field(max_length=5)] = ""
    card: Card = Field(default_factory=Card)
    cards: list[Card] | None = None
    tree: Tree = Field(default_factory=Tree)


def test_a_mark_is_found_wherever_it_stands() -> None:
    assert sensitive_fields(Person) == {
        "marked", "perhaps", "several", "named", "bounded", "card", "cards",
    }  # fmt: skip
    assert sensitive_fields(Tree) == frozenset()


def test_what_is_marked_is_masked_and_what_is_empty_shows_as_empty() -> None:
    data = Person(plain="a", perhaps="b", card=Card(number="1")).model_dump(mode="json")
    shown = masked(Person, data)
    assert (shown["plain"], shown["perhaps"], shown["card"]) == ("a", MASK, MASK)
    assert shown["marked"] == ""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a b", ["a b"]),
        (12, ["12"]),
        (4.5, ["4.5"]),
        (date(2000, 1, 2), ["2000-01-02"]),
        (None, []),
        (True, []),
        ({"a": ["x", {"b": "y"}], "c": None}, ["x", "y"]),
    ],
)
def test_what_is_spoken_are_the_texts_and_numbers(value: object, words: list[str]) -> None:
    assert list(spoken(value)) == words
