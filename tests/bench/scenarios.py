"""What is measured, scenario by scenario. Each runs in a process of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from storage import open_storage
from tests.bench.baseline import Synchronous, updates_per_second
from tests.bench.bot import app
from tests.bench.commits import commits_per_second
from tests.bench.databases import Missing, database
from tests.bench.findings import Finding
from tests.bench.idle import kilobytes_per_thousand
from tests.bench.inspecting import measured, page_times
from tests.bench.measure import Measured, measure, talking
from tests.bench.pairs import LOOP_SECONDS, Pair, details, in_turn, rate_ratio, wait_ratio
from tests.bench.people import Paced
from tests.bench.stored import fill
from tests.bench.trouble import Trouble, Troubled, logged, troublesome

MANY = 200
"""Conversations at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long everything is measured.

    Attributes:
        seconds: for each measurement of turns.
        pairs: how many times it is measured, in turn with what it is compared with.
        stored: how many conversations the large database holds.
        passers: how many people write once.
        folder: where the databases go.
    """

    seconds: float
    pairs: int
    stored: int
    passers: int
    folder: Path


Scenario = Callable[[Effort], Awaitable[list[Finding]]]


def _at_once(storage: str, *, aim: float | None) -> Scenario:
    """Many conversations at once, against the plain loop."""

    async def run(effort: Effort) -> list[Finding]:
        pairs = await _pairs(effort, storage, MANY)
        return [
            Finding(
                what=f"{storage}, {MANY} conversations",
                value=rate_ratio(pairs), aim=aim, details=details(pairs),
            )
        ]  # fmt: skip

    return run


def _alone(storage: str, *, aim: float, loop: Synchronous) -> Scenario:
    """One conversation at a time: how many rows of the plain loop an answer takes."""

    async def run(effort: Effort) -> list[Finding]:
        pairs = await _pairs(effort, storage, 1, loop)
        return [
            Finding(
                what=f"{storage}, one conversation: p50 in rows committed with {loop}",
                value=wait_ratio(pairs), aim=aim, better="less", details=details(pairs),
            )
        ]  # fmt: skip

    return run


def _commits(storage: str, *, aim: float | None) -> Scenario:
    """Bare commits of turns, against the plain loop."""

    async def run(effort: Effort) -> list[Finding]:
        async def second() -> float:
            async with database(storage, effort.folder) as url:
                return await commits_per_second(url, seconds=effort.seconds)

        pairs = await in_turn(lambda: _loop(effort), second, times=effort.pairs)
        ratio = median(commits / loop for loop, commits in pairs)
        rates = {
            "loop/s": median(loop for loop, _ in pairs),
            "commits/s": median(commits for _, commits in pairs),
        }
        return [Finding(what=f"{storage}, bare commits", value=ratio, aim=aim, details=rates)]

    return run


async def stored(effort: Effort) -> list[Finding]:
    """A database that holds many conversations, against one that holds few."""
    few, many = 1_000, effort.stored
    files = {count: effort.folder / f"stored-{count}.db" for count in (few, many)}
    for count, file in files.items():
        fill(file, count)

    async def rate(count: int) -> Measured:
        return await measure(f"sqlite+aiosqlite:///{files[count]}", MANY, seconds=effort.seconds)

    pairs = [(await rate(few), await rate(many)) for _ in range(effort.pairs)]
    what = f"sqlite, cost of a turn with {many:,} stored conversations, against {few:,}"
    return [_cost(what, pairs)]


async def flows(effort: Effort) -> list[Finding]:
    """A bot of many flows, against a bot of one."""

    async def rate(count: int) -> Measured:
        async with database("sqlite", effort.folder) as url:
            return await measure(url, MANY, seconds=effort.seconds, flows=count)

    pairs = [(await rate(1), await rate(50)) for _ in range(effort.pairs)]
    return [_cost("sqlite, cost of a turn with 50 flows, against 1", pairs)]


def _cost(what: str, pairs: list[tuple[Measured, Measured]], *, aim: float = 1.3) -> Finding:
    ratio = median(one.per_second / other.per_second for one, other in pairs)
    rates = {
        "turns/s of the one": median(one.per_second for one, _ in pairs),
        "of the other": median(other.per_second for _, other in pairs),
    }
    return Finding(what=what, value=ratio, aim=aim, better="less", details=rates)


async def idle(effort: Effort) -> list[Finding]:
    """People who write once."""
    filling = effort.passers // 4
    async with database("sqlite-normal", effort.folder) as url:
        grown = await kilobytes_per_thousand(
            open_storage(url), first=filling, then=effort.passers - filling
        )
    what = f"kB of memory that 1,000 of {effort.passers:,} people leave who wrote once"
    # One that is still in the caches takes some 5 kB; a hundredth of that is the allocator's noise.
    return [Finding(what=what, value=grown, aim=50, better="less")]


async def fairness(effort: Effort) -> list[Finding]:
    """Others, while one person writes ten times as much, against the same without that one."""
    people = 50
    pace = await _pace(effort, people)

    async def p99(*, flooded: bool) -> float:
        crowd = Paced(people, pace=pace, flooded=flooded)
        async with (
            database("sqlite", effort.folder) as url,
            talking(open_storage(url), crowd, app()) as talk,
        ):
            return (await talk.measure(effort.seconds)).p99

    pairs = [(await p99(flooded=False), await p99(flooded=True)) for _ in range(effort.pairs)]
    return [
        Finding(
            what="sqlite, p99 of 50 people while another writes ten times as much",
            value=median(flooded / calm for calm, flooded in pairs), aim=1.5, better="less",
            details={
                "p99 ms without": median(calm for calm, _ in pairs),
                "p99 ms with": median(flooded for _, flooded in pairs),
            },
        )
    ]  # fmt: skip


def _isolation(trouble: Trouble, what: str) -> Scenario:
    """Others, while the handler of one chat makes trouble, against the same without that one."""

    async def run(effort: Effort) -> list[Finding]:
        pace = await _pace(effort, MANY)

        async def others(troubled: bool) -> Measured:
            crowd = (
                Troubled(MANY, pace=pace, trouble=trouble)
                if troubled
                else Paced(MANY, pace=pace, flooded=False)
            )
            over = asyncio.Event()
            async with (
                database("sqlite", effort.folder) as url,
                talking(open_storage(url), crowd, troublesome(over)) as talk,
            ):
                try:
                    return await talk.measure(effort.seconds)
                finally:
                    over.set()

        with logged(effort.folder):
            pairs = [await _pair(others, last=number % 2 == 0) for number in range(effort.pairs)]
        return [
            Finding(
                what=f"sqlite, p99 of {MANY} people while the handler of another {what}",
                value=median(with_.p99 / without.p99 for without, with_ in pairs),
                aim=1.2, better="less",
                details={
                    "p99 ms without": median(without.p99 for without, _ in pairs),
                    "p99 ms with": median(with_.p99 for _, with_ in pairs),
                    "turns/s without": median(without.per_second for without, _ in pairs),
                    "turns/s with": median(with_.per_second for _, with_ in pairs),
                },
            )
        ]  # fmt: skip

    return run


async def inspector(effort: Effort) -> list[Finding]:
    """Pages of the inspector over many instances."""
    count = min(effort.stored, 100_000)
    times = await page_times(effort.folder, count, times=2 * effort.pairs + 1)
    slowest = max(time for page, time in times.items() if page != "count anew")
    what = f"sqlite, ms of the inspector's slowest page over {count:,} instances"
    return [Finding(what=what, value=slowest, aim=100, better="less", details=times)]


async def inspector_idle(effort: Effort) -> list[Finding]:
    """A bot with an inspector that nobody looks at, against the same bot without."""

    async def rate(inspected: bool) -> Measured:
        async with database("sqlite", effort.folder) as url:
            return await measured(url, MANY, seconds=effort.seconds, inspected=inspected)

    pairs = [await _pair(rate, last=number % 2 == 0) for number in range(effort.pairs)]
    what = "sqlite, cost of a turn with an inspector that nobody looks at, against without"
    return [_cost(what, pairs, aim=1.05)]


async def _pair(
    others: Callable[[bool], Awaitable[Measured]], *, last: bool
) -> tuple[Measured, Measured]:
    """Without trouble and with it; ``last`` is which of them is measured last."""
    first, second = await others(not last), await others(last)
    return (first, second) if last else (second, first)


async def _pace(effort: Effort, people: int) -> float:
    """Messages a second of each, so that the bot has two fifths of what it can do to do."""
    async with database("sqlite", effort.folder) as url:
        full = await measure(url, people, seconds=effort.seconds)
    return full.per_second * 0.4 / people


SCENARIOS: dict[str, Scenario] = {
    "memory": _at_once("memory", aim=0.35),
    "sqlite-normal": _at_once("sqlite-normal", aim=0.25),
    "sqlite": _at_once("sqlite", aim=0.25),
    "postgresql": _at_once("postgresql", aim=0.15),
    "mariadb": _at_once("mariadb", aim=None),
    "redis": _at_once("redis", aim=None),
    "alone-normal": _alone("sqlite-normal", aim=15, loop="NORMAL"),
    "alone": _alone("sqlite", aim=3.5, loop="FULL"),
    "commits": _commits("sqlite-normal", aim=0.6),
    "commits-full": _commits("sqlite", aim=None),
    "stored": stored,
    "flows": flows,
    "idle": idle,
    "fairness": fairness,
    "inspector": inspector,
    "inspector-idle": inspector_idle,
    "isolation-sleep": _isolation(Trouble.SLEEP, "sleeps"),
    "isolation-raise": _isolation(Trouble.RAISE, "raises, each time"),
    "isolation-memory": _isolation(Trouble.MEMORY, "eats 200 MB"),
}
"""By name, in the order in which they are told."""


def run(name: str, effort: Effort) -> list[Finding]:
    """Runs a scenario in this process, which is for nothing else."""
    logging.disable(logging.WARNING)
    try:
        return asyncio.run(_awaited(SCENARIOS[name], effort))
    except Missing as error:
        return [Finding(what=name, value=0.0, missing=str(error))]


async def _awaited(scenario: Scenario, effort: Effort) -> list[Finding]:
    return await scenario(effort)


def _loop(effort: Effort, synchronous: Synchronous = "NORMAL") -> float:
    return updates_per_second(effort.folder, seconds=LOOP_SECONDS, synchronous=synchronous)


async def _pairs(
    effort: Effort, storage: str, conversations: int, loop: Synchronous = "NORMAL"
) -> list[Pair]:
    async def turns() -> Measured:
        async with database(storage, effort.folder) as url:
            return await measure(url, conversations, seconds=effort.seconds)

    pairs = await in_turn(lambda: _loop(effort, loop), turns, times=effort.pairs)
    return [Pair(rate, measured) for rate, measured in pairs]
