"""Texts that are too long for one message, cut where it hurts least.

Telegram counts UTF-16 units. A cut falls after a line, else after a word, else between two
characters as people see them; never inside a tag, an escape, a link or an emoji. Marks that
are open at a cut are closed there and opened again in the next part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_TEXT = 4096
"""UTF-16 units that a message may have."""

MAX_CAPTION = 1024
"""UTF-16 units that a caption may have."""

_LONGEST_CLUSTER = 64
"""Code points kept together at most: a flood of combining marks is no character."""

_TAG_OR_REFERENCE = re.compile(r"<(/?)([a-zA-Z][\w-]*)[^>]*>|&(?:#\d+|#[xX][\da-fA-F]+|\w+);")
_MARK = re.compile(
    r"(?P<whole>\\.|\*\*>|!?\[(?:\\.|[^\]\\])*\]\((?:\\.|[^)\\])*\))"
    r"|(?P<toggle>```(?:\w+\n)?|`|\|\||__|[*_~])",
    re.DOTALL,
)
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class _Mark:
    """An open mark: what opens it again, and what closes it."""

    opening: str
    closing: str


@dataclass(frozen=True, slots=True)
class _Atom:
    """A piece that is never cut. ``open`` are the marks that are open behind it."""

    text: str
    open: tuple[_Mark, ...] = ()
    markup: bool = False


def units(text: str) -> int:
    """The length as Telegram counts it: in UTF-16 units."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def split(
    text: str, format: str = "plain", limit: int = MAX_TEXT, *, first: int | None = None
) -> list[str]:
    """The text in parts of at most ``limit`` units; nothing for one that shows nothing.

    ``format`` is ``plain``, ``html`` or ``markdown``.
    A single piece that cannot be cut (a link, say) may be longer than the limit.

    Args:
        first: units that the first part may have, if not so many.
    """
    rest, limit = limit, limit if first is None else first
    if units(text) <= limit:
        return [text] if text.strip() else []
    parts: list[str] = []
    opened = ""
    waiting: list[_Atom] = []
    size = 0
    for atom in _atoms(text, format):
        added = units(atom.text)
        while waiting and size + added + units(_closing(atom.open)) > limit:
            cut = _cut(waiting)
            done, waiting = waiting[:cut], waiting[cut:]
            parts += _part(opened, done)
            limit = rest if parts else limit
            opened = "".join(mark.opening for mark in done[-1].open)
            size = units(opened) + sum(units(left.text) for left in waiting)
        waiting.append(atom)
        size += added
    return [*parts, *_part(opened, waiting)]


def shortened(text: str, format: str = "plain", limit: int = MAX_TEXT) -> str:
    """The text, cut and ended with an ellipsis where it is longer than ``limit`` units."""
    if units(text) <= limit:
        return text
    parts = split(text, format, limit - 1)
    return f"{parts[0].rstrip()}…" if parts else ""


def _part(opened: str, atoms: Sequence[_Atom]) -> list[str]:
    # Telegram takes no message that shows nothing, so blanks between two cuts are left out.
    if all(atom.markup or atom.text.isspace() for atom in atoms):
        return []
    return [opened + "".join(atom.text for atom in atoms) + _closing(atoms[-1].open)]


def _closing(marks: Sequence[_Mark]) -> str:
    return "".join(mark.closing for mark in reversed(marks))


def _cut(atoms: Sequence[_Atom]) -> int:
    """How many atoms go before the cut: a line's or word's end in the later half, else all."""
    later = range(len(atoms), len(atoms) // 2, -1)
    for wanted in ("\n", " "):
        for end in later:
            if atoms[end - 1].text.endswith(wanted):
                return end
    return len(atoms)


def _atoms(text: str, format: str) -> Iterator[_Atom]:
    match format:
        case "html":
            return _html_atoms(text)
        case "markdown":
            return _markdown_atoms(text)
        case _:
            return (_Atom(cluster) for cluster in _clusters(text))


def _html_atoms(text: str) -> Iterator[_Atom]:
    marks: tuple[_Mark, ...] = ()
    at = 0
    for found in _TAG_OR_REFERENCE.finditer(text):
        yield from (_Atom(cluster, marks) for cluster in _clusters(text[at : found.start()]))
        at = found.end()
        closes, name = found[1], found[2]
        if name and closes:
            marks = marks[:-1]
        elif name:
            marks = (*marks, _Mark(found[0], f"</{name}>"))
        yield _Atom(found[0], marks, markup=bool(name))
    yield from (_Atom(cluster, marks) for cluster in _clusters(text[at:]))


def _markdown_atoms(text: str) -> Iterator[_Atom]:
    marks: tuple[_Mark, ...] = ()
    at = 0
    for found in _MARK.finditer(text):
        yield from (_Atom(cluster, marks) for cluster in _clusters(text[at : found.start()]))
        at = found.end()
        toggle = found["toggle"]
        if toggle is None:
            yield _Atom(found[0], marks)
            continue
        yield from _toggled(marks, toggle)
        marks = _after(marks, toggle)
    yield from (_Atom(cluster, marks) for cluster in _clusters(text[at:]))


def _toggled(marks: tuple[_Mark, ...], toggle: str) -> Iterator[_Atom]:
    yield _Atom(toggle, _after(marks, toggle), markup=_after(marks, toggle) != marks)


def _after(marks: tuple[_Mark, ...], toggle: str) -> tuple[_Mark, ...]:
    closing = toggle[:3] if toggle.startswith("```") else toggle
    if marks and marks[-1].closing == closing:
        return marks[:-1]
    # Inside code only its own end means anything.
    if marks and marks[-1].closing.startswith("`"):
        return marks
    return (*marks, _Mark(toggle, closing))


def _clusters(text: str) -> Iterator[str]:
    """The characters as people see them, near enough: marks, joined emoji and flags stay whole."""
    start = 0
    for at in range(1, len(text)):
        if at - start >= _LONGEST_CLUSTER or not _glued(text, start, at):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _glued(text: str, start: int, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after < "\u0300":
        return before == "\r" and after == "\n"
    if _JOINER in (before, after) or _is_skin_tone(after):
        return True
    if _is_flag_letter(after):
        return _is_flag_letter(before) and at - start == 1
    return unicodedata.category(after).startswith("M")


def _is_skin_tone(char: str) -> bool:
    return "\U0001f3fb" <= char <= "\U0001f3ff"


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
