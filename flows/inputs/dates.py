"""Dates, in a form that the definition says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar, Self

from flows.inputs.base import Json, TextInput, decoded

_EXAMPLE = date(1990, 12, 31)
"""Its parts cannot be mistaken for each other."""

_MAX_TYPED = 100
"""Characters that are looked at; no date is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Date(TextInput[date]):
    """A day of the calendar, written in one form, in ASCII digits.

    Attributes:
        format: how it is written, as for ``strptime``; it must hold year, month and day.
        earliest, latest: the first and the last day that are possible.
    """

    kind: ClassVar[str] = "date"

    format: str = "%Y-%m-%d"
    earliest: date | None = None
    latest: date | None = None

    def __post_init__(self) -> None:
        if not _is_whole(self.format):
            raise self._cannot(
                f"the format {self.format!r} does not hold a whole date. "
                "Use %Y, %m and %d, such as '%Y-%m-%d'"
            )
        for name, day in (("earliest", self.earliest), ("latest", self.latest)):
            if day is not None and not _is_date(day):
                raise self._cannot(f"{name} is {day!r}; give a datetime.date")
        if self.earliest and self.latest and self.earliest > self.latest:
            raise self._cannot(f"earliest {self.earliest} is after latest {self.latest}")
        TextInput.__post_init__(self)

    def parse_text(self, text: str) -> Json:
        """The day in ISO form."""
        day = self._read(text)
        if (self.earliest and day < self.earliest) or (self.latest and day > self.latest):
            raise self.refused(self._wish("That date is not possible here. Please send a date"))
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
        return self.retry or self._wish("Please send a date")

    def stored(self) -> dict[str, Json]:
        """The bounds in ISO form."""
        data = TextInput.stored(self)
        for name, day in (("earliest", self.earliest), ("latest", self.latest)):
            if day is not None:
                data[name] = day.isoformat()
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Reads the bounds from ISO form."""
        return cls(**decoded(data, date.fromisoformat, "earliest", "latest"))

    def _read(self, text: str) -> date:
        foreign = any(char.isdigit() and not char.isascii() for char in text)
        if foreign or len(text) > _MAX_TYPED:
            raise self.refused(self._wish("Please send a date"))
        try:
            return datetime.strptime(text, self.format).date()
        except ValueError as error:
            misread = str(error).startswith(("time data", "unconverted data"))
            start = "Please send a date" if misread else "There is no such day. Please send a date"
            raise self.refused(self._wish(start)) from None

    def _wish(self, start: str) -> str:
        bounds = ""
        if self.earliest:
            bounds += f" from {self.earliest.strftime(self.format)}"
        if self.latest:
            bounds += f" until {self.latest.strftime(self.format)}"
        return f"{start}{bounds}, written like {_EXAMPLE.strftime(self.format)}."


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
