"""The language of who sits at a terminal."""

from __future__ import annotations

from collections.abc import Mapping

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Where programs look, the first that is set counts."""


def language_of(environment: Mapping[str, str]) -> str:
    """The IETF tag of the locale that the environment names, such as ``pt-br`` for
    ``pt_BR.UTF-8``; empty: it names none.
    """
    named = next((value for name in _VARIABLES if (value := environment.get(name))), "")
    plain = named.partition(".")[0].partition("@")[0]
    return "" if plain in ("C", "POSIX") else plain.replace("_", "-").lower()
