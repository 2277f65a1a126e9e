"""The fenced blocks of a document, and the commands of a block that shows a terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w*)[ ]?(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block; ``line`` is where its text begins."""

    language: str
    info: str
    text: str
    line: int


@dataclass(frozen=True)
class Said:
    """A command, and all that was to be seen until it ended."""

    command: str
    shown: str


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a document."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(found[1], found[2], found[3], text.count("\n", 0, found.start()) + 2)
        for found in FENCE.finditer(text)
    ]


def session(block: Block) -> list[Said]:
    """The commands of a ``console`` block, in their order."""
    before, *commands = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not before, f"line {block.line} is no command"
    pairs = (command.partition("\n") for command in commands)
    return [Said(command, shown) for command, _, shown in pairs]
