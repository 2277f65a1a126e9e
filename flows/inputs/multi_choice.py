"""Several of some options: buttons that are switched on and off, or labels that are typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Self, TypeVar, overload

from flows.errors import InvalidAnswer
from flows.inputs.base import Draft, Json, TextInput, decoded
from flows.inputs.labels import check_labels, find_label, find_labels, listed
from flows.inputs.layout import rows_by_width
from flows.inputs.options import json_of, json_pairs, option_pairs
from flows.messages.translations import gettext, joined, kept, phrase

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

CHOSEN = "\u2713 "
"""What stands before the label of a chosen option."""

_DONE = gettext("Done")

Buttons = tuple[tuple[str, list[T]], ...]


@dataclass(frozen=True, slots=True, init=False)
class MultiChoice(TextInput[list[T]]):
    """Several of some options: a list in the order of the options.

    Each option is a button that chooses it and takes it away again; "Done" gives the answer.
    The labels can be typed as well, with commas between them: then they are the whole answer.
    The options are given as for ``Choice``.

    Attributes:
        of: the options: label and value.
        min_choices, max_choices: how many may be chosen; None: all of them.
        done: the label of the button that ends the choosing.

    Raises:
        DefinitionError: at construction: options as for ``Choice``, or numbers that cannot work.
    """

    kind: ClassVar[str] = "multi_choice"

    of: tuple[tuple[str, T], ...]
    min_choices: int = 1
    max_choices: int | None = None
    done: str = _DONE

    @overload
    def __init__(
        self: MultiChoice[E],
        of: type[E],
        *,
        labels: Mapping[E, str] | None = None,
        min_choices: int = 1,
        max_choices: int | None = None,
        done: str = _DONE,
        retry: str | None = None,
        buttons: Buttons[E] = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: MultiChoice[str],
        of: Sequence[str],
        *,
        min_choices: int = 1,
        max_choices: int | None = None,
        done: str = _DONE,
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
        min_choices: int = 1,
        max_choices: int | None = None,
        done: str = _DONE,
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
        min_choices: int = 1,
        max_choices: int | None = None,
        done: str = _DONE,
        retry: str | None = None,
        buttons: Any = (),
        tries: int | None = None,
        columns: int | None = None,
    ) -> None:
        object.__setattr__(self, "of", option_pairs("MultiChoice", of, labels))
        object.__setattr__(self, "min_choices", min_choices)
        object.__setattr__(self, "max_choices", max_choices)
        object.__setattr__(self, "done", done)
        TextInput.__init__(self, retry=retry, buttons=buttons, tries=tries, columns=columns)

    def __post_init__(self) -> None:
        if not 0 <= self.min_choices <= len(self.of):
            raise self._cannot(
                f"min_choices is {self.min_choices}; with {len(self.of)} options it is one of 0 "
                f"to {len(self.of)}"
            )
        if self.max_choices is not None and self.max_choices < max(1, self.min_choices):
            raise self._cannot(
                f"max_choices is {self.max_choices}; at least {max(1, self.min_choices)} is "
                "possible"
            )
        check_labels("MultiChoice", [label for label, _ in (*self.of, (self.done, None))])
        TextInput.__post_init__(self)

    def parse_text(self, text: str) -> Json:
        """The JSON values of the options whose labels were typed."""
        shortcut = find_label(text, TextInput.options(self))
        if shortcut is not None:
            return shortcut
        found = find_labels(text, json_pairs(self.of))
        if not found:
            raise self.refused(self._wish())
        return self._counted(self._sorted(found))

    def start(self) -> Json:
        """Nothing is chosen."""
        return []

    def options(self, draft: Json = None) -> tuple[tuple[str, Json], ...]:
        """The options, "Done", then the buttons."""
        chosen = _listed(draft)
        marked = [_switch(label, value, chosen) for label, value in json_pairs(self.of)]
        return (*marked, (self.done, {"done": True}), *TextInput.options(self))

    def rows(self, draft: Json = None) -> tuple[int, ...] | None:
        """The options by their width, as wide as they are when chosen; "Done" below them."""
        # Else the buttons would jump about while the person presses them.
        widest = [f"{CHOSEN}{label}" for label, _ in self.of]
        return (*rows_by_width(widest, self.columns), 1)

    def press(self, value: Json, draft: Json) -> Json | Draft:
        """What is chosen now, or with "Done" the answer."""
        chosen = _listed(draft)
        match value:
            case {"choose": option}:
                return self._choose(option, chosen)
            case {"take_away": option}:
                return Draft([each for each in chosen if each != option])
            case {"done": _}:
                return self._counted(chosen)
        return value

    def load(self, value: Json) -> list[T]:
        """The values. Raises ValueError when there is no such option any more."""
        if value is None:
            raise ValueError("None is no list of options")
        known = [(json_of(option), option) for _, option in self.of]
        return [_found(each, known) for each in _listed(value)]

    def dump(self, value: list[T]) -> Json:
        """The JSON forms in the order of the options; any collection is taken."""
        if not isinstance(value, list | tuple | set | frozenset):
            raise ValueError(f"{value!r} is no list of options")
        known = [(option, json_of(option)) for _, option in self.of]
        return self._sorted([_found(each, known) for each in value])

    def hint(self) -> str:
        """Lists the labels."""
        return self.retry or self._wish()

    def shown(self, value: Json) -> str:
        """The labels."""
        return joined(
            [label for label, known in json_pairs(self.of) if known in _listed(value)], ", "
        )

    def stored(self) -> dict[str, Json]:
        """The options as pairs of label and JSON value."""
        data = TextInput.stored(self)
        data["of"] = [[kept(label), value] for label, value in json_pairs(self.of)]
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Takes the options as they were stored: the values are JSON."""
        return cls(**decoded(data, lambda pairs: [tuple(pair) for pair in pairs], "of"))

    def _choose(self, option: Json, chosen: list[Json]) -> Draft:
        more = self._sorted([*chosen, option])
        if self.max_choices is not None and len(more) > self.max_choices:
            most = self.max_choices
            raise InvalidAnswer(
                phrase("You can choose at most {most}. Take one away first.", most=most)
            )
        return Draft(more)

    def _counted(self, chosen: list[Json]) -> Json:
        most = len(self.of) if self.max_choices is None else self.max_choices
        if not self.min_choices <= len(chosen) <= most:
            raise self.refused(self._wish())
        return chosen

    def _sorted(self, chosen: list[Json]) -> list[Json]:
        return [value for _, value in json_pairs(self.of) if value in chosen]

    def _typed(self) -> tuple[tuple[str, Json], ...]:
        return (*json_pairs(self.of), (self.done, None), *TextInput.options(self))

    def _wish(self) -> str:
        labels = listed([label for label, _ in self._typed() if label != self.done])
        return phrase(
            "Please choose {number}: {labels}. Press {done} at the end, or type the labels with "
            "commas between them.",
            number=self._number(),
            labels=labels,
            done=self.done,
        )

    def _number(self) -> str:
        least, most = self.min_choices, self.max_choices
        if most is None or most >= len(self.of):
            return phrase("at least {least} of", least=least) if least else phrase("any of")
        if least == most:
            return phrase("{least} of", least=least)
        if least:
            return phrase("{least} to {most} of", least=least, most=most)
        return phrase("at most {most} of", most=most)


def _switch(label: str, value: Json, chosen: list[Json]) -> tuple[str, Json]:
    """The button that says what it will do, so that pressing it twice does it once."""
    if value in chosen:
        return joined((CHOSEN, label)), {"take_away": value}
    return label, {"choose": value}


def _listed(value: Json) -> list[Json]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list of options")
    return value


def _found(value: object, known: list[tuple[Any, Any]]) -> Any:
    for wanted, found in known:
        if wanted == value:
            return found
    raise ValueError(f"{value!r} is none of {[wanted for wanted, _ in known]}")
