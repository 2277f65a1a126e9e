"""The page of settings: the table of the README, which a test compares with the code."""

from __future__ import annotations

import re

_SECTION = re.compile(r"^## Settings\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)


def settings_page(readme: str) -> str:
    """The section as a page of its own.

    Raises:
        LookupError: the README has no such section.
    """
    found = _SECTION.search(readme)
    if found is None:
        raise LookupError("README.md has no section 'Settings', which the site shows as a page")
    return f"# Settings\n{found[1]}"
