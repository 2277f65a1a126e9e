from decimal import Decimal
from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Integer, Number
from flows.updates import TextMessage

STRANGE = [
    "١٢٣", "1_000", "²", "nan", "1e400", "inf", "0x10", "1,000", "1 000",
    "\uff11", "- 5", "--5", "\u22125", "+", "", ".", "five",
]  # fmt: skip


@pytest.mark.parametrize("text", [*STRANGE, "1.0", "5."])
def test_what_is_no_ascii_whole_number_is_asked_for_again(text: str) -> None:
    with pytest.raises(InvalidAnswer, match="Please send a whole number"):
        Integer().parse(TextMessage(text))


@pytest.mark.parametrize("text", [*STRANGE, "1,5", ".5", "5.", "1.2.3"])
def test_what_is_no_ascii_number_is_asked_for_again(text: str) -> None:
    with pytest.raises(InvalidAnswer, match="Please send a number"):
        Number().parse(TextMessage(text))


@pytest.mark.parametrize(
    ("text", "number"),
    [("42", 42), (" 42 ", 42), ("+5", 5), ("-5", -5), ("007", 7), ("0", 0), ("0" * 60 + "1", 1)],
)
def test_whole_numbers_are_read(text: str, number: int) -> None:
    assert Integer().parse(TextMessage(text)) == number


@pytest.mark.parametrize("text", ["-5", "1" + "0" * 30, "9" * 4000, "17", "121"])
def test_a_number_out_of_bounds_is_told_the_bounds(text: str) -> None:
    with pytest.raises(InvalidAnswer, match=r"out of bounds.* from 18 to 120"):
        Integer(ge=18, le=120).parse(TextMessage(text))


@pytest.mark.parametrize("text", [str(2**63), str(-(2**63) - 1)])
def test_a_number_without_bounds_is_held_to_64_bits(text: str) -> None:
    with pytest.raises(InvalidAnswer, match=r"from -9223372036854775808 to 9223372036854775807"):
        Integer().parse(TextMessage(text))


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_the_whole_of_64_bits_is_taken(number: int) -> None:
    assert Integer().parse(TextMessage(str(number))) == number


@pytest.mark.parametrize("settings", [{"ge": 2, "le": 1}, {"ge": 2**63}, {"le": -(2**63) - 1}])
def test_bounds_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        Integer(**settings)


@pytest.mark.parametrize("stored", ["5", True, 1.5, None])
def test_a_stored_integer_must_be_one(stored: Any) -> None:
    with pytest.raises(ValueError, match="no whole number"):
        Integer().load(stored)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.1", "0.1"), ("-0", "0"), ("+5", "5"), ("1.50", "1.50"), ("0.00000001", "0.00000001")],
)
def test_numbers_keep_their_digits(text: str, number: str) -> None:
    assert Number().parse(TextMessage(text)) == number


def test_a_number_is_loaded_as_a_decimal() -> None:
    assert Number().load("0.1") == Decimal("0.1")


def test_a_number_beyond_its_bounds_is_told_them() -> None:
    with pytest.raises(InvalidAnswer, match=r"out of bounds.*from 0 to 9\.5"):
        Number(ge=0, le=9.5).parse(TextMessage("9.51"))


@pytest.mark.parametrize(("places", "text"), [(2, "1.234"), (0, "1.0")])
def test_too_many_decimal_places_are_asked_for_again(places: int, text: str) -> None:
    with pytest.raises(InvalidAnswer, match="decimal"):
        Number(places=places).parse(TextMessage(text))


def test_a_flood_of_digits_is_refused() -> None:
    with pytest.raises(InvalidAnswer, match="too many digits"):
        Number().parse(TextMessage("9" * 4000))


@pytest.mark.parametrize(
    "settings", [{"ge": 2, "le": 1}, {"ge": float("nan")}, {"le": float("inf")}, {"places": -1}]
)
def test_settings_of_a_number_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        Number(**settings)


@pytest.mark.parametrize("stored", ["nan", "many", 5, None])
def test_a_stored_number_must_be_one(stored: Any) -> None:
    with pytest.raises(ValueError, match="is no"):
        Number().load(stored)


@pytest.mark.parametrize(("value", "stored"), [(5, "5"), (0.1, "0.1"), (Decimal("2.50"), "2.50")])
def test_any_number_can_be_kept(value: Any, stored: str) -> None:
    assert Number().dump(value) == stored
