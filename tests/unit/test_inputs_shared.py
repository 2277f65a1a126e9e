"""Places, contacts, and what web apps send."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Contact, Location, WebAppData, input_from_json
from flows.updates import (
    ContactCard,
    ContactMessage,
    LocationMessage,
    Place,
    TextMessage,
    WebAppMessage,
)


class Order(BaseModel):
    tea: str
    cups: int = Field(ge=1)


def test_a_place_that_is_shared_is_the_answer() -> None:
    shared = LocationMessage(latitude=48.85, longitude=2.35, accuracy=10.5, title="Here")
    place = Location().load(Location().parse(shared))
    assert place == Place(latitude=48.85, longitude=2.35, accuracy=10.5, title="Here")


def test_a_place_that_is_typed_does_not_fit() -> None:
    assert not Location().fits(TextMessage("48.85 2.35"))
    assert Location().hint() == "Please share a location."


@pytest.mark.parametrize("stored", [None, "x", {"latitude": 1}, {"latitude": "n", "longitude": 1}])
def test_a_stored_place_must_be_one(stored: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Location().load(stored)


def test_a_kept_place_is_shown_by_its_title_or_its_degrees() -> None:
    place = Place(latitude=48.85, longitude=2.35)
    assert Location().shown(Location().dump(place)) == "48.85000, 2.35000"
    venue = Place(latitude=0, longitude=0, title="Null Island")
    assert Location().shown(Location().dump(venue)) == "Null Island"


def test_the_own_contact_is_the_answer() -> None:
    shared = ContactMessage(phone="+442079460958", name="Ada", user="7", own=True)
    card = Contact().load(Contact().parse(shared))
    assert card == ContactCard(phone="+442079460958", name="Ada", user="7", own=True)


@pytest.mark.parametrize("user", [None, "8"])
def test_the_contact_of_somebody_else_is_refused(user: str | None) -> None:
    with pytest.raises(InvalidAnswer, match=r"somebody else's contact. Please share your own"):
        Contact().parse(ContactMessage(phone="1", user=user))


def test_the_contact_of_anyone_is_taken_where_the_flow_asks_for_it() -> None:
    wanted = input_from_json(Contact(anyone=True).to_json())
    assert wanted.load(wanted.parse(ContactMessage(phone="1", name="Bob"))).name == "Bob"


def test_a_number_that_is_typed_is_no_contact() -> None:
    assert not Contact().fits(TextMessage("+442079460958"))
    assert Contact().hint() == "Please share your own contact."


def test_the_text_of_a_web_app_is_the_answer_as_it_is() -> None:
    wanted = WebAppData()
    assert wanted.load(wanted.parse(WebAppMessage("no {json"))) == "no {json"


def test_json_of_a_web_app_becomes_the_model() -> None:
    wanted = WebAppData(Order)
    rebuilt = input_from_json(wanted.to_json())
    loaded = wanted.load(rebuilt.parse(WebAppMessage('{"tea": "green", "cups": 2}')))
    assert loaded == Order(tea="green", cups=2)
    assert wanted.check(loaded) is None
    assert wanted.load(wanted.dump(loaded)) == loaded


@pytest.mark.parametrize(
    "data", ["", "tea", '{"tea"', "[NaN]", '{"tea": Infinity}', "[" * 100_000, '"\\ud800"']
)
def test_what_is_no_json_is_refused_before_the_handler_runs(data: str) -> None:
    rebuilt = input_from_json(WebAppData(Order).to_json())
    with pytest.raises(InvalidAnswer, match="cannot be used here"):
        rebuilt.parse(WebAppMessage(data))


@pytest.mark.parametrize("data", ["[]", "3", '{"tea": "green", "cups": 0}', '{"cups": 2}'])
def test_json_that_the_model_refuses_is_told_so(data: str) -> None:
    wanted = WebAppData(Order, retry="Order again, please.")
    loaded = wanted.load(wanted.parse(WebAppMessage(data)))
    assert wanted.check(loaded) == "Order again, please."


@pytest.mark.parametrize("model", [dict, Order(tea="x", cups=1), "Order"])
def test_a_model_must_be_a_pydantic_model(model: Any) -> None:
    with pytest.raises(DefinitionError, match="give a pydantic model"):
        WebAppData(model)
