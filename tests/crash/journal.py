"""What a process has begun and finished, written down so that it survives the process.

Each line is one write to a file that is open for appending: what was written when a process
is killed, stays.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal

import orjson

What = Literal["send", "marked", "lost", "lease", "commit", "committed"]
"""``send``: a send begins. ``marked``: that it was sent is recorded. ``lost``: its partition is
somebody else's by now. ``lease``: partitions are held, so many. ``commit``, ``committed``: a
commit begins; it is over, with so many turns done.
"""

ENDS = ("marked", "lost")

Message = tuple[int, str]
"""Chat and text, which together are a message's name: the bot says nothing twice."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. ``at`` is by the monotonic clock, which all processes of the machine share."""

    at: float
    what: What
    chat: int = 0
    text: str = ""
    count: int = 0

    @property
    def message(self) -> Message:
        """The message that it is about."""
        return self.chat, self.text


class Journal:
    """Writes lines.

    Attributes:
        begun: the messages whose send has begun and is neither marked nor lost.
    """

    def __init__(self, path: Path) -> None:
        self.begun: set[Message] = set()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, what: What, *, chat: int = 0, text: str = "", count: int = 0) -> None:
        """Writes one down. It is there when this returns."""
        if what == "send":
            self.begun.add((chat, text))
        elif what in ENDS:
            self.begun.discard((chat, text))
        os.write(self._file, orjson.dumps([time.monotonic(), what, chat, text, count]) + b"\n")


def read(path: Path) -> Iterator[Entry]:
    """The lines so far."""
    for line in path.read_bytes().splitlines() if path.exists() else ():
        yield Entry(*orjson.loads(line))


def unmarked(path: Path, begin: float = inf, end: float = inf) -> frozenset[Message]:
    """The messages whose send has begun and was not recorded: in flight, or not yet marked.

    Args:
        begin, end: of a time in which nothing could be recorded: those whose send has begun by
            its end and that were not recorded by its beginning. Else as far as the process got.
    """
    begun: set[Message] = set()
    for entry in read(path):
        if entry.what == "send" and entry.at <= end:
            begun.add(entry.message)
        elif entry.what in ENDS and entry.at < begin:
            begun.discard(entry.message)
    return frozenset(begun)


def holds_partitions(path: Path, since: float = 0.0) -> bool:
    """Whether the process has renewed its lease since, and held any partition the last time."""
    counts = [entry.count for entry in read(path) if entry.what == "lease" and entry.at > since]
    return bool(counts and counts[-1])
