"""Masking what people confide in what is logged."""

from __future__ import annotations

import logging
import traceback
from contextvars import copy_context

import pytest
from pydantic import BaseModel, Field, ValidationError

from engine.privacy.redaction import REDACTION, Redactor, confide

PHONE = "+44 20 7946 0958"


class Card(BaseModel):
    number: str = Field(max_length=4)


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"bad number {PHONE}!", "bad number ***!"),
        ("bad number +442079460958", "bad number ***"),
        ("bad number +44 (20) 79460958", "bad number ***"),
        ("xADA@example.COMx", "x***x"),
        ("pin 42, line 142, 42", "pin ***, line 142, ***"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_values_are_masked_however_they_are_written(text: str, masked: str) -> None:
    assert Redactor([PHONE, "ada@example.com", "42", "", "  "]).text(text) == masked


def test_a_value_as_python_shows_it_is_masked() -> None:
    assert Redactor(["a\nb"]).text(f"got {'a' + chr(10) + 'b'!r}") == "got '***'"


def test_an_exception_keeps_type_place_and_notes_but_not_the_value() -> None:
    error = raised(KeyError(PHONE))
    error.add_note(f"for {PHONE}")
    made = Redactor([PHONE]).exception(error)
    assert isinstance(made, KeyError)
    assert shown(made).splitlines()[-2:] == ["KeyError: '***'", "for ***"]
    assert "in raised" in shown(made)
    assert str(error) == repr(PHONE)


def test_what_an_exception_came_from_is_masked_too() -> None:
    error = raised(ValueError(PHONE))
    error.__cause__ = raised(OSError(5, PHONE))
    error.__cause__.__context__ = raised(UnicodeDecodeError("utf-8", b"\xff", 0, 1, PHONE))
    error.__cause__.__cause__ = error
    text = shown(Redactor([PHONE]).exception(error))
    assert PHONE not in text
    assert "OSError: [Errno 5] ***" in text


def test_the_parts_of_a_group_are_masked() -> None:
    group = ExceptionGroup(f"about {PHONE}", [ValueError(PHONE), TypeError("other")])
    made = Redactor([PHONE]).exception(raised(group))
    assert isinstance(made, ExceptionGroup)
    assert PHONE not in shown(made)
    assert "TypeError: other" in shown(made)


def test_a_validation_error_quotes_nothing_of_a_long_value() -> None:
    number = "4929 1234 5678 9012 " * 5
    with pytest.raises(ValidationError) as caught:
        Card(number=number)
    text = str(Redactor([number]).exception(caught.value))
    assert "4929" not in text
    assert "number: String should have at most 4 characters" in text


def test_a_syntax_error_shows_no_line_of_what_somebody_wrote() -> None:
    error = SyntaxError("bad", ("<said>", 1, 1, f"{PHONE}\n"))
    text = shown(Redactor([PHONE]).exception(error))
    assert PHONE not in text
    assert "SyntaxError: " in text


def test_an_exception_that_is_made_in_its_own_way_is_masked() -> None:
    class Odd(Exception):
        def __new__(cls, one: str, two: str) -> Odd:
            return super().__new__(cls, one, two)

        def __init__(self, one: str, two: str) -> None:
            super().__init__(one)

    text = shown(Redactor([PHONE]).exception(Odd(PHONE, "x")))
    assert PHONE not in text
    assert "Odd: ***" in text


def test_a_record_is_masked_where_something_is_confided_and_nowhere_else() -> None:
    def record() -> logging.LogRecord:
        error = ValueError(PHONE)
        made = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "got %s", (PHONE,), (ValueError, error, None)
        )
        assert REDACTION.filter(made)
        return made

    def within() -> logging.LogRecord:
        confide(lambda: [PHONE])
        return record()

    masked = copy_context().run(within)
    assert logging.Formatter().format(masked) == "got ***\nValueError: ***"
    assert PHONE in logging.Formatter().format(record())
