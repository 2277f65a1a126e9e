"""One of several options, by button or by typing its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Self, TypeVar, overload

from flows.inputs.base import Json, TextInput, decoded
from flows.inputs.labels import check_labels, find_label, listed
from flows.inputs.options import json_of, json_pairs, option_pairs
from flows.messages.translations import gettext, kept, phrase

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
        object.__setattr__(self, "of", option_pairs("Choice", of, labels))
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
            if json_of(option) == value:
                return option
        raise ValueError(f"{value!r} is none of {[json_of(option) for _, option in self.of]}")

    def dump(self, value: T) -> Json:
        """The JSON form of an option's value."""
        for _, option in self.of + self.buttons:
            if option == value:
                return json_of(option)
        raise ValueError(f"{value!r} is none of {[option for _, option in self.of]}")

    def options(self, draft: Json = None) -> tuple[tuple[str, Json], ...]:
        """The options, then the buttons."""
        return json_pairs(self.of) + TextInput.options(self)

    def hint(self) -> str:
        """Lists the labels."""
        return self.retry or self._wish()

    def stored(self) -> dict[str, Json]:
        """The options as pairs of label and JSON value."""
        data = TextInput.stored(self)
        data["of"] = [[kept(label), value] for label, value in json_pairs(self.of)]
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Takes the options as they were stored: the values are JSON."""
        return cls(**decoded(data, lambda pairs: [tuple(pair) for pair in pairs], "of"))

    def _wish(self) -> str:
        labels = listed([label for label, _ in self.options()])
        return phrase("Please choose one of: {labels}.", labels=labels)


@dataclass(frozen=True, slots=True)
class Confirm(TextInput[bool]):
    """Yes or no, by button or by typing the label.

    Attributes:
        yes, no: the labels.
    """

    kind: ClassVar[str] = "confirm"

    yes: str = gettext("Yes")
    no: str = gettext("No")

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

    def options(self, draft: Json = None) -> tuple[tuple[str, Json], ...]:
        """Yes, no, then the buttons."""
        return ((self.yes, True), (self.no, False), *TextInput.options(self))

    def hint(self) -> str:
        """Asks for one of the two."""
        return self.retry or self._wish()

    def _wish(self) -> str:
        return phrase("Please answer {yes} or {no}.", yes=self.yes, no=self.no)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value
