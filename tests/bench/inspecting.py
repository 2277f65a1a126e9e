"""The inspector: how long its pages take over many instances, and what it costs a bot while nobody
looks.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import uvicorn

from engine import App
from engine.inspector import Inspector
from storage import open_storage
from tests.bench.bot import app
from tests.bench.measure import Measured, talking
from tests.bench.people import Crowd
from tests.bench.stored import fill
from tests.inspector import TOKEN, logged_in

PAGES = {
    "overview": "/",
    "list": "/instances",
    "flow and step": "/instances?flow=visitor&step=TOWN",
    "status": "/instances?status=completed",
    "idle": "/instances?idle=1d",
    "text": "/instances?text=000077",
    "person": "/instances?text=bench/000000077",
    "one": "/instances/i77",
}
"""What is looked at, by a word for it."""


async def page_times(folder: Path, instances: int, *, times: int) -> dict[str, float]:
    """The median of each page's server time, in milliseconds, and of a count that is taken anew."""
    path = folder / "inspected.db"
    fill(path, instances)
    url = f"sqlite+aiosqlite:///{path}"
    found: dict[str, float] = {}
    async with Inspector(app(), storage=open_storage(url), operate_token=TOKEN) as inspector:
        client = await logged_in(inspector)
        for name, page in PAGES.items():
            waits = []
            for _ in range(times):
                begin = perf_counter()
                answer = await client.get(page)
                waits.append(perf_counter() - begin)
                answer.raise_for_status()
            found[name] = median(waits) * 1000
        await client.aclose()
    async with app().operator(open_storage(url)) as operator:
        waits = []
        for _ in range(times):
            begin = perf_counter()
            await operator.tally()
            waits.append(perf_counter() - begin)
        found["count anew"] = median(waits) * 1000
    return found


async def measured(url: str, people: int, *, seconds: float, inspected: bool) -> Measured:
    """Turns of a bot, with an inspector beside it that waits for visitors, or with none."""
    bot = app()
    crowd = Crowd(people)
    if not inspected:
        async with talking(open_storage(url), crowd, bot) as talk:
            return await talk.measure(seconds)
    async with _listening(bot), talking(open_storage(url), crowd, bot) as talk:
        return await talk.measure(seconds)


class _Server(uvicorn.Server):
    """A server that leaves signals to the benchmark."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _listening(bot: App) -> AsyncIterator[None]:
    inspector = Inspector(bot, operate_token=TOKEN)
    place = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(inspector, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.ensure_future(server.serve(sockets=[place]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        place.close()
