"""The options of a choice: an enum, a mapping, pairs or texts become labels and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache
from math import isfinite
from typing import Any, cast

from flows.errors import DefinitionError
from flows.inputs.base import Json
from flows.inputs.labels import check_labels
from flows.messages.translations import Translatable

Options = tuple[tuple[str, Any], ...]
"""Labels and values."""


def option_pairs(owner: str, of: Any, labels: Mapping[Any, str] | None) -> Options:
    """The options that were given in any of their forms.

    Raises:
        DefinitionError: in the name of ``owner``: they cannot work.
    """
    if isinstance(of, type) and issubclass(of, Enum):
        return _enum_pairs(owner, of, labels)
    if labels is not None:
        raise DefinitionError(f"{owner}(): labels= is for enums; give pairs of label and value")
    if isinstance(of, Mapping):
        return _checked(owner, tuple(of.items()))
    if isinstance(of, str) or not isinstance(of, Sequence):
        raise DefinitionError(f"{owner}(): {of!r} is no enum, no mapping and no list of options")
    return _checked(owner, tuple(map(_pair, of)))


def _pair(option: Any) -> Any:
    """A text is its label and its value, which is the same in every language."""
    if isinstance(option, Translatable):
        return option, option.original
    return (option, option) if isinstance(option, str) else option


def json_pairs(options: Options) -> tuple[tuple[str, Json], ...]:
    """The options with the JSON forms of their values."""
    return tuple((label, json_of(value)) for label, value in options)


def _enum_pairs(owner: str, enum: type[Enum], labels: Mapping[Any, str] | None) -> Options:
    pairs = _named_pairs(owner, enum)
    if not labels:
        return pairs
    strangers = [label for member, label in labels.items() if not isinstance(member, enum)]
    if strangers:
        raise DefinitionError(
            f"{owner}({enum.__name__}): the labels {strangers} are for no member of {enum.__name__}"
        )
    renamed = tuple((labels.get(member, label), member) for label, member in pairs)
    return _checked(owner, renamed)


@lru_cache(maxsize=256)
def _named_pairs(owner: str, enum: type[Enum]) -> Options:
    return _checked(owner, tuple((member_label(member), member) for member in enum))


def member_label(member: Enum) -> str:
    """The label of an enum's member: its ``label`` attribute, or made from its name."""
    # A member called ``label`` would be found as an attribute of every other member.
    own = None if "label" in type(member).__members__ else getattr(member, "label", None)
    if isinstance(own, str):
        return own
    words = member.name.replace("_", " ").strip()
    return words.capitalize() if member.name.isupper() else words[:1].upper() + words[1:]


def _checked(owner: str, pairs: tuple[Any, ...]) -> Options:
    if not pairs:
        raise DefinitionError(f"{owner}(): there is no option to choose. Give at least one")
    strays = [pair for pair in pairs if not isinstance(pair, tuple) or len(pair) != 2]
    if strays:
        raise DefinitionError(f"{owner}(): {strays[0]!r} is no pair of label and value")
    check_labels(owner, [label for label, _ in pairs])
    _check_values(owner, pairs)
    return pairs


def _check_values(owner: str, pairs: Options) -> None:
    seen: dict[Any, str] = {}
    for label, option in pairs:
        if not isinstance(option, str | int | float | Enum):
            raise DefinitionError(
                f"{owner}(): the value {option!r} is a {type(option).__name__}, which cannot be "
                "stored. Use texts, numbers or the members of an enum."
            )
        value = json_of(option)
        if isinstance(value, float) and not isfinite(value):
            raise DefinitionError(f"{owner}(): the value of {label!r} is {value}, which is no JSON")
        other = seen.setdefault(value, label)
        if other is not label:
            raise DefinitionError(
                f"{owner}(): the options {other!r} and {label!r} have the same value {value!r}"
            )


def json_of(value: object) -> Json:
    """The JSON form of an option's value; a member of an enum by its value, or its name."""
    if isinstance(value, Enum):
        return _member_json(value)
    return cast(Json, value)


def _member_json(member: Enum) -> Json:
    # By name where a value is no JSON, or not for every member: one rule for a whole enum.
    return cast(Json, member.value) if _has_plain_values(type(member)) else member.name


@lru_cache(maxsize=256)
def _has_plain_values(enum: type[Enum]) -> bool:
    return all(type(member.value) in (str, int, float, bool) for member in enum)
