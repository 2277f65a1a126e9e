"""Diagrams: Mermaid in the documents, pictures on the site.

A repository host draws Mermaid by itself. The site would have to load it from another host at
each view, so ``make screenshots`` draws every diagram once. A picture's name has a digest of its
diagram in it: one that was changed has no picture, and the build says so.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path, PurePosixPath

FOLDER = "images/diagrams"

_DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def diagrams(text: str) -> list[str]:
    """The diagrams of a document."""
    return _DIAGRAM.findall(text)


def picture_name(diagram: str) -> str:
    """The file name of a diagram's picture."""
    return f"{sha256(diagram.encode()).hexdigest()[:12]}.svg"


def drawn(text: str, *, page: str, docs: Path) -> str:
    """The text with pictures for diagrams; one that was not drawn stays as it is."""

    def picture(found: re.Match[str]) -> str:
        file = f"{FOLDER}/{picture_name(found[1])}"
        if not (docs / file).is_file():
            return found[0]
        where = os.path.relpath(file, PurePosixPath(page).parent)
        return f"![The steps of the flow, and where each may go]({where}){{ .diagram }}"

    return _DIAGRAM.sub(picture, text)
