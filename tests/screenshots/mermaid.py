"""Mermaid's own program, which draws its diagrams in a browser."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from playwright.sync_api import Browser, Page

VERSION = "11.17.2"

_SETTINGS = {
    "startOnLoad": False,
    "securityLevel": "strict",
    "theme": "neutral",
    "htmlLabels": False,  # HTML in a picture is not drawn by everything that shows pictures
    "fontFamily": "system-ui, sans-serif",
    "deterministicIds": True,
}
# Chance, which names dividers and bends lines, is the same for each diagram.
_DRAW = """async ([name, source]) => {
    let seed = 1;
    Math.random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    return (await mermaid.render(name, source)).svg;
}"""


class NoMermaid(LookupError):
    """Mermaid cannot be had."""


@contextmanager
def drawing_board(browser: Browser) -> Iterator[Page]:
    """A page in which ``draw`` works."""
    with TemporaryDirectory() as folder:
        script = _fetched(Path(folder))
        page = browser.new_page()
        page.set_content("<!doctype html><title>Diagrams</title>")
        page.add_script_tag(path=str(script))
        page.evaluate("settings => mermaid.initialize(settings)", _SETTINGS)
        yield page
        page.close()


def draw(page: Page, diagram: str) -> str:
    """The diagram as SVG."""
    return cast("str", page.evaluate(_DRAW, ["diagram", diagram]))


def _fetched(folder: Path) -> Path:
    """Mermaid as one script, from npm.

    Raises:
        NoMermaid: there is no npm, or it does not get it.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NoMermaid("diagrams are drawn by Mermaid, which npm brings, and there is no npm")
    package = f"mermaid@{VERSION}"
    done = subprocess.run(
        [npm, "pack", package, "--silent"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NoMermaid(f"npm could not get {package}: {done.stderr.strip()}")
    with tarfile.open(folder / done.stdout.split()[-1]) as packed:
        packed.extract("package/dist/mermaid.min.js", folder, filter="data")
    return folder / "package" / "dist" / "mermaid.min.js"
