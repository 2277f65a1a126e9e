from dataclasses import replace
from enum import Enum, IntEnum, StrEnum, auto
from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Choice, Confirm, input_from_json
from flows.updates import TextMessage


class Plan(StrEnum):
    FREE = auto()
    PRO = auto()
    TWO_WORDS = auto()


class Size(Enum):
    SMALL = (1, 2)
    BIG = (3, 4)

    @property
    def label(self) -> str:
        return f"{self.name.title()} ({self.value[0]}-{self.value[1]})"


class Odd(Enum):
    label = 1
    other = 2


class Stars(IntEnum):
    ONE = 1
    TWO = 2


def test_the_labels_of_an_enum_are_made_from_its_names() -> None:
    assert Choice(Plan).options() == (
        ("Free", "free"),
        ("Pro", "pro"),
        ("Two words", "two_words"),
    )


def test_the_label_attribute_of_a_member_is_its_label() -> None:
    assert Choice(Size).options() == (("Small (1-2)", "SMALL"), ("Big (3-4)", "BIG"))


def test_a_member_called_label_is_no_label_attribute() -> None:
    assert [label for label, _ in Choice(Odd).options()] == ["Label", "Other"]


def test_labels_can_be_given_for_some_members() -> None:
    wanted = Choice(Plan, labels={Plan.PRO: "Professional"})
    assert [label for label, _ in wanted.options()] == ["Free", "Professional", "Two words"]


@pytest.mark.parametrize("enum", [Plan, Size, Odd, Stars])
def test_members_are_loaded_from_their_json_form(enum: type[Enum]) -> None:
    wanted = Choice(enum)
    assert [wanted.load(value) for _, value in wanted.options()] == list(enum)


@pytest.mark.parametrize(
    "text", ["Two words", "two WORDS", "  Two \n words ", "\uff34wo words", "Two\u200b words"]
)
def test_a_label_can_be_typed(text: str) -> None:
    assert Choice(Plan).parse(TextMessage(text)) == "two_words"


def test_an_emoji_label_can_be_typed_without_its_variation_selector() -> None:
    assert Choice({"❤\ufe0f Yes": "y", "No": "n"}).parse(TextMessage("❤ yes")) == "y"


@pytest.mark.parametrize("text", ["", "professional", "pro plan", "Z" + "\u0351" * 4000])
def test_what_is_no_label_is_told_the_labels(text: str) -> None:
    with pytest.raises(InvalidAnswer, match="one of: Free, Pro, Two words"):
        Choice(Plan).parse(TextMessage(text))


def test_a_long_list_of_labels_is_cut_in_the_reason() -> None:
    assert Choice([str(n) for n in range(30)]).hint().endswith("18, 19 and more.")


def test_texts_are_their_own_labels() -> None:
    assert Choice(["Tea", "Coffee"]).parse(TextMessage("coffee")) == "Coffee"


def test_a_mapping_gives_labels_and_values() -> None:
    assert Choice({"Good": 5, "Bad": 1}).parse(TextMessage("good")) == 5


def test_pairs_may_hold_members() -> None:
    wanted = Choice([("The good one", Plan.PRO), ("The other", Plan.FREE)])
    assert wanted.load(wanted.parse(TextMessage("the good one"))) is Plan.PRO


def test_a_rebuilt_choice_gives_the_json_values() -> None:
    rebuilt = input_from_json(Choice(Plan).to_json())
    assert rebuilt.load(rebuilt.parse(TextMessage("pro"))) == "pro"


def test_an_option_that_is_gone_does_not_load() -> None:
    with pytest.raises(ValueError, match="'enterprise' is none of"):
        Choice(Plan).load("enterprise")


def test_the_value_of_a_further_button_loads() -> None:
    wanted = Choice({"One": 1, "Two": 2}, buttons=(("None of these", 0),))
    assert wanted.load(wanted.parse(TextMessage("none of these"))) == 0


def test_buttons_can_be_added_to_a_choice() -> None:
    wanted = replace(Choice(Plan), buttons=(("Keep it", Plan.FREE),))
    assert wanted.options()[-1] == ("Keep it", "free")


def test_a_value_that_is_no_option_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="'' is none of"):
        Choice(["Tea"]).dump("")


class Nothing(Enum):
    pass


@pytest.mark.parametrize(
    "of",
    [
        Nothing,
        [],
        {},
        ["Tea", "TEA"],
        [("A", 1), ("B", 1)],
        [("A", 1), ("B", True)],
        {"": 1},
        pytest.param({"A": object()}, id="an object"),
        {"A": None},
        {"A": float("nan")},
        [("A", 1, 2)],
        "Tea",
        int,
        5,
    ],
    ids=repr,
)
def test_options_that_cannot_work_are_refused(of: Any) -> None:
    with pytest.raises(DefinitionError, match="Choice"):
        Choice(of)


def test_labels_that_clash_are_refused() -> None:
    with pytest.raises(DefinitionError, match="same when typed"):
        Choice(Plan, labels={Plan.PRO: "free"})


@pytest.mark.parametrize(("of", "labels"), [(Plan, {"PRO": "x"}), (["A"], {"A": "x"})])
def test_labels_for_what_is_no_member_are_refused(of: Any, labels: Any) -> None:
    with pytest.raises(DefinitionError, match="labels"):
        Choice(of, labels=labels)


@pytest.mark.parametrize(("text", "value"), [("yes", True), (" NO ", False)])
def test_yes_and_no_can_be_typed(text: str, value: bool) -> None:
    assert Confirm().parse(TextMessage(text)) is value


def test_yes_and_no_are_buttons() -> None:
    assert Confirm(yes="Ja", no="Nein").options() == (("Ja", True), ("Nein", False))


def test_anything_else_than_yes_and_no_is_asked_for_again() -> None:
    with pytest.raises(InvalidAnswer, match="Please answer Ja or Nein"):
        Confirm(yes="Ja", no="Nein").parse(TextMessage("yes"))


@pytest.mark.parametrize(("yes", "no"), [("Ok", "OK"), ("", "No")])
def test_labels_of_a_confirm_that_cannot_work_are_refused(yes: str, no: str) -> None:
    with pytest.raises(DefinitionError, match="Confirm"):
        Confirm(yes=yes, no=no)


@pytest.mark.parametrize("stored", [1, "yes", None])
def test_a_stored_confirm_must_be_a_truth_value(stored: Any) -> None:
    with pytest.raises(ValueError, match="neither"):
        Confirm().load(stored)
