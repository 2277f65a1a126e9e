from datetime import UTC, time
from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Time
from flows.updates import TextMessage


@pytest.mark.parametrize("text", ["09:30", " 9:30 "])
def test_a_time_is_stored_in_iso_form_and_loaded_as_one(text: str) -> None:
    stored = Time().parse(TextMessage(text))
    assert stored == "09:30:00"
    assert Time().load(stored) == time(9, 30)


@pytest.mark.parametrize("text", ["21.45", "9:45 pm", "9:45 PM"])
def test_each_of_its_forms_is_understood(text: str) -> None:
    wanted = Time(formats=("%H.%M", "%I:%M %p"))
    assert wanted.parse(TextMessage(text)) == "21:45:00"


@pytest.mark.parametrize(
    "text",
    [
        "24:00",
        "12:60",
        "noon",
        "12:00:00",
        "\u0661\u0662:\u0660\u0660",  # 12:00 in Arabic-Indic
        "1" * 4000,
        "",
    ],
)
def test_what_is_no_time_is_told_the_form(text: str) -> None:
    with pytest.raises(InvalidAnswer, match="Please send a time, written like 21:45"):
        Time().parse(TextMessage(text))


@pytest.mark.parametrize("text", ["08:59", "17:01"])
def test_a_time_out_of_bounds_is_told_them(text: str) -> None:
    wanted = Time(earliest=time(9), latest=time(17))
    with pytest.raises(InvalidAnswer, match=r"not possible here.* from 09:00 until 17:00"):
        wanted.parse(TextMessage(text))


@pytest.mark.parametrize("text", ["00:00", "17:00"])
def test_the_bounds_themselves_are_possible(text: str) -> None:
    wanted = Time(earliest=time(0), latest=time(17))
    assert wanted.parse(TextMessage(text)) == f"{text}:00"


@pytest.mark.parametrize(
    "settings",
    [
        {"formats": "%H:%M"},
        {"formats": ()},
        {"formats": ("%H",)},
        {"formats": ("%I:%M",)},
        {"formats": ("%H:%M", "%q")},
        {"formats": (5,)},
        {"earliest": time(9), "latest": time(8)},
        {"earliest": time(9, tzinfo=UTC)},
        {"latest": "17:00"},
    ],
    ids=repr,
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match=r"Time\(\)"):
        Time(**settings)


@pytest.mark.parametrize("stored", ["soon", 930, None])
def test_a_stored_time_must_be_one(stored: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        Time().load(stored)


def test_a_time_with_a_zone_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        Time().dump(time(9, tzinfo=UTC))


def test_a_kept_time_is_shown_in_its_form() -> None:
    assert Time(formats=("%I:%M %p",)).shown("21:45:00") == "09:45 PM"
