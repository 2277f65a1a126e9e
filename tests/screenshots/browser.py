"""Chromium, for what is seen in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

_COLOURS = 256


class NoBrowser(LookupError):
    """There is no Chromium on the PATH."""

    def __init__(self) -> None:
        super().__init__(
            f"none of {', '.join(PROGRAMS)} is on the PATH. Install Chromium "
            "(on Debian: apt install chromium), and run this again"
        )


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window.

    Raises:
        NoBrowser: none is installed.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise NoBrowser
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=list(QUIET), chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            browser.close()


def photograph(page: Page, file: Path) -> None:
    """Writes what the page shows as a PNG of few colours, which takes a third of the bytes."""
    shot = Image.open(BytesIO(page.screenshot(animations="disabled", caret="hide")))
    shot.convert("RGB").quantize(_COLOURS).save(file, optimize=True)
