"""The command: measures, prints a table, and writes JSON where that is wanted."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.bench.baseline import updates_per_second
from tests.bench.measure import Measured, measure

STORAGES = ("memory", "sqlite")
CONCURRENCIES = (1, 50, 200)


def main(
    seconds: Annotated[float, typer.Option(help="Seconds for each measurement.", min=0.1)] = 5.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the numbers to this file, too.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where the databases go; a disk, not memory.")
    ] = None,
) -> None:
    """Measures whole turns a second, next to a plain sqlite3 loop."""
    logging.disable(logging.INFO)
    console = Console()
    with TemporaryDirectory(dir=folder, prefix="handrail-bench-") as name:
        results, baseline = _run(Path(name), seconds=seconds, console=console)
    console.print(_table(results, baseline))
    if json_file is not None:
        json_file.write_text(json.dumps(_report(results, baseline, seconds), indent=2) + "\n")


def _run(folder: Path, *, seconds: float, console: Console) -> tuple[list[Measured], float]:
    """All measurements, and the mean of the plain loop before and after them."""
    results = []
    with console.status("measuring the plain loop"):
        before = updates_per_second(folder, seconds=min(seconds, 3.0))
    for storage in STORAGES:
        for conversations in CONCURRENCIES:
            with console.status(f"measuring {storage} with {conversations} conversations"):
                one = measure(storage, conversations, seconds=seconds, folder=folder)
                results.append(asyncio.run(one))
    with console.status("measuring the plain loop again"):
        after = updates_per_second(folder, seconds=min(seconds, 3.0))
    console.print(f"plain loop: {before:,.0f} updates/s before, {after:,.0f} after")
    return results, (before + after) / 2


def _table(results: Sequence[Measured], baseline: float) -> Table:
    table = Table(title=f"Whole turns; {_machine()}")
    for heading in ("storage", "conversations", "ratio", "turns/s", "p50 ms", "p99 ms"):
        table.add_column(heading, justify="left" if heading == "storage" else "right")
    for one in results:
        table.add_row(
            one.storage,
            str(one.conversations),
            f"{one.per_second / baseline:.3f}",
            f"{one.per_second:,.0f}",
            f"{one.p50:.2f}",
            f"{one.p99:.2f}",
        )
    table.add_row("plain loop", "", "1.000", f"{baseline:,.0f}", "", "")
    return table


def _report(results: Sequence[Measured], baseline: float, seconds: float) -> dict[str, object]:
    return {
        "machine": _machine(),
        "seconds": seconds,
        "baseline_per_second": baseline,
        "results": [asdict(one) | {"ratio": one.per_second / baseline} for one in results],
    }


def _machine() -> str:
    return (
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{os.cpu_count()} cores"
    )


if __name__ == "__main__":
    typer.run(main)
