"""``check --database``: whether all that runs in a database goes on with this code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.cli import beside
from engine.cli.output import say
from engine.operate.dry_run import Verdict, dry_run

if TYPE_CHECKING:
    from engine.app import App

EXAMPLES = 3
"""How many instances are named with a fault that several have."""


def judge_database(app: App, url: str) -> bool:
    """Says how many live instances fit, per flow and step; answers whether all of them go on.

    Raises:
        NoDatabase: there is none, or not in the schema of this version.
    """

    async def judge() -> list[Verdict]:
        async with beside.reading(url) as storage:
            return [verdict async for verdict in dry_run(storage, app.flows)]

    verdicts = beside.run(judge())
    for place in sorted({(one.flow, one.step) for one in verdicts}):
        _tell_place(place, [one for one in verdicts if (one.flow, one.step) == place])
    return _tell_all(verdicts)


def _tell_place(place: tuple[str, str], verdicts: Sequence[Verdict]) -> None:
    flow, step = place
    fit = sum(one.fault is None and not one.migrates for one in verdicts)
    counts = [f"{fit} fit"] if fit else []
    for versions, count in Counter(one.versions for one in verdicts if one.migrates).items():
        counts.append(f"{count} would migrate ({' -> '.join(map(str, versions))})")
    faults = Counter(one.fault for one in verdicts if one.fault is not None)
    counts += [f"{count} would be set aside" for count in [faults.total()] if count]
    say(f"{flow}, step {step or '(none)'}: {', '.join(counts)}")
    for fault, count in faults.items():
        names = [one.instance for one in verdicts if one.fault == fault][:EXAMPLES]
        more = ", ..." if count > EXAMPLES else ""
        say(f"    {count}: {fault} ({', '.join(names)}{more})", style="red")


def _tell_all(verdicts: Sequence[Verdict]) -> bool:
    lost = sum(one.fault is not None for one in verdicts)
    if not verdicts:
        say("Nothing runs in the database.", style="green")
    elif lost:
        say(
            f"Of {len(verdicts)} instances, {lost} would be set aside (quarantined): their data is "
            "kept, and they wait for code that fits. Add a migration, or keep what they need.",
            style="bold red",
        )
    else:
        say(f"Everything that runs in the database ({len(verdicts)}) goes on.", style="green")
    return lost == 0
