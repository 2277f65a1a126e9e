"""The scenarios: a database, how many processes, and what is done to them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from engine.composition import storage_of
from flows.errors import StorageError
from storage.sql.connect import PATIENCE as LOCK_PATIENCE
from tests.crash import places, troubles
from tests.crash.people import AHEAD
from tests.crash.places import Place
from tests.crash.run import PATIENCE, Run
from tests.crash.servers import CannotRun
from tests.crash.service import Service
from tests.crash.stored import read
from tests.crash.troubles import Size
from tests.crash.verdict import Verdict, judged
from tests.crash.world import World

PEOPLE = 200
"""How many people there are at the most."""

LONG = 6
"""Kills from which on a run is long enough for what takes seconds."""

TTL = 4000
"""Milliseconds of a lease where workers take over from each other, so that no run takes hours."""

SHORT = f"{TTL}:1500:700"
"""Such a lease, its margin, and its renewal."""

FROZEN = TTL / 1000 * 2
"""Seconds that a worker is stopped: others take over and are at work when it goes on."""

USUAL = ""
"""As leases are: a transaction that hangs is ended before the lease of its worker is."""

OFTEN = "15000:2000:500"
"""A lease that is renewed twice a second, so that processes die at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One line of the table.

    Attributes:
        share: the part of the updates and kills that it gets.
        place: makes the database in a folder.
        trouble: what is done, until it has been done often enough.
        slow: seconds that each kill's share of the updates takes: people think in between. So
            there is something to do all the time where the trouble takes its own.
    """

    name: str
    about: str
    share: float
    place: Callable[[Path], AbstractAsyncContextManager[Place]]
    trouble: Callable[[Run, Place, Size], Awaitable[None]]
    workers: int = 1
    lease: str = OFTEN
    slow: float = 0.0


async def play(scenario: Scenario, size: Size, folder: Path) -> Verdict:
    """Plays a scenario to its end.

    Raises:
        CannotRun: something that it needs is not here.
    """
    people = min(max(size.updates // 25, 10), PEOPLE)
    count = max(size.updates // people, 2)
    world = World(people, count - 1, pause=scenario.slow * size.kills / count * AHEAD)
    async with scenario.place(folder) as place:
        _check_driver(place.url)
        async with Service(world) as service:
            run = Run(
                world,
                database=place.url,
                service=service.url,
                folder=folder,
                workers=scenario.workers,
                chance=random.Random(f"{scenario.name}/{size.seed}"),
                lease=scenario.lease,
            )
            async with run.processes():
                await _played(run, scenario, place, size)
        return judged(world, run.happened, await read(place.url, world))


def _check_driver(url: str) -> None:
    try:
        storage_of(url)
    except StorageError as error:
        raise CannotRun(str(error)) from error


async def _played(run: Run, scenario: Scenario, place: Place, size: Size) -> None:
    run.world.begin()
    await scenario.trouble(run, place, size)
    if not await run.world.until(lambda: run.world.done, patience=PATIENCE):
        run.happened.complaints.append(
            f"nothing arrives any more: {run.world.answered} of {run.world.total} are answered"
        )
    # the last marks may still be on their way
    for _ in range(100):
        if not (await read(place.url, run.world)).undone:
            return
        await asyncio.sleep(0.3)


async def _kill(run: Run, _place: Place, size: Size) -> None:
    await troubles.kill(run, size.kills)


async def _lock(run: Run, place: Place, size: Size) -> None:
    holds = [0.3 * (1 + run.chance.random()) for _ in range(size.kills)]
    if size.kills >= LONG:
        holds[0] = LOCK_PATIENCE + 1
    await asyncio.gather(
        troubles.hold_lock(run, place.folder / "bot.db", holds), troubles.kill(run, size.kills)
    )


async def _fill(run: Run, place: Place, size: Size) -> None:
    await asyncio.gather(
        troubles.fill_disk(run, place.folder, size.kills), troubles.kill(run, size.kills)
    )


async def _crash_server(run: Run, place: Place, size: Size) -> None:
    assert place.server is not None
    await asyncio.gather(
        troubles.crash_server(run, place.server, size.kills), troubles.kill(run, size.kills // 2)
    )


async def _terminate(run: Run, place: Place, size: Size) -> None:
    await asyncio.gather(
        troubles.terminate(run, place.direct, size.kills), troubles.kill(run, size.kills // 2)
    )


async def _cut(run: Run, place: Place, size: Size) -> None:
    assert place.proxy is not None
    await troubles.cut_commits(run, place.proxy, size.kills)


async def _freeze(run: Run, _place: Place, size: Size) -> None:
    await troubles.freeze(run, size.kills, seconds=FROZEN)


SQLITE: Sequence[Scenario] = (
    Scenario(
        name="sqlite",
        about="kill -9 anywhere and at every boundary",
        share=1,
        place=places.sqlite,
        trouble=_kill,
    ),
    Scenario(
        name="sqlite-normal",
        about="the same, synchronous=NORMAL",
        share=0.1,
        place=places.sqlite_normal,
        trouble=_kill,
    ),
    Scenario(
        name="sqlite-lock",
        about="another program holds the lock, and kill -9",
        share=0.1,
        place=places.sqlite,
        trouble=_lock,
    ),
    Scenario(
        name="sqlite-full",
        about="the disk is full, and kill -9",
        share=0.1,
        place=places.small_disk,
        trouble=_fill,
    ),
)


POSTGRES: Sequence[Scenario] = (
    Scenario(
        name="postgres",
        about="4 workers, kill -9 anywhere and at every boundary",
        share=1,
        place=places.postgres,
        trouble=_kill,
        workers=4,
        lease=SHORT,
    ),
    Scenario(
        name="postgres-stop",
        about="4 workers, the server is stopped in immediate mode, and kill -9",
        share=0.1,
        place=places.postgres,
        trouble=_crash_server,
        workers=4,
        lease=SHORT,
    ),
    Scenario(
        name="postgres-terminate",
        about="4 workers, connections are ended in mid-turn, and kill -9",
        share=0.1,
        place=places.postgres,
        trouble=_terminate,
        workers=4,
        lease=SHORT,
    ),
    Scenario(
        name="postgres-cut",
        about="4 workers, cut off between COMMIT and its answer",
        share=0.1,
        place=places.proxied_postgres,
        trouble=_cut,
        workers=4,
        lease=USUAL,
    ),
    Scenario(
        name="postgres-frozen",
        about="4 workers, one at a time is stopped until its lease is long over",
        share=0.1,
        place=places.postgres,
        trouble=_freeze,
        slow=FROZEN * 1.5,
        workers=4,
        lease=SHORT,
    ),
)

MARIADB: Sequence[Scenario] = (
    Scenario(
        name="mariadb",
        about="2 workers, kill -9 anywhere and at every boundary",
        share=0.1,
        place=places.mariadb,
        trouble=_kill,
        workers=2,
        lease=SHORT,
    ),
    Scenario(
        name="mariadb-stop",
        about="2 workers, the server is killed, and kill -9",
        share=0.1,
        place=places.mariadb,
        trouble=_crash_server,
        workers=2,
        lease=SHORT,
    ),
)

REDIS: Sequence[Scenario] = (
    Scenario(
        name="redis",
        about="2 workers, kill -9 anywhere and at every boundary",
        share=0.1,
        place=places.redis,
        trouble=_kill,
        workers=2,
        lease=SHORT,
    ),
    Scenario(
        name="redis-stop",
        about="2 workers, the server is killed, and kill -9",
        share=0.1,
        place=places.redis,
        trouble=_crash_server,
        workers=2,
        lease=SHORT,
    ),
    Scenario(
        name="redis-frozen",
        about="2 workers, one at a time is stopped until its lease is long over",
        share=0.1,
        place=places.redis,
        trouble=_freeze,
        slow=FROZEN * 1.5,
        workers=2,
        lease=SHORT,
    ),
)

SCENARIOS: Sequence[Scenario] = (*SQLITE, *POSTGRES, *MARIADB, *REDIS)
