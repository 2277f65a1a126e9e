"""Forms: what is read off a model, and the models that no form can be made from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import Enum, StrEnum, auto
from typing import Annotated, Any, Literal, NewType

import pytest
from pydantic import BaseModel, Field, RootModel, SecretStr, model_validator

from flows import Answers, Choice, DefinitionError, Flow, FormTexts, Integer, form_flow


class Plan(StrEnum):
    FREE = auto()
    PRO = auto()


class Address(BaseModel):
    street: str
    city: str = ""


class Card(BaseModel):
    kind: Literal["card"]
    number: str


class Cash(BaseModel):
    kind: Literal["cash", "bill"]


Payment = Annotated[Card | Cash, Field(discriminator="kind")]


def steps_of(model: type[BaseModel], **settings: Any) -> list[str]:
    return list(form_flow(model, **settings).build().table)


def refusal(model: Any, **settings: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        form_flow(model, name="form", **settings).build()
    assert caught.value.flow == "form"
    return str(caught.value)


# --- steps ------------------------------------------------------------------------------


def test_steps_are_dotted_paths_in_the_order_of_the_fields() -> None:
    class Parcel(BaseModel):
        name: str
        address: Address
        plan: Plan | None = None

    assert steps_of(Parcel) == ["name", "address.street", "address.city", "plan", "summary"]


def test_an_optional_section_begins_with_a_question_of_its_own() -> None:
    class Parcel(BaseModel):
        back: Address | None
        to: Address = Address(street="Main")

    flow = form_flow(Parcel).build()
    assert flow.table["back"] == ("back.street", "to")
    assert flow.table["to"] == ("to.street", "summary")


def test_a_union_begins_with_the_choice_and_goes_on_with_that_variant() -> None:
    class Order(BaseModel):
        payment: Payment
        tip: int

    flow = form_flow(Order).build()
    assert flow.table == {
        "payment": ("payment.card.number", "tip"),
        "payment.card.number": ("tip",),
        "tip": ("summary",),
        "summary": ("completed",),
    }


def test_a_condition_makes_an_edge_around_the_question() -> None:
    class Feedback(BaseModel):
        recommend: bool
        improve: str = ""
        name: str

    flow = form_flow(Feedback, when={"improve": lambda given: not given.recommend}).build()
    assert flow.table["recommend"] == ("improve", "name")


Tag = NewType("Tag", str)


@pytest.mark.parametrize(
    "kind",
    [
        list[str], set[int], frozenset[bool], tuple[Plan, ...], Sequence[date], list[Address],
        list[Payment], list[list[int]], Annotated[list[Tag], Field(max_length=3)], list[str] | None,
    ],
)  # fmt: skip
def test_a_list_of_anything_that_can_be_asked_is_one_step(kind: Any) -> None:
    class Listing(BaseModel):
        items: kind

    assert steps_of(Listing) == ["items", "summary"]


def test_fields_whose_names_mean_something_to_enums_models_and_charts_are_steps() -> None:
    names = ("name", "value", "summary", "completed", "title", "count", "finish", "state")
    model = type("Odd", (BaseModel,), {"__annotations__": dict.fromkeys(names, str)})
    flow: Flow[Enum, Answers] = form_flow(model).build()
    assert [step.value for step in flow.steps] == [*names, ""]
    assert list(flow.table)[-1] == "summary_"


def test_the_flow_is_called_like_the_model() -> None:
    class HowWasIt(BaseModel):
        stars: int

    assert form_flow(HowWasIt).build().name == "how_was_it"


def test_excluded_fields_are_not_asked() -> None:
    class Item(BaseModel):
        key: dict[str, int] = {}
        address: Address

    assert steps_of(Item, exclude=["key", "address.city"]) == ["address.street", "summary"]


@pytest.mark.parametrize("override", [Integer(), "How many?", Choice(["1", "2"])])
def test_a_field_can_be_asked_otherwise(override: Any) -> None:
    class Item(BaseModel):
        count: int

    assert steps_of(Item, overrides={"count": override}) == ["count", "summary"]


# --- what no form can be made from ------------------------------------------------------


class Person(BaseModel):
    name: str
    friends: list[Person] = []
    boss: Person | None = None


class Loose(BaseModel):
    either: Card | Cash


class Root(RootModel[int]):
    pass


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (dict[str, int], "which no question fits"),
        (bytes, "which no question fits"),
        (SecretStr, "which no question fits"),
        (tuple[int, str], "which no question fits"),
        (Card | Cash, "which no question fits"),
        (int | str, "which no question fits"),
        (Root, "which no question fits"),
        (Person, "'field.friends' of the form: it leads back to Person"),
        (list[dict[str, int]], "override the list that it belongs to"),
        (Annotated[list[Address], Field(min_length=100)], "needs 100 items, and one step can"),
        (Literal["Skip", "Stay"] | None, "are the same when typed"),
        (Annotated[int, Field(ge=3, le=1)], "ge 3 is more than le 1"),
    ],
)
def test_a_field_that_cannot_be_asked_is_named(kind: Any, words: str) -> None:
    class Holder(BaseModel):
        field: kind

    said = refusal(Holder)
    assert "field" in said
    assert words in said


def test_what_cannot_be_asked_can_be_asked_with_an_input() -> None:
    class Holder(BaseModel):
        either: int | str

    assert steps_of(Holder, overrides={"either": Integer()}) == ["either", "summary"]


def test_another_prompt_does_not_make_a_field_one_that_can_be_asked() -> None:
    assert "it leads back to Person" in refusal(Person, overrides={"friends": "Who?"})


def test_a_recursive_model_is_a_form_when_the_way_back_is_overridden() -> None:
    form = form_flow(Person, exclude=["boss"])

    @form.step("friends")
    async def friends(turn: object) -> object:
        return []

    assert list(form.build().table) == ["name", "friends", "summary"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"overrides": {"adress.street": "?"}}, "Did you mean 'address.street'"),
        ({"overrides": {"pets.street": "?"}}, "overrides names 'pets.street'"),
        ({"when": {"nmae": lambda given: True}}, "when names 'nmae'"),
        ({"exclude": ["zzz"]}, "The fields are address, address.city"),
        ({"exclude": ["name"]}, "'name' is excluded, and has no default"),
        ({"when": {"address.street": lambda given: True}}, "under a condition, and has no default"),
        ({"when": {"name": lambda given: True}}, "the first question, 'name', has a condition"),
        ({"overrides": {"name": lambda turn: 1}}, "it is not async"),
        ({"overrides": {"name": 3}}, "must be 'async def (turn)', not 3"),
        ({"texts": FormTexts(submit="Edit name")}, "are the same when typed"),
    ],
)
def test_a_setting_that_does_not_fit_the_model_is_named(settings: Any, words: str) -> None:
    class Owner(BaseModel):
        name: str
        address: Address
        pets: list[Address] = []

    assert words in refusal(Owner, **settings)


class Empty(BaseModel):
    pass


@pytest.mark.parametrize("model", [Empty, Root, int, "Person", Card(kind="card", number="1")])
def test_what_is_no_model_with_fields_is_refused(model: Any) -> None:
    assert "a form is made from" in refusal(model) or "no field to ask" in refusal(model)


def test_a_step_or_on_submit_is_written_once() -> None:
    form = form_flow(Card)

    async def done(turn: object, model: Card) -> None:
        raise NotImplementedError

    async def number(turn: object) -> str:
        raise NotImplementedError

    form.on_submit(done)
    form.step("number")(number)
    with pytest.raises(DefinitionError, match="has an on_submit handler already"):
        form.on_submit(done)
    with pytest.raises(DefinitionError, match="'number' has an override already"):
        form.step("number")(number)


def test_a_form_that_is_built_takes_no_more_handlers() -> None:
    form = form_flow(Card)
    form.build()

    async def done(turn: object, model: Card) -> None:
        raise NotImplementedError

    with pytest.raises(DefinitionError, match="it is built already"):
        form.on_submit(done)


def test_on_submit_takes_the_turn_and_the_model() -> None:
    async def done(turn: object) -> None:
        raise NotImplementedError

    with pytest.raises(DefinitionError, match="must be 'async def"):
        form_flow(Card).on_submit(done)  # type: ignore[arg-type] # what is tested


def test_a_validator_of_the_model_does_not_run_when_the_form_is_built() -> None:
    class Strict(BaseModel):
        name: str

        @model_validator(mode="before")
        @classmethod
        def refuse(cls, value: object) -> object:
            raise NotImplementedError

    assert steps_of(Strict) == ["name", "summary"]
