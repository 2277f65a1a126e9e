from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from enum import StrEnum, auto
from typing import Annotated, Any, Literal, NewType

import orjson
import pytest
from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    HttpUrl,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import (
    Choice,
    Confirm,
    Date,
    Draft,
    Email,
    FieldInput,
    Input,
    Integer,
    MultiChoice,
    Number,
    Text,
    Time,
    Url,
    field,
    input_from_json,
)
from flows.updates import FileRef, PhotoMessage, TextMessage


class Plan(StrEnum):
    FREE = auto()
    PRO = auto()


Age = NewType("Age", int)


def even(number: int) -> int:
    if number % 2:
        raise ValueError("That is odd.")
    return number


class Person(BaseModel):
    model_config = ConfigDict(alias_generator=lambda name: f"x-{name}")

    name: str = Field("", min_length=2, max_length=40)
    nick: Annotated[str, StringConstraints(max_length=5)] | None = None
    code: str = Field("", pattern=r"^[A-Z]{2}\d$")
    age: int = Field(0, gt=17, lt=121)
    years: Age = Age(0)
    seats: Annotated[int, AfterValidator(even)] = 0
    dozens: int = Field(0, multiple_of=12)
    weight: float = Field(0, ge=1, le=500)
    price: Decimal = Field(Decimal(), gt=0, decimal_places=2)
    news: bool = False
    mail: EmailStr = ""
    born: date | None = Field(None, ge=date(1900, 1, 1), lt=date(2020, 1, 1))
    plan: Plan = Plan.FREE
    size: Literal["S", "M", 3] = "S"
    secret: SecretStr = SecretStr("")
    tags: list[str] = []
    either: int | str = 0
    plans: list[Plan] = Field([], min_length=1, max_length=2)
    sizes: set[Literal["S", "M"]] = set()
    pair: tuple[Plan, ...] = ()
    two: tuple[Plan, Plan] = (Plan.FREE, Plan.PRO)
    gaps: list[Plan | None] = []
    page: HttpUrl | None = None
    any_page: AnyUrl = AnyUrl("urn:x")
    alarm: time = Field(time(), ge=time(6), le=time(9))

    @field_validator("name")
    @classmethod
    def no_admin(cls, name: str) -> str:
        if name.lower() == "admin":
            raise ValueError("That name is taken.")
        return name.title()

    @field_validator("nick", mode="before")
    @classmethod
    def trimmed(cls, nick: Any, info: ValidationInfo) -> Any:
        assert info.field_name == "nick"
        return nick and nick.removeprefix("@")

    @model_validator(mode="after")
    def whole(self) -> Person:
        raise AssertionError("the whole model is not validated for one field")


def answered(wanted: Input[Any], text: str) -> tuple[Any, str | None]:
    """What a step gets: parsed by the stored form, loaded and checked by the live input."""
    rebuilt = input_from_json(orjson.loads(orjson.dumps(wanted.to_json())))
    value = wanted.load(rebuilt.parse(TextMessage(text)))
    return value, wanted.check(value)


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("name", Text(min_length=2, max_length=40)),
        ("nick", Text(max_length=5)),
        ("code", Text()),
        ("age", Integer(ge=18, le=120)),
        ("years", Integer()),
        ("weight", Number(ge=1, le=500)),
        ("price", Number(places=2)),
        ("news", Confirm()),
        ("mail", Email()),
        ("born", Date(earliest=date(1900, 1, 1), latest=date(2019, 12, 31))),
        ("plan", Choice(Plan)),
        ("size", Choice([("S", "S"), ("M", "M"), ("3", 3)])),
        ("plans", MultiChoice(Plan, min_choices=1, max_choices=2)),
        ("sizes", MultiChoice(["S", "M"], min_choices=0)),
        ("pair", MultiChoice(Plan, min_choices=0)),
        ("page", Url()),
        ("any_page", Url(schemes=())),
        ("alarm", Time(earliest=time(6), latest=time(9))),
    ],
)
def test_a_field_is_read_by_the_input_of_its_type(name: str, reader: Input[Any]) -> None:
    wanted = field(Person, name)
    assert isinstance(wanted, FieldInput)
    assert wanted.input == reader


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("name", "ada lovelace", "Ada Lovelace"),
        ("nick", "@ada", "ada"),
        ("code", "AB1", "AB1"),
        ("age", "36", 36),
        ("seats", "4", 4),
        ("weight", "70.5", 70.5),
        ("price", "9.90", Decimal("9.90")),
        ("news", "yes", True),
        ("mail", "ada@EXAMPLE.com", "ada@example.com"),
        ("born", "1990-12-31", date(1990, 12, 31)),
        ("plan", "pro", Plan.PRO),
        ("size", "3", 3),
        ("plans", "pro, free", [Plan.FREE, Plan.PRO]),
        ("sizes", "m, s", {"S", "M"}),
        ("pair", "Pro", (Plan.PRO,)),
        ("page", "https://example.com/a", HttpUrl("https://example.com/a")),
        ("any_page", "mailto:ada@example.com", AnyUrl("mailto:ada@example.com")),
        ("alarm", "7:15", time(7, 15)),
    ],
)
def test_an_answer_has_the_value_and_type_of_the_field(name: str, text: str, value: Any) -> None:
    loaded, reason = answered(field(Person, name), text)
    assert (loaded, type(loaded), reason) == (value, type(value), None)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("name", "Admin", "That name is taken."),
        ("seats", "3", "That is odd."),
        ("dozens", "13", "Your answer should be a multiple of 12."),
        ("price", "0", "Your answer should be greater than 0."),
        ("code", "abc", "That is not in the form that is needed."),
    ],
)
def test_what_the_validators_refuse_is_told_in_their_words(
    name: str, text: str, reason: str
) -> None:
    assert answered(field(Person, name), text)[1] == reason


@pytest.mark.parametrize(("name", "text"), [("age", "17"), ("nick", "lovelace"), ("plan", "x")])
def test_what_the_input_itself_refuses_is_not_parsed(name: str, text: str) -> None:
    with pytest.raises(InvalidAnswer):
        answered(field(Person, name), text)


def test_a_validator_without_words_still_gives_a_reason() -> None:
    class Terse(BaseModel):
        years: int = 0

        @field_validator("years")
        @classmethod
        def enough(cls, years: int) -> int:
            if years < 5:
                raise ValueError
            return years

    assert answered(field(Terse, "years"), "1")[1] == "That is not possible."


def test_the_retry_text_is_told_for_either_refusal() -> None:
    wanted = field(Person, "seats", retry="An even number, please.")
    assert answered(wanted, "3")[1] == "An even number, please."
    with pytest.raises(InvalidAnswer, match=r"^An even number, please\.$"):
        answered(wanted, "three")


def test_an_optional_field_can_have_a_button_for_none() -> None:
    wanted = field(Person, "nick", buttons=(("Skip", None),))
    assert input_from_json(wanted.to_json()).options() == (("Skip", None),)
    assert wanted.load(None) is None
    assert wanted.check(None) is None


def test_none_does_not_load_where_the_field_is_not_optional() -> None:
    with pytest.raises(ValueError, match="None"):
        field(Person, "age").load(None)


def test_a_photo_does_not_fit_where_a_field_wants_a_text() -> None:
    wanted = field(Person, "age")
    assert not wanted.fits(PhotoMessage(FileRef(id="p")))
    assert "whole number" in wanted.hint()


def test_a_field_of_free_text_is_not_specific() -> None:
    assert [field(Person, name).specific for name in ("name", "age")] == [False, True]


def test_the_current_value_of_a_field_can_be_kept() -> None:
    wanted = field(Person, "weight")
    assert wanted.load(wanted.dump(70.5)) == 70.5


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("page", HttpUrl("https://example.com/a"), "https://example.com/a"),
        ("page", None, "nothing"),
        ("pair", (Plan.PRO, Plan.FREE), "Free, Pro"),
        ("plan", Plan.PRO, "Pro"),
    ],
)
def test_a_value_of_the_model_can_be_kept_and_shown(name: str, value: Any, shown: str) -> None:
    wanted = field(Person, name)
    assert wanted.shown(wanted.dump(value)) == shown


def test_a_field_of_several_is_chosen_by_presses() -> None:
    wanted = field(Person, "plans")
    rebuilt = input_from_json(wanted.to_json())
    draft = rebuilt.start()
    for label in ("Pro", "Free"):
        pressed = rebuilt.press(dict(rebuilt.options(draft))[label], draft)
        assert isinstance(pressed, Draft)
        draft = pressed.state
    answer = rebuilt.press(dict(rebuilt.options(draft))["Done"], draft)
    assert not isinstance(answer, Draft)
    assert wanted.load(answer) == [Plan.FREE, Plan.PRO]


def test_an_unknown_field_is_refused_with_near_ones() -> None:
    with pytest.raises(DefinitionError, match=r"Person has no field 'nam'\. Did you mean 'name'"):
        field(Person, "nam")


@pytest.mark.parametrize("name", ["secret", "tags", "either", "two", "gaps"])
def test_a_type_that_cannot_be_asked_for_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError, match=rf"field '{name}' of Person is .*cannot ask for"):
        field(Person, name)


def test_constraints_that_leave_nothing_are_refused_with_the_field() -> None:
    class Impossible(BaseModel):
        age: int = Field(0, gt=5, lt=6)

    with pytest.raises(DefinitionError, match=r"'age' of Impossible: .*ge 6 is more than le 5"):
        field(Impossible, "age")
