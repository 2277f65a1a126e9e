"""A picture for each Mermaid diagram of the site's pages."""

from __future__ import annotations

import re

from tests.screenshots.browser import chromium
from tests.screenshots.mermaid import draw, drawing_board
from tests.site.diagrams import FOLDER, diagrams, picture_name
from tests.site.pages import DOCS, extra_pages

_WIDTH = re.compile(r'width="100%"')
_BOX = re.compile(r'viewBox="([-\d.]+) ([-\d.]+) ([\d.]+) ([\d.]+)"')


def take() -> None:
    """Draws all of them, and removes pictures of diagrams that are no more."""
    texts = [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")]
    texts += [extra.text for extra in extra_pages().values()]
    wanted = {picture_name(found): found for text in texts for found in diagrams(text)}
    folder = DOCS / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        if old.name not in wanted:
            old.unlink()
    with chromium() as browser, drawing_board(browser) as board:
        for name, diagram in wanted.items():
            (folder / name).write_text(_framed(draw(board, diagram)) + "\n", encoding="utf-8")


def _framed(svg: str) -> str:
    """The picture in its own size, on paper of its own: a page may be dark."""
    box = _BOX.search(svg)
    assert box is not None, "Mermaid has drawn something without a size"
    left, top, width, height = (float(number) for number in box.groups())
    sized = _WIDTH.sub(f'width="{width:g}" height="{height:g}"', svg, count=1)
    paper = f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" fill="#fff"/>'
    end = sized.index(">") + 1
    return sized[:end] + paper + sized[end:]
