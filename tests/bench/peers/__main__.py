"""The command: measures everybody in one run, in processes of their own, and prints a table."""

from __future__ import annotations

import platform
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.bench.peers.everybody import PEERS, PEOPLE, run
from tests.bench.peers.wizard import Result


def main(
    seconds: Annotated[float, typer.Option(help="Seconds for each measurement.")] = 2.0,
    rounds: Annotated[int, typer.Option(help="How often everybody is measured, in turn.")] = 3,
) -> None:
    """Measures the same wizard of six turns everywhere, the network stubbed."""
    console = Console()
    results: dict[str, list[Result]] = {name: [] for name in PEERS}
    for _ in range(rounds):
        for name in PEERS:
            with console.status(f"measuring {name}"):
                results[name].append(_alone(name, seconds))
    console.print(_table(results))


def _alone(name: str, seconds: float) -> Result:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run, name, seconds).result()


def _table(results: dict[str, list[Result]]) -> Table:
    ours = median(one.many.per_second for one in results["Handrail, SQLite"])
    table = Table(title=f"A wizard of six turns; Python {platform.python_version()}")
    for heading in ("", f"turns/s, {PEOPLE} people", "ours are", "p50 ms, one person", "p99 ms"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_column("what a killed process has kept")
    for name, rows in results.items():
        rate = median(one.many.per_second for one in rows)
        table.add_row(
            name, f"{rate:,.0f}", f"{ours / rate:.1f} x",
            f"{median(one.alone.p50 for one in rows):.2f}",
            f"{median(one.alone.p99 for one in rows):.2f}",
            PEERS[name][0],
        )  # fmt: skip
    return table


if __name__ == "__main__":
    typer.run(main)
