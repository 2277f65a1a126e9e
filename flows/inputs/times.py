"""Times of day, in forms that the definition says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from typing import Any, ClassVar, Self

from flows.inputs.base import Json, TextInput, decoded
from flows.inputs.dates import bounds_in_words, in_ascii_digits
from flows.messages.translations import Translatable, gettext, said

_EXAMPLE = time(21, 45)
"""Its parts cannot be mistaken for each other, nor for a time before noon."""

_PLEASE = gettext("Please send a time{bounds}, written like {example}.")
_IMPOSSIBLE = gettext(
    "That time is not possible here. Please send a time{bounds}, written like {example}."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Time(TextInput[time]):
    """A time of day without a zone, written in one of some forms, in ASCII digits.

    Attributes:
        formats: how it may be written, as for ``strptime``; each must hold hour and minute, and
            the first is the one that people are told.
        earliest, latest: the first and the last time that are possible.
    """

    kind: ClassVar[str] = "time"

    formats: tuple[str, ...] = ("%H:%M",)
    earliest: time | None = None
    latest: time | None = None

    def __post_init__(self) -> None:
        if isinstance(self.formats, str) or not self.formats:
            raise self._cannot(f"formats is {self.formats!r}; give a tuple such as ('%H:%M',)")
        for form in self.formats:
            if not _is_whole(form):
                raise self._cannot(
                    f"the format {form!r} does not hold a whole time. Use '%H:%M' or '%I:%M %p'"
                )
        for name, bound in (("earliest", self.earliest), ("latest", self.latest)):
            if bound is not None and not _is_plain(bound):
                raise self._cannot(f"{name} is {bound!r}; give a datetime.time without a zone")
        if self.earliest and self.latest and self.earliest > self.latest:
            raise self._cannot(f"earliest {self.earliest} is after latest {self.latest}")
        TextInput.__post_init__(self)

    def parse_text(self, text: str) -> Json:
        """The time in ISO form."""
        read = self._read(text)
        if read is None:
            raise self.refused(self._wish(_PLEASE))
        early = self.earliest is not None and read < self.earliest
        if early or (self.latest is not None and read > self.latest):
            raise self.refused(self._wish(_IMPOSSIBLE))
        return read.isoformat()

    def load(self, value: Json) -> time:
        """The time of an ISO form."""
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no time")
        return time.fromisoformat(value)

    def dump(self, value: time) -> Json:
        """The time in ISO form."""
        if not _is_plain(value):
            raise ValueError(f"{value!r} is no time without a zone")
        return value.isoformat()

    def hint(self) -> str:
        """Asks for a time, with its form."""
        return self.retry or self._wish(_PLEASE)

    def shown(self, value: Json) -> str:
        """The time in the first of its forms."""
        return self.load(value).strftime(self.formats[0])

    def stored(self) -> dict[str, Json]:
        """The forms as a list, the bounds in ISO form."""
        data = TextInput.stored(self)
        if "formats" in data:
            data["formats"] = list(self.formats)
        for name, bound in (("earliest", self.earliest), ("latest", self.latest)):
            if bound is not None:
                data[name] = bound.isoformat()
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Reads the forms from a list, the bounds from ISO form."""
        bounds = decoded(data, time.fromisoformat, "earliest", "latest")
        return cls(**decoded(bounds, tuple, "formats"))

    def _read(self, text: str) -> time | None:
        if not in_ascii_digits(text):
            return None
        for form in self.formats:
            try:
                return datetime.strptime(text, form).time()
            except ValueError:
                continue
        return None

    def _wish(self, wish: Translatable) -> str:
        form = self.formats[0]
        earliest = self.earliest.strftime(form) if self.earliest is not None else ""
        latest = self.latest.strftime(form) if self.latest is not None else ""
        bounds = bounds_in_words(earliest, latest)
        return said(wish.format(bounds=bounds, example=_EXAMPLE.strftime(form)))


def _is_plain(value: object) -> bool:
    return isinstance(value, time) and value.tzinfo is None


@lru_cache(maxsize=256)
def _is_whole(form: str) -> bool:
    """Whether a time survives being written and read in this form."""
    try:
        return datetime.strptime(_EXAMPLE.strftime(form), form).time() == _EXAMPLE
    except (TypeError, ValueError):
        return False
