"""Links between documents, from where they lie in the repository to where they lie in the site."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

Replace = Callable[[re.Match[str]], str]

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[(?P<words>[^\]]+)\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True)
class Site:
    """Which files of the repository are pages.

    Attributes:
        root: the repository.
        docs: the folder of its documents; every file in it is where the site has it.
        elsewhere: the pages of files outside of it, by the file.
    """

    root: Path
    docs: Path
    elsewhere: Mapping[Path, str]

    def page_of(self, file: Path) -> str | None:
        """The page that a file is; None for a file that the site does not hold."""
        if file in self.elsewhere:
            return self.elsewhere[file]
        return file.relative_to(self.docs).as_posix() if file.is_relative_to(self.docs) else None


def relinked(text: str, *, page: str, origin: Path, site: Site) -> str:
    """The text with its links as they are in the site.

    What leads to a page leads there. What leads to a file that the site does not hold, such as a
    test, names it from the repository's root, and is no link.

    Args:
        text: Markdown.
        page: where it stands in the site.
        origin: the file of the repository that the links start from.
        site: the pages.
    """

    def replaced(link: re.Match[str]) -> str:
        words, target = link["words"], link["target"]
        name, mark, anchor = target.partition("#")
        if not name or "://" in target or target.startswith("mailto:"):
            return link[0]
        file = Path(os.path.normpath(origin.parent / name))
        found = site.page_of(file)
        if found is None:
            return f"{words} (`{file.relative_to(site.root).as_posix()}`)"
        here = PurePosixPath(page).parent
        return f"[{words}]({os.path.relpath(found, here)}{mark}{anchor})"

    return _outside_of_fences(text, replaced)


def _outside_of_fences(text: str, replace: Replace) -> str:
    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [_LINK.sub(replace, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, _LINK.sub(replace, text[end:])])
