"""The table at the end."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from rich.table import Table

from tests.crash.verdict import Verdict

COLUMNS = (
    "scenario", "kills", "other faults", "turns", "lost", "duplicated", "out of order",
    "sends lost", "sent twice", "explained", "unmarked at most", "recovery: median", "max", "",
)  # fmt: skip


def table(found: Mapping[str, Verdict | str]) -> Table:
    """A line a scenario: its verdict, or why it did not run."""
    drawn = Table(*COLUMNS[:1], *(column for column in COLUMNS[1:]))
    for column in drawn.columns[1:-1]:
        column.justify = "right"
    for name, verdict in found.items():
        if isinstance(verdict, str):
            drawn.add_row(name, *("-" for _ in COLUMNS[1:-1]), "not run")
        else:
            drawn.add_row(name, *cells(verdict))
    return drawn


def cells(verdict: Verdict) -> tuple[str, ...]:
    """What stands behind the name."""
    numbers = (
        verdict.kills, verdict.faults, verdict.turns, verdict.lost, verdict.duplicated,
        verdict.disordered, verdict.sends_lost, verdict.duplicates, verdict.explained,
        verdict.most_unmarked,
    )  # fmt: skip
    times = verdict.recoveries
    recovery = (f"{median(times):.1f} s", f"{max(times):.1f} s") if times else ("-", "-")
    return (*map(str, numbers), *recovery, "good" if verdict.good else "BAD")
