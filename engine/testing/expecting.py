"""Comparing what a bot said with what it should have said."""

from __future__ import annotations

from collections.abc import Sequence

from flows.errors import HandrailError


class Unexpected(HandrailError, AssertionError):
    """The bot said something else.

    Attributes:
        expected: what should have come, as a phrase.
        came: what the bot said instead, one text a reply.
        buttons: the labels of the buttons that came with it.
    """

    def __init__(self, expected: str, came: tuple[str, ...], buttons: tuple[str, ...]) -> None:
        self.expected = expected
        self.came = came
        self.buttons = buttons
        super().__init__(f"expected {expected}. {told(came)}{_row(buttons)}")


def told(came: Sequence[str]) -> str:
    """What the bot said, for an error message."""
    said = "".join(f"\n  | {line}" for text in came for line in text.split("\n"))
    return f"The bot said:{said}" if came else "The bot said nothing."


def first_missing(words: Sequence[str], replies: Sequence[str]) -> int | None:
    """The index of the first words that the replies lack, each looked for after those before.

    Upper and lower case, and how white space is spread, do not matter.
    """
    heard, position = _folded("\n".join(replies)), 0
    for index, each in enumerate(words):
        found = heard.find(_folded(each), position)
        if found < 0:
            return index
        position = found + len(_folded(each))
    return None


def compare(
    words: Sequence[str],
    buttons: Sequence[str] | None,
    *,
    came: tuple[str, ...],
    labels: tuple[str, ...],
) -> None:
    """Raises Unexpected where words are missing, or the buttons are others."""
    missing = first_missing(words, came)
    if missing is not None:
        behind = f" after {words[missing - 1]!r}" if missing else ""
        raise Unexpected(f"{words[missing]!r}{behind}", came, labels)
    if buttons is not None and tuple(buttons) != labels:
        raise Unexpected(_wanted(tuple(buttons)), came, labels)


def _wanted(buttons: tuple[str, ...]) -> str:
    return f"the buttons {_listed(buttons)}" if buttons else "no buttons"


def _row(buttons: tuple[str, ...]) -> str:
    return f"\n  {_listed(buttons)}" if buttons else ""


def _listed(labels: tuple[str, ...]) -> str:
    return " ".join(f"[{label}]" for label in labels)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
