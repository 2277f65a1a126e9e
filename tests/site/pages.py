"""Where the pages of the site come from.

The pages of ``docs/`` are MkDocs' own. Beside them stand documents from other folders of the
repository, and pages that are made from the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.site.commands import commands_page
from tests.site.reference import PAGES, overview, reference_page
from tests.site.settings_page import settings_page

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

EXAMPLES = ("signup", "kyc", "survey", "checkout", "dropin_aiogram", "dropin_ptb")


@dataclass(frozen=True)
class Extra:
    """A page of the site that is no file in ``docs/``.

    Attributes:
        text: its Markdown.
        origin: the file that its relative links start from.
    """

    text: str
    origin: Path


def extra_pages() -> Mapping[str, Extra]:
    """All of them, by their path in the site's sources."""
    found = {f"examples/{name}.md": ROOT / "examples" / name / "README.md" for name in EXAMPLES}
    found |= {"changelog.md": ROOT / "CHANGELOG.md", "contributing.md": ROOT / "CONTRIBUTING.md"}
    pages = {name: Extra(path.read_text(encoding="utf-8"), path) for name, path in found.items()}
    readme = ROOT / "README.md"
    pages["reference/settings.md"] = Extra(
        settings_page(readme.read_text(encoding="utf-8")), readme
    )
    made = {"commands": commands_page(), "README": overview()}
    made |= {page.name: reference_page(page) for page in PAGES}
    for name, text in made.items():
        path = f"reference/{name}.md"
        pages[path] = Extra(text, DOCS / path)
    return pages
