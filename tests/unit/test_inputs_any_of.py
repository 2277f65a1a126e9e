from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, Field

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import (
    AnyOf,
    Choice,
    Confirm,
    Contact,
    Date,
    Draft,
    Email,
    Integer,
    MultiChoice,
    Number,
    Phone,
    Photo,
    Text,
    field,
    input_from_json,
)
from flows.updates import FileRef, PhotoMessage, TextMessage

REACH = AnyOf(Email(), Phone())


@pytest.mark.parametrize("text", ["ada@example.com", "+44 20 7946 0958"])
def test_the_first_input_that_reads_the_answer_gives_the_value(text: str) -> None:
    rebuilt = input_from_json(REACH.to_json())
    assert REACH.load(rebuilt.parse(TextMessage(text))) == text.replace(" ", "")


def test_inputs_of_other_kinds_of_content_stand_side_by_side() -> None:
    wanted = AnyOf(Photo(), Text())
    assert wanted.load(wanted.parse(PhotoMessage(FileRef(id="p")))) == FileRef(id="p")
    assert wanted.load(wanted.parse(TextMessage("none"))) == "none"


def test_what_none_of_them_reads_is_told_what_all_have_against_it() -> None:
    with pytest.raises(InvalidAnswer, match=r"no e-mail address\. .* Or: Please send a phone"):
        REACH.parse(TextMessage("me"))


def test_what_only_one_is_for_is_told_only_its_reason() -> None:
    with pytest.raises(InvalidAnswer, match=r"^Please send a whole number"):
        AnyOf(Photo(), Integer()).parse(TextMessage("me"))


def test_the_retry_text_stands_for_all_reasons() -> None:
    with pytest.raises(InvalidAnswer, match=r"^How can we reach you\?$"):
        AnyOf(Email(), Phone(), retry="How can we reach you?").parse(TextMessage("me"))


def test_hints_are_joined() -> None:
    assert (
        AnyOf(Contact(), Photo()).hint()
        == "Please share your own contact. Or: Please send a photo."
    )


def test_it_is_specific_where_all_of_its_inputs_are() -> None:
    assert (REACH.specific, AnyOf(Email(), Text()).specific) == (True, False)


def test_the_buttons_of_all_inputs_are_shown_before_its_own() -> None:
    wanted = AnyOf(Confirm(), Integer(buttons=(("Many", 99),)), buttons=(("None", 0),))
    assert [label for label, _ in wanted.options()] == ["Yes", "No", "Many", "None"]
    values = [wanted.load(wanted.press(value, None)) for _, value in wanted.options()]  # type: ignore[arg-type]  # no Draft
    assert values == [True, False, 99, 0]


def test_buttons_that_read_alike_are_refused() -> None:
    with pytest.raises(DefinitionError, match="same when typed"):
        AnyOf(Confirm(), Choice(["yes", "maybe"]))


def test_an_answer_of_an_input_that_is_gone_does_not_load() -> None:
    stored = AnyOf(Integer(), Text()).parse(TextMessage("5"))
    with pytest.raises(ValueError, match="none of"):
        AnyOf(Text(), Integer()).load(stored)


@pytest.mark.parametrize(
    "stored", [None, 5, [], [0, "email"], [7, "email", ""], ["0", "email", ""]]
)
def test_a_stored_answer_must_be_one(stored: Any) -> None:
    with pytest.raises(ValueError, match="none of"):
        REACH.load(stored)


def test_a_value_is_kept_by_the_first_input_that_takes_it() -> None:
    wanted = AnyOf(Date(), Number(), Text())
    assert wanted.dump("soon") == [2, "text", "soon"]
    assert wanted.load(wanted.dump(date(2024, 2, 29))) == date(2024, 2, 29)
    with pytest.raises(ValueError, match="no value of"):
        REACH.dump(5)  # type: ignore[arg-type]  # a wrong value, for the test


class Person(BaseModel):
    age: int = Field(0, multiple_of=2)


def test_validators_of_its_inputs_are_heard() -> None:
    wanted = AnyOf(field(Person, "age"), Email())
    assert wanted.check(wanted.load(wanted.parse(TextMessage("4")))) is None
    assert wanted.check(wanted.load(wanted.parse(TextMessage("3")))) is not None


def test_a_press_changes_the_draft_of_its_own_input_alone() -> None:
    wanted = AnyOf(Text(), MultiChoice(["red", "blue"]), Date(picker=True, opens=date(2024, 2, 1)))
    draft = wanted.start()
    assert draft == [None, [], "2024-02"]
    for label in ("red", "\u203a"):
        pressed = wanted.press(dict(wanted.options(draft))[label], draft)
        assert isinstance(pressed, Draft)
        draft = pressed.state
    assert draft == [None, ["red"], "2024-03"]
    answer = wanted.press(dict(wanted.options(draft))["Done"], draft)
    assert wanted.load(answer) == ["red"]  # type: ignore[arg-type]  # no Draft


@pytest.mark.parametrize("inputs", [(), (Email(),), (Email(), Phone), (Email(), "phone")], ids=repr)
def test_inputs_that_cannot_work_are_refused(inputs: tuple[Any, ...]) -> None:
    with pytest.raises(DefinitionError, match=r"AnyOf\(\)"):
        AnyOf(*inputs)
