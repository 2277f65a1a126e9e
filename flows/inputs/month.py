"""A month of the calendar as rows of buttons."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from flows.inputs.base import Json
from flows.messages.speaking import translator

NOTHING = "\u00b7"
"""The label of a button that stands where there is nothing to press; it must not be blank."""

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_TURNS = (("\u00ab", -12), ("\u2039", -1), ("\u203a", 1), ("\u00bb", 12))
"""Labels that turn the pages, and by how many months."""

Buttons = list[tuple[str, Json]]


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of a year; ``number`` counts from 1."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Month:
        """The month of the day."""
        return cls(day.year, day.month)

    @classmethod
    def read(cls, value: Json) -> Month:
        """The month of its JSON form. Raises ValueError when the value is none."""
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no month")
        return cls.of(date.fromisoformat(f"{value}-01"))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def title(self) -> str:
        """Its name and year, in the words of the person."""
        words = translator()
        if words is not None:
            return words.month(self.year, self.number)
        return f"{_MONTHS[self.number - 1]} {self.year}"

    def turned(self, months: int, first: Month, last: Month) -> Month:
        """The month that many later, or the nearest one from ``first`` to ``last``."""
        count = 12 * self.year + self.number - 1 + months
        return max(first, min(Month(count // 12, count % 12 + 1), last))

    def weeks(self) -> list[list[int]]:
        """The numbers of the days in rows from Monday to Sunday; 0: a day of another month."""
        return Calendar().monthdayscalendar(self.year, self.number)


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a month: a title that turns it, the names of the days, the weeks.

    The value of a day is its ISO form; that of any other button is ``{"month": ...}``, the
    month to show, which may be the same.

    Attributes:
        first, last: the days that can be chosen, and all between them.
    """

    month: Month
    first: date
    last: date

    @property
    def rows(self) -> tuple[int, ...]:
        """How many buttons stand in each row."""
        return (len(_TURNS) + 1, *(len(_DAYS) for _ in range(len(self.month.weeks()) + 1)))

    def buttons(self) -> Buttons:
        """All of them, row by row."""
        words = translator()
        names = _DAYS if words is None else words.days
        days = [day for week in self.month.weeks() for day in week]
        return [*self._title(), *map(self._idle, names), *map(self._day, days)]

    def _title(self) -> Iterator[tuple[str, Json]]:
        turns = [self._turn(label, months) for label, months in _TURNS]
        yield from (*turns[:2], self._idle(self.month.title), *turns[2:])

    def _turn(self, label: str, months: int) -> tuple[str, Json]:
        other = self.month.turned(months, Month.of(self.first), Month.of(self.last))
        return self._idle(NOTHING) if other == self.month else (label, {"month": str(other)})

    def _day(self, number: int) -> tuple[str, Json]:
        if number == 0:
            return self._idle(NOTHING)
        day = date(self.month.year, self.month.number, number)
        possible = self.first <= day <= self.last
        return (str(number), day.isoformat()) if possible else self._idle(NOTHING)

    def _idle(self, label: str) -> tuple[str, Json]:
        return label, {"month": str(self.month)}
