from datetime import date, datetime
from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Date
from flows.updates import TextMessage


def test_a_date_is_stored_in_iso_form() -> None:
    assert Date(format="%d.%m.%Y").parse(TextMessage(" 29.02.2024 ")) == "2024-02-29"


def test_a_date_is_loaded_as_one() -> None:
    assert Date().load("2024-02-29") == date(2024, 2, 29)


@pytest.mark.parametrize("text", ["2024-02-31", "2023-02-29", "2024-04-31"])
def test_a_day_that_does_not_exist_is_told_so(text: str) -> None:
    with pytest.raises(InvalidAnswer, match="no such day"):
        Date().parse(TextMessage(text))


@pytest.mark.parametrize(
    "text",
    [
        "31.12.2024",
        "tomorrow",
        "2024-13-01",
        "2024-01-01 10:00",
        "\u0662\u0660\u0662\u0664-\u0660\u0661-\u0660\u0661",  # 2024-01-01 in Arabic-Indic
        "2" * 4000,
        "",
    ],
)
def test_what_is_no_date_is_told_the_form(text: str) -> None:
    with pytest.raises(InvalidAnswer, match="Please send a date, written like 1990-12-31"):
        Date().parse(TextMessage(text))


@pytest.mark.parametrize("text", ["2023-12-31", "2025-01-01"])
def test_a_date_out_of_bounds_is_told_them(text: str) -> None:
    wanted = Date(earliest=date(2024, 1, 1), latest=date(2024, 12, 31))
    with pytest.raises(InvalidAnswer, match="from 2024-01-01 until 2024-12-31"):
        wanted.parse(TextMessage(text))


@pytest.mark.parametrize("text", ["2024-01-01", "2024-12-31"])
def test_the_bounds_themselves_are_possible(text: str) -> None:
    wanted = Date(earliest=date(2024, 1, 1), latest=date(2024, 12, 31))
    assert wanted.parse(TextMessage(text)) == text


@pytest.mark.parametrize(
    "settings",
    [
        {"format": "%Y-%m"},
        {"format": "%d.%m."},
        {"format": "day"},
        {"format": "%Y-%m-%d %q"},
        {"earliest": date(2025, 1, 1), "latest": date(2024, 1, 1)},
        {"earliest": datetime(2025, 1, 1)},
        {"latest": "2025-01-01"},
    ],
    ids=repr,
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        Date(**settings)


@pytest.mark.parametrize("stored", ["soon", 20240229, None])
def test_a_stored_date_must_be_one(stored: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        Date().load(stored)


def test_a_datetime_cannot_be_kept_as_a_date() -> None:
    with pytest.raises(ValueError, match="no date"):
        Date().dump(datetime(2025, 1, 1))
