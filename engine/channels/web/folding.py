"""Lines of a chat as they stand now: an edit goes into what it changes.

An edit is a line of its own, so a message that is edited all the time would crowd out the talk.
Read backwards, each message is met after all its edits. What is edited and lies further back
than was read is kept as one line, for the page to apply once it has the original.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from flows.ports import Line

_CHANGED = ("text", "spot", "knobs")
"""What an edit puts in place of what was there, also where it is empty."""

_ADDED = ("media", "keys", "reply_to")
"""What an edit leaves as it was, unless it has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A piece of a chat.

    Attributes:
        lines: its messages as they stand now, ascending.
        first, last: the places of the first and the last line that was read; 0: there is none.
        more: there are lines before these.
    """

    lines: Sequence[Line]
    first: int
    last: int
    more: bool


class Folding:
    """Takes lines from the newest to the oldest."""

    def __init__(self) -> None:
        self._messages: list[Line] = []
        self._changes: dict[str, tuple[Line, dict[str, Any]]] = {}

    @property
    def count(self) -> int:
        """How many messages there are, each counted once."""
        return len(self._messages)

    def add(self, line: Line) -> None:
        """Takes the line that comes before all that it has."""
        it = orjson.loads(line.body)
        name = it["edit"] or it["ref"]
        at, change = self._changes.get(name, (line, None))
        if it["edit"]:
            self._changes[name] = (at, it if change is None else _both(it, change))
            return
        self._changes.pop(name, None)
        if change is None:
            self._messages.append(line)
        elif change["task"] != "delete":
            self._messages.append(replace(line, body=_written(_changed(it, change))))

    def done(self) -> list[Line]:
        """The lines, ascending."""
        changes = [replace(line, body=_written(it)) for line, it in self._changes.values()]
        return sorted([*self._messages, *changes], key=lambda line: line.n)


def _both(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """One change for two of the same message."""
    if new["task"] == "delete" or old["task"] == new["task"] == "buttons":
        return new
    if old["task"] == "delete":
        return old
    return _changed(old, new)


def _changed(it: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The message, or a change of it, with a later change in it."""
    match change["task"]:
        case "buttons":
            return it | {"knobs": change["knobs"]}
        case "refused":
            return it | {"refused": "".join(change["text"])}
    changed = {part: change[part] for part in _CHANGED}
    added = {part: change[part] for part in _ADDED if change[part]}
    task = {"task": "message"} if it["task"] == "buttons" else {}
    return it | changed | added | task


def _written(it: dict[str, Any]) -> str:
    return orjson.dumps(it).decode()
