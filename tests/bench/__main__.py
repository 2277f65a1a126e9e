"""The command: measures, prints a table, and writes JSON where that is wanted."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.bench.findings import Finding
from tests.bench.scenarios import SCENARIOS, Effort, run


def main(
    only: Annotated[
        list[str] | None, typer.Argument(help=f"Scenarios, of {', '.join(SCENARIOS)}; else all.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Seconds for each measurement.", min=0.1)] = 2.0,
    pairs: Annotated[int, typer.Option(help="Measurements, in turn with the plain loop.")] = 5,
    stored: Annotated[int, typer.Option(help="Conversations in the large database.")] = 1_000_000,
    passers: Annotated[int, typer.Option(help="People who write once.")] = 100_000,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the numbers to this file, too.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where the databases go; a disk, not memory.")
    ] = None,
) -> None:
    """Measures whole turns, next to a plain sqlite3 loop in the same process."""
    names = only or list(SCENARIOS)
    if unknown := [name for name in names if name not in SCENARIOS]:
        raise typer.BadParameter(f"there is no {unknown[0]}: there are {', '.join(SCENARIOS)}")
    console = Console()
    findings: list[Finding] = []
    for name in names:
        with (
            TemporaryDirectory(dir=folder, prefix="handrail-bench-") as place,
            console.status(f"measuring {name}"),
        ):
            effort = Effort(
                seconds=seconds, pairs=pairs, stored=stored, passers=passers, folder=Path(place)
            )
            findings += _alone(name, effort)
    console.print(_table(findings))
    if json_file is not None:
        report = {"machine": _machine(), "findings": [asdict(one) for one in findings]}
        json_file.write_text(json.dumps(report, indent=2) + "\n")


def _alone(name: str, effort: Effort) -> list[Finding]:
    """Runs a scenario in a process of its own, which nothing has filled or warmed before."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run, name, effort).result()


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(title=_machine())
    for heading in ("what", "is", "aim", "", "from"):
        table.add_column(heading)
    for one in findings:
        aim = "" if one.aim is None else f"{'≥' if one.better == 'more' else '≤'} {one.aim:g}"
        told = ", ".join(f"{name} {value:,.2f}" for name, value in one.details.items())
        table.add_row(
            one.what, "" if one.missing else f"{one.value:.3f}", aim, one.verdict,
            one.missing or told,
        )  # fmt: skip
    return table


def _machine() -> str:
    return (
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{os.cpu_count()} cores"
    )


if __name__ == "__main__":
    typer.run(main)
