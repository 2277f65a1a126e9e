"""What a scenario finds, next to what is aimed at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One number.

    Attributes:
        what: what was measured, in a few words.
        value: the number itself, mostly a ratio.
        aim: what it should be; None: it is only told.
        better: whether more of it is better, or less.
        details: what it comes from, by name.
        missing: why it could not be measured; the value then means nothing.
    """

    what: str
    value: float
    aim: float | None = None
    better: Literal["more", "less"] = "more"
    details: Mapping[str, float] = field(default_factory=dict)
    missing: str = ""

    @property
    def verdict(self) -> str:
        """Whether the aim is met."""
        if self.missing:
            return "not measured"
        if self.aim is None:
            return ""
        met = self.value >= self.aim if self.better == "more" else self.value <= self.aim
        return "met" if met else "missed"
