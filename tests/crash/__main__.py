"""``make crash``: plays the scenarios, prints a table, and fails if anything was lost, done
twice, out of order, or sent twice without a reason.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.crash.scenarios import SCENARIOS, Scenario, play
from tests.crash.servers import CannotRun
from tests.crash.table import table
from tests.crash.troubles import Size
from tests.crash.verdict import Verdict


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--updates", type=int, default=20_000, help="in a scenario of full size")
    parser.add_argument("--kills", type=int, default=60, help="in a scenario of full size")
    parser.add_argument("--seed", type=int, default=1, help="which processes die, when and where")
    parser.add_argument(
        "--only", action="append", choices=[one.name for one in SCENARIOS],
        help="this scenario, in full size; may be given several times",
    )  # fmt: skip
    return parser.parse_args()


def sized(scenario: Scenario, chosen: argparse.Namespace) -> Size:
    """How large a scenario is: those that were asked for are as large as it was said."""
    share = 1 if chosen.only else scenario.share
    return Size(int(chosen.updates * share), max(int(chosen.kills * share), 3), chosen.seed)


async def played(scenario: Scenario, size: Size, console: Console) -> Verdict | str:
    """Plays one; its folder stays where something was wrong."""
    folder = Path(tempfile.mkdtemp(prefix=f"handrail-{scenario.name}-"))
    begin = time.monotonic()
    try:
        verdict = await play(scenario, size, folder)
    except CannotRun as reason:
        console.print(f"{scenario.name} is left out: {reason}")
        shutil.rmtree(folder)
        return str(reason)
    console.print(f"{scenario.name}: {scenario.about} ({time.monotonic() - begin:.0f} s)")
    if verdict.good:
        shutil.rmtree(folder)
    _say_what_is_wrong(verdict, scenario, size, console, folder)
    return verdict


def _say_what_is_wrong(
    verdict: Verdict, scenario: Scenario, size: Size, console: Console, folder: Path
) -> None:
    if verdict.good:
        return
    console.print(verdict, soft_wrap=True)
    console.print(f"  its journals and logs are in {folder}; it is played again with")
    console.print(
        f"  python -m tests.crash --only {scenario.name} --updates {size.updates} "
        f"--kills {size.kills} --seed {size.seed}",
        soft_wrap=True,
    )


async def main(chosen: argparse.Namespace) -> int:
    """Answers the exit code."""
    console = Console(width=max(Console().width, 180))  # the table is wide, in a pipe too
    scenarios: Sequence[Scenario] = [
        one for one in SCENARIOS if not chosen.only or one.name in chosen.only
    ]
    found: dict[str, Verdict | str] = {}
    for scenario in scenarios:
        found[scenario.name] = await played(scenario, sized(scenario, chosen), console)
    console.print(table(found))
    good = all(isinstance(verdict, str) or verdict.good for verdict in found.values())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(arguments())))
