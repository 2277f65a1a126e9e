"""Who takes part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who wrote. ``id`` is the channel's own id as text; the rest may be empty.

    Attributes:
        language: an IETF language tag such as ``en`` or ``pt-br``.
    """

    id: str
    name: str = ""
    username: str = ""
    language: str = ""
