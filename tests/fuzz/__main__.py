"""Runs the fuzz targets under libFuzzer and prints how many inputs were tried. It fails where a
target did, and says which file holds the input.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.fuzz.running import Run, run
from tests.fuzz.targets import TARGETS

FOLDER = Path(".fuzz")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="for each target")
    parser.add_argument(
        "--only", action="append", choices=list(TARGETS),
        help="this target; may be given several times",
    )  # fmt: skip
    parser.add_argument("--input", type=Path, help="try one input, a file, with the target")
    chosen = parser.parse_args()
    if chosen.input is not None and len(chosen.only or ()) != 1:
        parser.error("--input goes with --only and the one target that it is for")
    return chosen


def table(runs: list[Run]) -> Table:
    """A line for each target."""
    drawn = Table("target", "inputs tried", "places reached", "minutes", "")
    for column in drawn.columns[1:4]:
        column.justify = "right"
    for one in runs:
        numbers = (f"{one.tried:,}", f"{one.covered:,}", f"{one.seconds / 60:.1f}")
        drawn.add_row(one.target, *numbers, "held" if one.good else f"FAILED: {one.found}")
    return drawn


def fuzz(chosen: argparse.Namespace) -> int:
    """Answers the exit code."""
    console = Console()
    if importlib.util.find_spec("atheris") is None:
        console.print(
            "atheris has no build for this machine, so nothing is guided here; hypothesis has "
            "drawn inputs for the same targets (tests/fuzz/test_targets.py)."
        )
        return 0
    runs: list[Run] = []
    for target in chosen.only or TARGETS:
        for now in run(target, FOLDER, seconds=max(round(chosen.minutes * 60), 1)):
            if now.code is None:
                console.print(f"{target}: {now.tried:,} inputs in {now.seconds / 60:.0f} min")
        runs.append(now)
    console.print(table(runs))
    for one in runs:
        if one.found is not None:
            console.print(
                f"again: python -m tests.fuzz --only {one.target} --input {one.found}",
                soft_wrap=True,
            )
    return 0 if all(one.good for one in runs) else 1


def main() -> int:
    """Answers the exit code."""
    chosen = arguments()
    if chosen.input is None:
        return fuzz(chosen)
    TARGETS[chosen.only[0]](chosen.input.read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
