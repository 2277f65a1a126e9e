"""Numbers, in ASCII digits: what looks like a number in another script is asked for again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Self

from flows.inputs.base import Json, TextInput, decoded
from flows.messages.translations import Translatable, gettext, nphrase, phrase, said

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
"""What databases and JSON readers take; an Integer without bounds is held to these."""

MAX_DIGITS = 40
"""Significant digits that are read at all."""

_TOO_LONG = gettext("That number has too many digits. Please send a number{bounds}.")
_OUT_OF_BOUNDS = gettext("That number is out of bounds. Please send a number{bounds}.")

_INTEGER = re.compile(r"([+-]?)([0-9]+)")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.([0-9]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(TextInput[int]):
    """A whole number: an optional sign and ASCII digits, nothing else.

    Attributes:
        ge, le: the least and the greatest number; without them those of 64 bits.
    """

    kind: ClassVar[str] = "integer"

    ge: int | None = None
    le: int | None = None

    def __post_init__(self) -> None:
        for name, bound in (("ge", self.ge), ("le", self.le)):
            if bound is not None and not INT64_MIN <= bound <= INT64_MAX:
                raise self._cannot(f"{name} is {bound}, more than 64 bits hold")
        if self.ge is not None and self.le is not None and self.ge > self.le:
            raise self._cannot(f"ge {self.ge} is more than le {self.le}")
        TextInput.__post_init__(self)

    def parse_text(self, text: str) -> Json:
        """The number, if it is one within the bounds."""
        match = _INTEGER.fullmatch(text)
        if match is None:
            raise self.refused(self._wish())
        sign, digits = match[1], match[2].lstrip("0") or "0"
        if len(digits) > MAX_DIGITS:  # int() of thousands of digits would take its time
            raise self.refused(self._out_of_bounds())
        number = int(sign + digits)
        least = INT64_MIN if self.ge is None else self.ge
        if not least <= number <= (INT64_MAX if self.le is None else self.le):
            raise self.refused(self._out_of_bounds())
        return number

    def load(self, value: Json) -> int:
        """The number itself."""
        return _whole(value)

    def dump(self, value: int) -> Json:
        """The number itself."""
        return _whole(value)

    def hint(self) -> str:
        """Asks for a whole number, with its bounds."""
        return self.retry or self._wish()

    def _wish(self) -> str:
        bounds, example = _bounds(self.ge, self.le), _example(self.ge, self.le, 42)
        return phrase(
            "Please send a whole number{bounds}, in digits such as {example}.",
            bounds=bounds,
            example=example,
        )

    def _out_of_bounds(self) -> str:
        bounds = _bounds(self.ge, self.le) or _bounds(INT64_MIN, INT64_MAX)
        return phrase(
            "That number is out of bounds. Please send a whole number{bounds}.", bounds=bounds
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(TextInput[Decimal]):
    """A number with or without decimal places: an optional sign, ASCII digits, one point.

    The value is a Decimal, since what a person types is decimal: 0.1 stays 0.1 and prices add
    up; ``float(value)`` gives up that exactness where it does not matter. A comma is refused
    rather than guessed at: 1,000 is a thousand to some people and one to others.

    Attributes:
        ge, le: the least and the greatest number.
        places: the most decimal places; None: any number of them.
    """

    kind: ClassVar[str] = "number"

    ge: Decimal | int | float | None = None
    le: Decimal | int | float | None = None
    places: int | None = None

    def __post_init__(self) -> None:
        for name in ("ge", "le"):
            bound = getattr(self, name)
            if bound is not None:
                object.__setattr__(self, name, self._bound(name, bound))
        if self.ge is not None and self.le is not None and self.ge > self.le:
            raise self._cannot(f"ge {self.ge} is more than le {self.le}")
        if self.places is not None and self.places < 0:
            raise self._cannot(f"places is {self.places}; at least 0 is possible")
        TextInput.__post_init__(self)

    def parse_text(self, text: str) -> Json:
        """The number as a text of digits, so that no digit is lost in JSON."""
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise self.refused(self._wish())
        places = len(match[1] or "")
        if self.places is not None and places > self.places:
            raise self.refused(self._wish())
        if len(text) > MAX_DIGITS:
            raise self.refused(self._refusal(_TOO_LONG))
        number = Decimal(text)
        if (self.ge is not None and number < self.ge) or (self.le is not None and number > self.le):
            raise self.refused(self._refusal(_OUT_OF_BOUNDS))
        return _digits(number)

    def load(self, value: Json) -> Decimal:
        """The number of a text of digits."""
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no text of a number")
        return _decimal(value)

    def dump(self, value: Decimal) -> Json:
        """The number as a text of digits; an int or a float is taken as well."""
        if isinstance(value, bool) or not isinstance(value, Decimal | int | float):
            raise ValueError(f"{value!r} is no number")
        return _digits(_decimal(str(value)))

    def hint(self) -> str:
        """Asks for a number, with its bounds."""
        return self.retry or self._wish()

    def stored(self) -> dict[str, Json]:
        """The bounds as texts."""
        data = TextInput.stored(self)
        for name in data.keys() & {"ge", "le"}:
            data[name] = str(data[name])
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Reads the bounds from texts."""
        return cls(**decoded(data, _decimal, "ge", "le"))

    def _bound(self, name: str, bound: Decimal | int | float) -> Decimal:
        try:
            return _decimal(str(bound))
        except ValueError as error:
            raise self._cannot(f"{name} is {bound!r}, which is no number") from error

    def _wish(self) -> str:
        example = _example(self.ge, self.le, "3" if self.places == 0 else "3.5")
        bounds = _bounds(self.ge, self.le) + self._precision()
        return phrase(
            "Please send a number{bounds}, in digits such as {example}.",
            bounds=bounds,
            example=example,
        )

    def _precision(self) -> str:
        if self.places is None:
            return ""
        if not self.places:
            return phrase(" without a decimal point")
        return nphrase(
            " with at most {n} decimal place", " with at most {n} decimal places", self.places
        )

    def _refusal(self, refusal: Translatable) -> str:
        return said(refusal.format(bounds=_bounds(self.ge, self.le)))


def _bounds(least: object, most: object) -> str:
    if least is not None and most is not None:
        return phrase(" from {least} to {most}", least=str(least), most=str(most))
    if least is not None:
        return phrase(" of at least {least}", least=str(least))
    return phrase(" of at most {most}", most=str(most)) if most is not None else ""


def _example(least: object, most: object, otherwise: object) -> str:
    """A number as it is to be typed, whatever the language."""
    return str(next((bound for bound in (least, most) if bound is not None), otherwise))


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is no whole number")
    return value


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not number.is_finite():
        raise ValueError(f"{text!r} is no finite number")
    return number


def _digits(number: Decimal) -> str:
    return format(number if number else abs(number), "f")
