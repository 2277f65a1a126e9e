from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from flows.errors import DefinitionError
from flows.inputs import Date, Draft, input_from_json
from flows.updates import TextMessage

LEAP = Date(picker=True, opens=date(2024, 2, 10))


def table(wanted: Date, draft: str) -> list[list[str]]:
    """The labels of the calendar, row by row."""
    labels = iter(label for label, _ in wanted.options(draft))
    return [[next(labels) for _ in range(size)] for size in wanted.rows(draft) or ()]


def turned(wanted: Date, month: str, label: str) -> str | None:
    """The month that is shown after a press; None where there is no such button."""
    value = dict(wanted.options(month)).get(label)
    if value is None:
        return None
    pressed = wanted.press(value, month)
    assert isinstance(pressed, Draft)
    return str(pressed.state)


def test_a_month_is_shown_with_its_title_and_its_weeks() -> None:
    assert table(LEAP, "2024-02") == [
        ["«", "\u2039", "February 2024", "\u203a", "»"],
        ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"],
        ["·", "·", "·", "1", "2", "3", "4"],
        ["5", "6", "7", "8", "9", "10", "11"],
        ["12", "13", "14", "15", "16", "17", "18"],
        ["19", "20", "21", "22", "23", "24", "25"],
        ["26", "27", "28", "29", "·", "·", "·"],
    ]


def test_a_day_is_the_answer() -> None:
    rebuilt = input_from_json(LEAP.to_json())
    answer = rebuilt.press(dict(rebuilt.options("2024-02"))["29"], "2024-02")
    assert LEAP.load(answer) == date(2024, 2, 29)  # type: ignore[arg-type]  # no Draft


@pytest.mark.parametrize(
    ("label", "month"),
    [("«", "2022-12"), ("\u2039", "2023-11"), ("\u203a", "2024-01"), ("»", "2024-12")],
)
def test_the_arrows_turn_by_a_month_or_a_year(label: str, month: str) -> None:
    assert turned(LEAP, "2023-12", label) == month


@pytest.mark.parametrize("label", ["December 2023", "Mo", "·"])
def test_what_is_no_day_and_no_arrow_changes_nothing(label: str) -> None:
    assert turned(LEAP, "2023-12", label) == "2023-12"


def test_days_out_of_bounds_cannot_be_pressed() -> None:
    wanted = Date(picker=True, earliest=date(2024, 2, 27), latest=date(2024, 3, 2))
    days = [value for _, value in wanted.options("2024-02") if isinstance(value, str)]
    assert days == ["2024-02-27", "2024-02-28", "2024-02-29"]
    assert table(wanted, "2024-03")[2] == ["·", "·", "·", "·", "1", "2", "·"]


def test_the_arrows_stop_at_the_bounds() -> None:
    wanted = Date(picker=True, earliest=date(2023, 11, 5), latest=date(2024, 3, 2))
    assert turned(wanted, "2024-02", "«") == "2023-11"
    assert turned(wanted, "2024-02", "»") == "2024-03"
    assert turned(wanted, "2023-11", "\u2039") is None
    assert table(wanted, "2024-03")[0][3:] == ["·", "·"]


@pytest.mark.parametrize("month", ["0001-01", "9999-12"])
def test_the_ends_of_the_calendar_can_be_shown(month: str) -> None:
    assert [len(row) for row in table(LEAP, month)][:2] == [5, 7]


@pytest.mark.parametrize(
    ("wanted", "month"),
    [
        (LEAP, "2024-02"),
        (Date(picker=True, latest=date(1999, 5, 1)), "1999-05"),
        (Date(picker=True, earliest=date(2999, 5, 1)), "2999-05"),
        (Date(picker=True, opens=date(2024, 1, 1), earliest=date(2024, 6, 1)), "2024-06"),
    ],
)
def test_it_opens_where_it_is_told_or_at_the_nearest_possible_day(wanted: Date, month: str) -> None:
    assert wanted.start() == month


def test_it_opens_today_unless_it_is_told() -> None:
    before = datetime.now(UTC).date()
    shown = Date(picker=True).start()
    assert shown in {f"{day:%Y-%m}" for day in (before, datetime.now(UTC).date())}


def test_a_date_can_be_typed_all_the_same() -> None:
    assert LEAP.parse(TextMessage("2024-03-01")) == "2024-03-01"


def test_further_buttons_come_after_the_calendar() -> None:
    wanted = Date(picker=True, buttons=(("Leap day", date(2024, 2, 29)),))
    assert wanted.options("2024-02")[-1] == ("Leap day", "2024-02-29")
    assert sum(wanted.rows("2024-02") or ()) == len(wanted.options("2024-02")) - 1
    assert wanted.press("2024-02-29", "2024-02") == "2024-02-29"


def test_a_kept_date_is_shown_whole() -> None:
    assert Date(picker=True, format="%d.%m.%Y").shown("2024-02-29") == "29.02.2024"


def test_without_a_picker_there_is_no_calendar() -> None:
    wanted = Date()
    assert (wanted.start(), wanted.options(), wanted.rows()) == (None, (), None)
    with pytest.raises(DefinitionError, match="opens is for a calendar"):
        Date(opens=date(2024, 1, 1))


@pytest.mark.parametrize("draft", ["2024", "2024-13", [], 5])
def test_a_draft_that_is_none_is_an_error(draft: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        LEAP.options(draft)
