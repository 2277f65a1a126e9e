"""Texts as any storage takes them."""

from __future__ import annotations


def clean(text: str) -> str:
    """The text without NUL, and with U+FFFD for surrogates that stand alone."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        # By way of UTF-16, so that two halves that belong together become a character.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
