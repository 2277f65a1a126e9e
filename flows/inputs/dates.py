"""Dates, in a form that the definition says or picked from a calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, ClassVar, Self

from flows.inputs.base import Draft, Json, TextInput, decoded
from flows.inputs.month import Month, Page
from flows.messages.translations import Translatable, gettext, phrase, said

_EXAMPLE = date(1990, 12, 31)
"""Its parts cannot be mistaken for each other."""

_PLEASE = gettext("Please send a date{bounds}, written like {example}.")
_IMPOSSIBLE = gettext(
    "That date is not possible here. Please send a date{bounds}, written like {example}."
)
_NO_SUCH_DAY = gettext("There is no such day. Please send a date{bounds}, written like {example}.")

_MAX_TYPED = 100
"""Characters that are looked at; no date is longer."""

_DAYS = ("earliest", "latest", "opens")
"""The fields that hold a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Date(TextInput[date]):
    """A day of the calendar, written in one form, in ASCII digits.

    Attributes:
        format: how it is written, as for ``strptime``; it must hold year, month and day.
        earliest, latest: the first and the last day that are possible.
        picker: whether a calendar of buttons is shown; a date can be typed all the same.
        opens: a day of the month that the calendar shows first; None: today (UTC), or the
            possible day that is nearest.
    """

    kind: ClassVar[str] = "date"

    format: str = "%Y-%m-%d"
    earliest: date | None = None
    latest: date | None = None
    picker: bool = False
    opens: date | None = None

    def __post_init__(self) -> None:
        if not _is_whole(self.format):
            raise self._cannot(
                f"the format {self.format!r} does not hold a whole date. "
                "Use %Y, %m and %d, such as '%Y-%m-%d'"
            )
        for name in _DAYS:
            day = getattr(self, name)
            if day is not None and not _is_date(day):
                raise self._cannot(f"{name} is {day!r}; give a datetime.date")
        if self.earliest and self.latest and self.earliest > self.latest:
            raise self._cannot(f"earliest {self.earliest} is after latest {self.latest}")
        if self.opens is not None and not self.picker:
            raise self._cannot("opens is for a calendar. Add picker=True")
        TextInput.__post_init__(self)

    def parse_text(self, text: str) -> Json:
        """The day in ISO form."""
        day = self._read(text)
        if (self.earliest and day < self.earliest) or (self.latest and day > self.latest):
            raise self.refused(self._wish(_IMPOSSIBLE))
        return day.isoformat()

    def load(self, value: Json) -> date:
        """The day of an ISO form."""
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no date")
        return date.fromisoformat(value)

    def dump(self, value: date) -> Json:
        """The day in ISO form."""
        if not _is_date(value):
            raise ValueError(f"{value!r} is no date")
        return value.isoformat()

    def hint(self) -> str:
        """Asks for a date, with its form."""
        return self.retry or self._wish(_PLEASE)

    def stored(self) -> dict[str, Json]:
        """The days in ISO form."""
        data = TextInput.stored(self)
        for name in data.keys() & set(_DAYS):
            data[name] = getattr(self, name).isoformat()
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Reads the days from ISO form."""
        return cls(**decoded(data, date.fromisoformat, *_DAYS))

    def start(self) -> Json:
        """The month that the calendar shows first."""
        if not self.picker:
            return None
        day = self.opens or datetime.now(UTC).date()
        return str(Month.of(max(self._first, min(day, self._last))))

    def options(self, draft: Json = None) -> tuple[tuple[str, Json], ...]:
        """The calendar, if there is one, then the buttons."""
        shortcuts = TextInput.options(self)
        return (*self._page(draft).buttons(), *shortcuts) if self.picker else shortcuts

    def rows(self, draft: Json = None) -> tuple[int, ...] | None:
        """Those of the calendar: title, names of the days, weeks."""
        return self._page(draft).rows if self.picker else None

    def press(self, value: Json, draft: Json) -> Json | Draft:
        """The day, or the month to turn to."""
        return Draft(value["month"]) if isinstance(value, dict) else value

    def shown(self, value: Json) -> str:
        """The day in its form."""
        return self.load(value).strftime(self.format)

    @property
    def _first(self) -> date:
        return self.earliest or date.min

    @property
    def _last(self) -> date:
        return self.latest or date.max

    def _page(self, draft: Json) -> Page:
        month = Month.read(self.start() if draft is None else draft)
        return Page(month, self._first, self._last)

    def _typed(self) -> tuple[tuple[str, Json], ...]:
        return TextInput.options(self)

    def _read(self, text: str) -> date:
        if not in_ascii_digits(text):
            raise self.refused(self._wish(_PLEASE))
        try:
            return datetime.strptime(text, self.format).date()
        except ValueError as error:
            misread = str(error).startswith(("time data", "unconverted data"))
            raise self.refused(self._wish(_PLEASE if misread else _NO_SUCH_DAY)) from None

    def _wish(self, wish: Translatable) -> str:
        earliest = self.earliest.strftime(self.format) if self.earliest else ""
        latest = self.latest.strftime(self.format) if self.latest else ""
        bounds = bounds_in_words(earliest, latest)
        return said(wish.format(bounds=bounds, example=_EXAMPLE.strftime(self.format)))


def bounds_in_words(earliest: str, latest: str) -> str:
    """From when until when something is possible; an empty text is no bound."""
    if earliest and latest:
        return phrase(" from {earliest} until {latest}", earliest=earliest, latest=latest)
    if earliest:
        return phrase(" from {earliest}", earliest=earliest)
    return phrase(" until {latest}", latest=latest) if latest else ""


def in_ascii_digits(text: str) -> bool:
    """Whether ``strptime`` may read the text: it takes the digits of all scripts for its own."""
    foreign = any(char.isdigit() and not char.isascii() for char in text)
    return not foreign and len(text) <= _MAX_TYPED


def _is_date(value: object) -> bool:
    # A datetime is a date by inheritance, but cannot be compared with one.
    return isinstance(value, date) and not isinstance(value, datetime)


@lru_cache(maxsize=256)
def _is_whole(form: str) -> bool:
    """Whether a date survives being written and read in this form."""
    if not any(part in form for part in ("%Y", "%y")):
        return False
    try:
        return datetime.strptime(_EXAMPLE.strftime(form), form).date() == _EXAMPLE
    except ValueError:
        return False
