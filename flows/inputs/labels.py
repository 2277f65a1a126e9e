"""Labels of buttons: how they are compared with what a person types."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from flows.errors import DefinitionError
from flows.messages.translations import Translatable, phrase, said

T = TypeVar("T")

_COMMA = re.compile("[,\n\uff0c\u3001\u060c]")
"""Commas of several scripts, and the end of a line."""

MAX_LABEL = 200
"""The most characters of a label."""

_MAX_TYPED = 4 * MAX_LABEL
"""A longer text is no label. The bound keeps the time of normalising small."""

_MAX_LIST = 4096
"""A longer text is no list of labels."""


def fold(text: str) -> str:
    """The text for comparing only: NFKC, without case, invisible marks and extra white space."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKC", text).casefold()
    # Casefolding can undo the normal form, so that it is made once more.
    visible = (c for c in unicodedata.normalize("NFKC", plain) if not _is_invisible(c))
    return " ".join("".join(visible).split())


def find_label(text: str, labelled: Iterable[tuple[str, T]]) -> T | None:
    """What stands behind the label that was typed; None when the text is no label."""
    if len(text) > _MAX_TYPED:
        return None
    typed = fold(text)
    for known, behind in _as_said(labelled):
        if fold(known) == typed:
            return behind
    return None


def find_labels(text: str, labelled: Iterable[tuple[str, T]]) -> list[T] | None:
    """What stands behind the labels that were typed with commas or on lines of their own, each
    once; None when there is anything else. A label may hold commas itself.
    """
    pieces = _pieces(text)
    if pieces is None:
        return None
    known: dict[tuple[str, ...], T] = {}
    for label, behind in _as_said(labelled):
        known.setdefault(tuple(_pieces(label) or ()), behind)
    longest = max(map(len, known), default=0)
    found: dict[tuple[str, ...], T] = {}
    place = 0
    while place < len(pieces):
        ends = range(min(place + longest, len(pieces)), place, -1)
        runs = (tuple(pieces[place:end]) for end in ends)
        label_typed = next((run for run in runs if run in known), None)
        if label_typed is None:
            return None
        found[label_typed] = known[label_typed]
        place += len(label_typed)
    return list(found.values())


def _as_said(labelled: Iterable[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """The labels in the words of the person, then in the original ones: who has another language
    now may read the old label in a message above.
    """
    translated: list[tuple[str, T]] = []
    for label, behind in labelled:
        yield said(label), behind
        if isinstance(label, Translatable):
            translated.append((label.original, behind))
    yield from translated


def _pieces(text: str) -> list[str] | None:
    """The folded pieces between the commas; None when there is more text than labels have."""
    pieces = [piece for piece in _COMMA.split(text[: _MAX_LIST + 1]) if piece.strip()]
    if len(text) > _MAX_LIST or any(len(piece) > _MAX_TYPED for piece in pieces):
        return None
    return [folded for piece in pieces if (folded := fold(piece))]


def check_labels(owner: str, labels: Sequence[str]) -> None:
    """Raises DefinitionError for labels that are empty, too long, or the same when typed."""
    seen: dict[str, str] = {}
    for label in labels:
        if not isinstance(label, str) or not fold(label):
            raise DefinitionError(f"{owner}(): {label!r} is no label. A label needs a text")
        if len(label) > MAX_LABEL:
            raise DefinitionError(
                f"{owner}(): the label {label[:20]!r}... has {len(label)} characters; "
                f"{MAX_LABEL} are possible"
            )
        other = seen.setdefault(fold(label), label)
        if other is not label or labels.count(label) > 1:
            raise DefinitionError(
                f"{owner}(): the labels {other!r} and {label!r} are the same when typed. "
                "Rename one of them."
            )


def listed(labels: Sequence[str], *, most: int = 20) -> str:
    """The labels in one line for a person, cut after ``most``."""
    shown = ", ".join(map(said, labels[:most]))
    return phrase("{labels} and more", labels=shown) if len(labels) > most else shown


def _is_invisible(char: str) -> bool:
    # U+FE0E and U+FE0F choose between the looks of a symbol; keyboards add them or not.
    return unicodedata.category(char) == "Cf" or char in "\ufe0e\ufe0f"
