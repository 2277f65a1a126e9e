"""One of several options, by button or by typing its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from math import isfinite
from typing import Any, ClassVar, Self, TypeVar, cast, overload

from flows.errors import DefinitionError
from flows.inputs.base import Json, TextInput, decoded
from flows.inputs.labels import check_labels, find_label, listed

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

Buttons = tuple[tuple[str, T], ...]


@dataclass(frozen=True, slots=True, init=False)
class Choice(TextInput[T]):
    """One of several options. Each is a button; its label can be typed as well.

    The options are an enum, a mapping or pairs of label and value, or texts that are both. A
    value is a text, a number, a bool, or the member of an enum. The label of an enum's member
    is what ``labels`` says, else its ``label`` attribute, else made from its name: TWO_WORDS
    becomes "Two words".

    Attributes:
        of: the options: label and value.

    Raises:
        DefinitionError: at construction: no options, labels or values that are the same, a
            value that JSON cannot hold.
    """

    kind: ClassVar[str] = "choice"

    of: tuple[tuple[str, T], ...]

    @overload
    def __init__(
        self: Choice[E],
        of: type[E],
        *,
        labels: Mapping[E, str] | None = None,
        retry: str | None = None,
        buttons: Buttons[E] = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: Choice[str],
        of: Sequence[str],
        *,
        retry: str | None = None,
        buttons: Buttons[str] = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        of: Mapping[str, T] | Sequence[tuple[str, T]],
        *,
        retry: str | None = None,
        buttons: Buttons[T] = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None: ...

    def __init__(
        self,
        of: Any,
        *,
        labels: Any = None,
        retry: str | None = None,
        buttons: Any = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None:
        object.__setattr__(self, "of", _pairs(of, labels))
        TextInput.__init__(self, retry=retry, buttons=buttons, tries=tries, columns=columns)

    def parse_text(self, text: str) -> Json:
        """The JSON value of the option whose label was typed."""
        found = find_label(text, self.options())
        if found is None:
            raise self.refused(self._wish())
        return found

    def load(self, value: Json) -> T:
        """The option's value. Raises ValueError when there is no such option any more."""
        for _, option in self.of + self.buttons:
            if _json(option) == value:
                return option
        raise ValueError(f"{value!r} is none of {[_json(option) for _, option in self.of]}")

    def dump(self, value: T) -> Json:
        """The JSON form of an option's value."""
        for _, option in self.of + self.buttons:
            if option == value:
                return _json(option)
        raise ValueError(f"{value!r} is none of {[option for _, option in self.of]}")

    def options(self) -> tuple[tuple[str, Json], ...]:
        """The options, then the buttons."""
        return self._choices() + TextInput.options(self)

    def hint(self) -> str:
        """Lists the labels."""
        return self.retry or self._wish()

    def stored(self) -> dict[str, Json]:
        """The options as pairs of label and JSON value."""
        data = TextInput.stored(self)
        data["of"] = [[label, value] for label, value in self._choices()]
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Takes the options as they were stored: the values are JSON."""
        return cls(**decoded(data, lambda pairs: [tuple(pair) for pair in pairs], "of"))

    def _choices(self) -> tuple[tuple[str, Json], ...]:
        return tuple((label, _json(value)) for label, value in self.of)

    def _wish(self) -> str:
        return f"Please choose one of: {listed([label for label, _ in self.options()])}."


@dataclass(frozen=True, slots=True)
class Confirm(TextInput[bool]):
    """Yes or no, by button or by typing the label.

    Attributes:
        yes, no: the labels.
    """

    kind: ClassVar[str] = "confirm"

    yes: str = "Yes"
    no: str = "No"

    def __post_init__(self) -> None:
        check_labels("Confirm", (self.yes, self.no))
        TextInput.__post_init__(self)

    def parse_text(self, text: str) -> Json:
        """True or False by the label that was typed."""
        found = find_label(text, self.options())
        if found is None:
            raise self.refused(self._wish())
        return found

    def load(self, value: Json) -> bool:
        """The truth value itself."""
        return _truth(value)

    def dump(self, value: bool) -> Json:
        """The truth value itself."""
        return _truth(value)

    def options(self) -> tuple[tuple[str, Json], ...]:
        """Yes, no, then the buttons."""
        return ((self.yes, True), (self.no, False), *TextInput.options(self))

    def hint(self) -> str:
        """Asks for one of the two."""
        return self.retry or self._wish()

    def _wish(self) -> str:
        return f"Please answer {self.yes} or {self.no}."


def _pairs(of: Any, labels: Mapping[Any, str] | None) -> tuple[tuple[str, Any], ...]:
    if isinstance(of, type) and issubclass(of, Enum):
        return _enum_pairs(of, labels)
    if labels is not None:
        raise DefinitionError("Choice(): labels= is for enums; give pairs of label and value")
    if isinstance(of, Mapping):
        return _checked(tuple(of.items()))
    if isinstance(of, str) or not isinstance(of, Sequence):
        raise DefinitionError(f"Choice(): {of!r} is no enum, no mapping and no list of options")
    return _checked(tuple((each, each) if isinstance(each, str) else each for each in of))


def _enum_pairs(enum: type[Enum], labels: Mapping[Any, str] | None) -> tuple[tuple[str, Any], ...]:
    pairs = _named_pairs(enum)
    if not labels:
        return pairs
    strangers = [label for member, label in labels.items() if not isinstance(member, enum)]
    if strangers:
        raise DefinitionError(
            f"Choice({enum.__name__}): the labels {strangers} are for no member of {enum.__name__}"
        )
    return _checked(tuple((labels.get(member, label), member) for label, member in pairs))


@lru_cache(maxsize=256)
def _named_pairs(enum: type[Enum]) -> tuple[tuple[str, Any], ...]:
    return _checked(tuple((member_label(member), member) for member in enum))


def member_label(member: Enum) -> str:
    """The label of an enum's member: its ``label`` attribute, or made from its name."""
    # A member called ``label`` would be found as an attribute of every other member.
    own = None if "label" in type(member).__members__ else getattr(member, "label", None)
    if isinstance(own, str):
        return own
    words = member.name.replace("_", " ").strip()
    return words.capitalize() if member.name.isupper() else words[:1].upper() + words[1:]


def _checked(pairs: tuple[Any, ...]) -> tuple[tuple[str, Any], ...]:
    if not pairs:
        raise DefinitionError("Choice(): there is no option to choose. Give at least one")
    strays = [pair for pair in pairs if not isinstance(pair, tuple) or len(pair) != 2]
    if strays:
        raise DefinitionError(f"Choice(): {strays[0]!r} is no pair of label and value")
    check_labels("Choice", [label for label, _ in pairs])
    _check_values([(label, _json(value)) for label, value in pairs])
    return pairs


def _check_values(pairs: list[tuple[str, Json]]) -> None:
    seen: dict[Any, str] = {}
    for label, value in pairs:
        if isinstance(value, float) and not isfinite(value):
            raise DefinitionError(f"Choice(): the value of {label!r} is {value}, which is no JSON")
        other = seen.setdefault(value, label)
        if other is not label:
            raise DefinitionError(
                f"Choice(): the options {other!r} and {label!r} have the same value {value!r}"
            )


def _json(value: object) -> Json:
    """The JSON form of an option's value; a member of an enum by its value, or its name."""
    if isinstance(value, Enum):
        return _member_json(value)
    if isinstance(value, str | int | float):
        return value
    raise DefinitionError(
        f"Choice(): the value {value!r} is a {type(value).__name__}, which cannot be stored. "
        "Use texts, numbers or the members of an enum."
    )


def _member_json(member: Enum) -> Json:
    # By name where a value is no JSON, or not for every member: one rule for a whole enum.
    return cast(Json, member.value) if _has_plain_values(type(member)) else member.name


@lru_cache(maxsize=256)
def _has_plain_values(enum: type[Enum]) -> bool:
    return all(type(member.value) in (str, int, float, bool) for member in enum)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value
