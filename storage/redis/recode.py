"""Texts are put in place of others, page by page, while turns go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from flows.errors import CorruptState
from storage.redis.link import Link

PAGE: Final = 100

Change = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Text:
    """A text and the value that it is a part of, at ``field`` of the hash ``name``."""

    row: bytes
    name: bytes
    field: bytes
    value: bytes

    def changed(self, change: Change) -> bytes:
        """The value with another text in it."""
        try:
            return _with(self.name, self.value.decode(), change).encode()
        except UnicodeDecodeError as error:
            raise CorruptState(self.field.decode(errors="replace"), str(error)) from error


async def recode(link: Link, time: str, change: Change) -> int:
    """Changes every text and answers how many rows that were.

    It walks along the list of all rows, where each has one place that never changes: so none
    is seen twice, and what comes meanwhile is new.
    """
    rows, last = 0, b""
    while True:
        last, *flat = await link.script("recode_read", time, last, PAGE)
        texts = [_Text(*flat[place : place + 4]) for place in range(0, len(flat), 4)]
        rows += await _page(link, time, texts, change)
        if not last:
            return rows


async def _page(link: Link, time: str, texts: Sequence[_Text], change: Change) -> int:
    """The rows of a page that were changed; what ``change`` raises comes after those before it."""
    changed: set[bytes] = set()
    pairs: list[tuple[_Text, bytes]] = []
    try:
        for text in texts:
            new = text.changed(change)
            if new != text.value:
                pairs.append((text, new))
    finally:
        while pairs:
            pairs = await _write(link, time, pairs, change, changed)
    return len(changed)


async def _write(
    link: Link,
    time: str,
    pairs: Sequence[tuple[_Text, bytes]],
    change: Change,
    changed: set[bytes],
) -> list[tuple[_Text, bytes]]:
    """Writes what is still as it was read; answers the rest, read and changed again."""
    arguments = [word for text, new in pairs for word in (text.name, text.field, text.value, new)]
    answers = await link.script("recode_write", time, *arguments)
    again: list[tuple[_Text, bytes]] = []
    for (text, _), answer in zip(pairs, answers, strict=True):
        if answer == 1:
            changed.add(text.row)
        elif answer is not None:
            newer = _Text(text.row, text.name, text.field, answer)
            new = newer.changed(change)
            if new != newer.value:
                again.append((newer, new))
    return again


def _with(name: bytes, value: str, change: Change) -> str:
    match name:
        case b"notes" | b"refs":
            return change(value)
        case b"dead":
            fields = value.split("\0")
            fields[4:6] = map(change, fields[4:6])  # the error, and the body
            return "\0".join(fields)
    rest, _, text = value.rpartition("\0")
    if name == b"instances":
        # A result is there or not, see pack.maybe; all else is.
        return f"{rest}\0={change(text[1:])}" if text else value
    return f"{rest}\0{change(text)}" if text else value
