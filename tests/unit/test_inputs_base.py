from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import (
    Confirm,
    Date,
    Email,
    Input,
    Integer,
    Json,
    Photo,
    Text,
    TextInput,
    input_from_json,
)
from flows.updates import (
    Command,
    Content,
    DocumentMessage,
    FileRef,
    Opened,
    Other,
    PhotoMessage,
    Press,
    TextMessage,
)

NO_TEXTS: list[Content] = [
    Command("start"),
    Press(id="1", data="x"),
    PhotoMessage(FileRef(id="p")),
    DocumentMessage(FileRef(id="d")),
    Opened(),
    Other("sticker"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour(TextInput[str]):
    """An input as a user would write it."""

    kind: ClassVar[str] = "tests.colour"

    known: tuple[str, ...] = ("red", "blue")

    def parse_text(self, text: str) -> Json:
        if text not in self.known:
            raise self.refused("No such colour.")
        return text

    def load(self, value: Json) -> str:
        return str(value)

    def dump(self, value: str) -> Json:
        return value

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Colour:
        settings: dict[str, Any] = {**data, "known": tuple(data["known"])}
        return cls(**settings)


@pytest.mark.parametrize("content", NO_TEXTS, ids=lambda content: content.kind)
@pytest.mark.parametrize("wanted", [Text(), Email(), Integer(), Confirm()], ids=lambda i: i.kind)
def test_what_is_no_text_does_not_fit_where_a_text_is_expected(
    wanted: Input[Any], content: Content
) -> None:
    assert not wanted.fits(content)


def test_a_text_that_cannot_be_read_still_fits_by_kind() -> None:
    assert Email().fits(TextMessage("not an address"))


def test_a_refused_answer_is_told_the_retry_text() -> None:
    with pytest.raises(InvalidAnswer, match=r"^Only your age, please\.$"):
        Integer(retry="Only your age, please.").parse(TextMessage("old"))


def test_a_hint_is_the_retry_text_where_there_is_one() -> None:
    assert Photo(retry="Ein Foto, bitte.").hint() == "Ein Foto, bitte."


def test_buttons_are_offered_in_their_json_form() -> None:
    day = Date().load("2024-02-29")
    assert Date(buttons=(("Leap day", day),)).options() == (("Leap day", "2024-02-29"),)


def test_buttons_survive_the_stored_form() -> None:
    wanted = Date(buttons=(("Leap day", Date().load("2024-02-29")),))
    assert input_from_json(wanted.to_json()) == wanted


def test_a_button_may_hold_a_value_that_nobody_could_type() -> None:
    wanted = Email(buttons=(("Skip", ""),))
    assert wanted.load("") == ""


def test_buttons_can_be_added_to_an_input() -> None:
    wanted = replace(Integer(ge=1), buttons=(("Many", 99),))
    assert wanted.options() == (("Many", 99),)


@pytest.mark.parametrize(
    "settings",
    [
        {"tries": 0},
        {"retry": "  "},
        {"columns": 0},
        {"buttons": (("", "x"),)},
        {"buttons": (("A", "x"), ("a", "y"))},
        {"buttons": (("A", 5),)},
        {"buttons": (("A" * 201, "x"),)},
    ],
    ids=repr,
)
def test_settings_that_cannot_work_are_refused_at_construction(settings: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match=r"^Text\(\): "):
        Text(**settings)


def test_a_button_labelled_like_an_option_is_refused() -> None:
    with pytest.raises(DefinitionError, match="same when typed"):
        Confirm(buttons=(("yes", True),))


def test_an_input_of_the_users_own_comes_back_from_its_stored_form() -> None:
    wanted = Colour(known=("green",), tries=3)
    assert input_from_json(wanted.to_json()) == wanted


def test_an_input_of_the_users_own_parses() -> None:
    assert Colour().parse(TextMessage(" red ")) == "red"


def test_a_kind_that_another_class_has_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"'email'.*taken by flows\.inputs\.contact\.Email"):

        class Mail(Colour):
            kind = "email"


def test_a_class_without_a_kind_of_its_own_is_refused() -> None:
    class Shade(Colour):
        pass

    with pytest.raises(DefinitionError, match="no kind of its own"):
        Shade()


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"kind": "from-the-future"},
        {"kind": "integer", "unknown": 1},
        {"kind": "integer", "ge": 5, "le": 1},
        {"kind": "date", "earliest": "soon"},
        {"kind": "number", "ge": "much"},
        {"kind": "choice"},
        {"kind": "choice", "of": [["A"]]},
        {"kind": "confirm", "buttons": [["Maybe", "x"]]},
        {"kind": "field"},
    ],
    ids=repr,
)
def test_a_stored_form_that_makes_no_input_is_a_value_error(stored: dict[str, Json]) -> None:
    with pytest.raises(ValueError, match=r"."):
        input_from_json(stored)


def test_only_free_text_is_not_specific() -> None:
    assert [Text().specific, Email().specific, Photo().specific] == [False, True, True]
