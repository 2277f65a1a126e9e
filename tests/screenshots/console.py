"""The terminal: the demo, typed at and shown as a picture."""

from __future__ import annotations

import os
import re
import sys
from io import StringIO
from tempfile import TemporaryDirectory

import pexpect
import pyte
from rich.color import Color, ColorParseError
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.site.pages import DOCS, ROOT

FILE = DOCS / "images" / "console.svg"
COLUMNS, LINES = 76, 36
TITLE = "make demo"
SAYINGS = ("/start", "Ada", "ada@example", "ada@example.com", "2")
PROMPT = "you> "

_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_UNIQUE = re.compile(r"terminal-\d+")
_NAMES = {"brown": "yellow"}  # what the emulator calls the third of the eight colours


def take() -> None:
    """Talks to the demo at a terminal, and draws what stands there."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(_picture(_shown()), encoding="utf-8")


def _shown() -> pyte.Screen:
    """The screen in the middle of the sign-up."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.Stream(screen)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
    with TemporaryDirectory() as folder:
        demo = pexpect.spawn(
            sys.executable,
            ["-m", "engine.cli", "demo"],
            cwd=folder,
            env={**kept, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)},
            dimensions=(LINES, COLUMNS),
            encoding="utf-8",
            timeout=60,
        )
        heard = StringIO()
        demo.logfile_read = heard
        for saying in SAYINGS:
            demo.expect_exact(PROMPT)
            demo.sendline(saying)
        demo.expect_exact(PROMPT)
        demo.close(force=True)
    stream.feed(heard.getvalue())
    return screen


def _picture(screen: pyte.Screen) -> str:
    """The screen as SVG, without what a drawing program would load from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    for row in range(_used(screen)):
        console.print(_line(screen, row), no_wrap=True, end="\n")
    svg = console.export_svg(title=TITLE, theme=MONOKAI)
    return _UNIQUE.sub("terminal", _FONTS.sub("", svg))


def _used(screen: pyte.Screen) -> int:
    """The number of lines down to the last one that has something on it."""
    return max(row for row, line in enumerate(screen.display) if line.strip()) + 1


def _line(screen: pyte.Screen, row: int) -> Text:
    text = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[row][column]
        style = Style(color=_colour(cell.fg), bgcolor=_colour(cell.bg), bold=cell.bold, dim=False)
        text.append(cell.data, style)
    return text


def _colour(name: str) -> Color | None:
    """A colour of the emulator: a name, or six hexadecimal digits."""
    if name == "default":
        return None
    try:
        return Color.parse(_NAMES.get(name, name.replace("bright", "bright_")))
    except ColorParseError:
        return Color.parse(f"#{name}")
