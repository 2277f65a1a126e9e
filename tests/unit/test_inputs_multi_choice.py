from __future__ import annotations

from enum import Enum, StrEnum, auto
from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Draft, Json, MultiChoice, input_from_json
from flows.updates import TextMessage


class Colour(StrEnum):
    RED = auto()
    DARK_BLUE = auto()
    GREEN = auto()


class Size(Enum):
    SMALL = (1,)
    BIG = (2,)


def pressed(wanted: MultiChoice[Any], *labels: str) -> Json | Draft:
    """What comes of pressing these, one after the other, on the stored form."""
    rebuilt = input_from_json(wanted.to_json())
    draft: Json = rebuilt.start()
    outcome: Json | Draft = Draft(draft)
    for label in labels:
        outcome = rebuilt.press(dict(rebuilt.options(draft))[label], draft)
        if isinstance(outcome, Draft):
            draft = outcome.state
    return outcome


def test_the_options_are_buttons_with_done_below_them() -> None:
    wanted = MultiChoice(Colour)
    assert [label for label, _ in wanted.options()] == ["Red", "Dark blue", "Green", "Done"]
    assert wanted.rows() == (3, 1)


def test_a_press_chooses_an_option_and_marks_it() -> None:
    wanted = MultiChoice(Colour)
    outcome = pressed(wanted, "Dark blue")
    assert outcome == Draft(["dark_blue"])
    assert [label for label, _ in wanted.options(["dark_blue"])][:2] == ["Red", "\u2713 Dark blue"]


def test_a_second_press_takes_it_away_again() -> None:
    assert pressed(MultiChoice(Colour), "Red", "Green", "\u2713 Red") == Draft(["green"])


def test_the_same_press_twice_does_it_once() -> None:
    wanted = MultiChoice(Colour)
    red = dict(wanted.options())["Red"]
    assert wanted.press(red, ["red"]) == Draft(["red"])


def test_done_gives_the_list_in_the_order_of_the_options() -> None:
    wanted = MultiChoice(Colour)
    answer = pressed(wanted, "Green", "Red", "Done")
    assert wanted.load(answer) == [Colour.RED, Colour.GREEN]  # type: ignore[arg-type]  # no Draft


def test_a_press_before_there_is_a_draft_begins_with_nothing() -> None:
    wanted = MultiChoice(Colour)
    assert wanted.press(dict(wanted.options())["Red"], None) == Draft(["red"])


@pytest.mark.parametrize("labels", [("Done",), ("Red", "Done"), ("Red", "\u2713 Red", "Done")])
def test_done_with_too_few_is_refused_with_the_number(labels: tuple[str, ...]) -> None:
    with pytest.raises(InvalidAnswer, match="choose at least 2 of: Red, Dark blue, Green"):
        pressed(MultiChoice(Colour, min_choices=2), *labels)


def test_choosing_too_many_is_refused_at_once() -> None:
    with pytest.raises(InvalidAnswer, match=r"at most 2. Take one away first"):
        pressed(MultiChoice(Colour, max_choices=2), "Red", "Green", "Dark blue")


def test_nothing_may_be_chosen_where_that_is_allowed() -> None:
    assert pressed(MultiChoice(Colour, min_choices=0), "Done") == []


@pytest.mark.parametrize(
    "text", ["Green, red", " red ,GREEN,", "red\ngreen", "red\uff0c green, Red", "red,,green"]
)
def test_labels_can_be_typed_with_commas_between_them(text: str) -> None:
    assert MultiChoice(Colour).parse(TextMessage(text)) == ["red", "green"]


@pytest.mark.parametrize("text", ["yes, please, no", "No,Yes ,please", "yes,please\nno"])
def test_a_label_may_hold_a_comma(text: str) -> None:
    wanted = MultiChoice({"Yes, please": 1, "No": 2, "Yes": 3})
    assert wanted.parse(TextMessage(text)) == [1, 2]


@pytest.mark.parametrize(
    "text", ["", ",", "red, pink", "red green", "Done", "red, " * 2000, "Z" + "\u0351" * 4000]
)
def test_what_is_no_list_of_labels_is_told_them(text: str) -> None:
    with pytest.raises(InvalidAnswer, match=r"at least 1 of: Red, Dark blue, Green. Press Done"):
        MultiChoice(Colour).parse(TextMessage(text))


@pytest.mark.parametrize("text", ["red", "red, green, dark blue"])
def test_too_few_and_too_many_typed_labels_are_told_the_number(text: str) -> None:
    with pytest.raises(InvalidAnswer, match="Please choose 2 of: Red"):
        MultiChoice(Colour, min_choices=2, max_choices=2).parse(TextMessage(text))


def test_a_further_button_is_an_answer_at_once_and_can_be_typed() -> None:
    wanted = MultiChoice(Colour, buttons=(("All", list(Colour)),))
    everything = ["red", "dark_blue", "green"]
    assert pressed(wanted, "All") == everything
    assert wanted.parse(TextMessage("all")) == everything


@pytest.mark.parametrize("value", [[Size.BIG, Size.SMALL], {Size.SMALL, Size.BIG}])
def test_any_collection_can_be_kept(value: Any) -> None:
    assert MultiChoice(Size).dump(value) == ["SMALL", "BIG"]


@pytest.mark.parametrize("value", ["SMALL", [Size.BIG, "x"], None, 5])
def test_what_is_no_list_of_options_cannot_be_kept(value: Any) -> None:
    with pytest.raises(ValueError, match="is no"):
        MultiChoice(Size).dump(value)


@pytest.mark.parametrize("stored", [["pink"], "red", None, {"red": 1}])
def test_a_stored_answer_must_be_a_list_of_options(stored: Any) -> None:
    with pytest.raises(ValueError, match=r"is no"):
        MultiChoice(Colour).load(stored)


def test_a_kept_list_is_shown_by_its_labels() -> None:
    assert MultiChoice(Colour).shown(["red", "dark_blue"]) == "Red, Dark blue"


@pytest.mark.parametrize(
    "settings",
    [
        {"min_choices": -1},
        {"min_choices": 4},
        {"max_choices": 0},
        {"min_choices": 2, "max_choices": 1},
        {"done": "RED"},
        {"done": " "},
        {"buttons": (("Done", [Colour.RED]),)},
        {"buttons": (("One", Colour.RED),)},
        {"labels": {Colour.RED: "green"}},
    ],
    ids=repr,
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="MultiChoice"):
        MultiChoice(Colour, **settings)
