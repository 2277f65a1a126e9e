"""The two streams of the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.channels.console.plain import harmless


def forgive_encodings() -> None:
    """Shows what a stream cannot encode as an escape, where it would stop the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(line: str = "", *, style: str = "") -> None:
    """One line of the result, on stdout."""
    Console(highlight=False).print(Text(line, style=style), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on stdout: drawn at a terminal, else a line a row, with tabs between the fields."""
    console = Console(highlight=False)
    cells = [[harmless(cell).replace("\t", " ") for cell in row] for row in rows]
    if console.is_terminal:
        drawn = Table(*columns)
        for row in cells:
            drawn.add_row(*map(Text, row))
        console.print(drawn)
        return
    for row in (list(columns), *cells):
        sys.stdout.write("\t".join(row) + "\n")  # rich would make spaces of the tabs


def complain(sentence: str) -> None:
    """What went wrong, on stderr."""
    _tell("error: ", "bold red", sentence)


def warn(sentence: str) -> None:
    """What may go wrong, on stderr."""
    _tell("warning: ", "bold yellow", sentence)


def _tell(kind: str, style: str, sentence: str) -> None:
    text = Text.assemble((kind, style), harmless(sentence))
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
