"""For all values: what is parsed loads, what is loaded dumps, what is stored comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum, auto
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from flows.errors import InvalidAnswer
from flows.inputs import (
    Choice,
    Confirm,
    Date,
    Document,
    Email,
    Input,
    Integer,
    Json,
    Number,
    Pattern,
    Phone,
    Photo,
    Text,
    field,
    input_from_json,
)
from flows.updates import Content, DocumentMessage, FileRef, PhotoMessage, TextMessage


class Plan(StrEnum):
    FREE = auto()
    PRO = auto()


class Size(Enum):
    SMALL = (1,)
    BIG = (2,)


class Form(BaseModel):
    age: int = 0
    plan: Plan | None = None
    weight: float = 0


ALL: list[Input[Any]] = [
    Text(),
    Text(min_length=2, max_length=5, commands=True, tries=3, retry="Again."),
    Integer(),
    Integer(ge=-5, le=5, buttons=(("Many", 99),)),
    Number(ge=0.5, le=Decimal("99.95"), places=2),
    Email(buttons=(("Skip", ""),)),
    Phone(region="GB"),
    Date(format="%d/%m/%Y", earliest=date(1900, 1, 1), buttons=(("Now", date(2024, 2, 29)),)),
    Choice(Plan, columns=2),
    Choice(Size, buttons=(("Any", Size.BIG),)),
    Choice({"One": 1, "Half": 0.5, "Text": "t"}),
    Confirm("Ja", "Nein"),
    Pattern(r"[a-z]+\d", wanted="a code"),
    Photo(),
    Document(max_size=100, mime=("image/*",)),
    field(Form, "age"),
    field(Form, "plan", buttons=(("Skip", None),)),
    field(Form, "weight", retry="A weight."),
]

texts = st.one_of(
    st.text(),
    st.integers().map(str),
    st.decimals(allow_nan=False).map(str),
    st.dates().map(lambda day: day.strftime("%d/%m/%Y")),
    st.emails(),
    st.from_regex(r"\+44 20 7946 0\d{3}", fullmatch=True),
    st.sampled_from(["free", "PRO", "Small", "any", "half", "ja", "Nein", "abc1", "99", "0.5"]),
)
files = st.builds(
    FileRef,
    id=st.text(),
    name=st.text(),
    size=st.none() | st.integers(0, 200),
    mime=st.sampled_from(["", "image/png", "text/plain"]),
    width=st.none() | st.integers(0, 10_000),
)
contents: st.SearchStrategy[Content] = st.one_of(
    texts.map(TextMessage), files.map(PhotoMessage), files.map(DocumentMessage)
)


def again(wanted: Input[Any]) -> Input[Any]:
    return input_from_json(orjson.loads(orjson.dumps(wanted.to_json())))


def outcome(wanted: Input[Any], content: Content) -> tuple[str, Json]:
    if not wanted.fits(content):
        return "does not fit", wanted.hint()
    try:
        return "parsed", wanted.parse(content)
    except InvalidAnswer as refused:
        return "refused", refused.reason


@pytest.mark.parametrize("wanted", ALL, ids=repr)
def test_the_stored_form_is_the_same_after_a_round_trip(wanted: Input[Any]) -> None:
    assert again(wanted).to_json() == wanted.to_json()


@pytest.mark.parametrize("wanted", ALL, ids=repr)
def test_a_rebuilt_input_offers_the_same_buttons(wanted: Input[Any]) -> None:
    assert again(wanted).options() == wanted.options()


@pytest.mark.parametrize("wanted", ALL, ids=repr)
def test_the_value_of_every_button_loads_and_dumps(wanted: Input[Any]) -> None:
    assert [wanted.dump(wanted.load(v)) for _, v in wanted.options()] == [
        v for _, v in wanted.options()
    ]


@pytest.mark.parametrize("wanted", ALL, ids=repr)
@settings(max_examples=40, deadline=None)  # how long it takes says nothing here
@given(content=contents)
def test_a_rebuilt_input_reads_answers_alike(wanted: Input[Any], content: Content) -> None:
    assert outcome(again(wanted), content) == outcome(wanted, content)


@pytest.mark.parametrize("wanted", ALL, ids=repr)
@settings(max_examples=40, deadline=None)  # how long it takes says nothing here
@given(content=contents)
def test_what_is_parsed_is_json_that_loads_and_dumps(wanted: Input[Any], content: Content) -> None:
    ended, parsed = outcome(wanted, content)
    if ended != "parsed":
        return
    value = wanted.load(orjson.loads(orjson.dumps(parsed)))
    assert wanted.load(wanted.dump(value)) == value


VALUES: list[tuple[Input[Any], st.SearchStrategy[Any], Callable[[Any], Content]]] = [
    (Integer(), st.integers(-(2**63), 2**63 - 1), lambda v: TextMessage(str(v))),
    (
        Number(),
        st.decimals(
            allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20
        ),
        lambda v: TextMessage(f"{v:f}"),
    ),
    (Date(), st.dates(min_value=date(1000, 1, 1)), lambda v: TextMessage(v.isoformat())),
    (Choice(Size), st.sampled_from(Size), lambda v: TextMessage(v.name)),
    (Confirm(), st.booleans(), lambda v: TextMessage("yes" if v else "no")),
    (Photo(), files, PhotoMessage),
    (Document(), files, DocumentMessage),
]


@pytest.mark.parametrize(("wanted", "values", "said"), VALUES, ids=[v[0].kind for v in VALUES])
@settings(max_examples=40, deadline=None)  # how long it takes says nothing here
@given(data=st.data())
def test_a_value_that_is_said_is_the_value_that_is_loaded(
    wanted: Input[Any],
    values: st.SearchStrategy[Any],
    said: Callable[[Any], Content],
    data: st.DataObject,
) -> None:
    value = data.draw(values)
    assert wanted.load(wanted.parse(said(value))) == value
