"""Which language a browser asks for."""

from __future__ import annotations

import re

_LANGUAGE = re.compile(
    r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3})\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?",
    re.ASCII,
)

MOST = 32
"""Languages of a header that are looked at."""


def preferred(header: str) -> str:
    """The language of an ``Accept-Language`` header that is wanted most, the first of those that
    are wanted as much; empty: there is none.
    """
    best, weight = "", 0.0
    for each in header[:1000].split(",")[:MOST]:
        found = _LANGUAGE.fullmatch(each)
        if found is None:
            continue
        wanted = min(1.0, float(found[2] or 1))
        if wanted > weight:
            best, weight = found[1], wanted
    return best
