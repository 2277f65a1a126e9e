"""What people who have gone away leave behind in the memory of the process."""

from __future__ import annotations

import gc
from pathlib import Path

from flows.ports import FlowStorage
from tests.bench.bot import app
from tests.bench.measure import talking
from tests.bench.people import Passers


async def kilobytes_per_thousand(storage: FlowStorage, *, first: int, then: int) -> float:
    """How much the process grows, for each thousand people who write once and never again, after
    the caches have been filled by the ``first`` of them.
    """
    passers = Passers()
    async with talking(storage, passers, app()):
        await passers.pass_by(first)
        before = _resident()
        await passers.pass_by(then)
        return (_resident() - before) / then * 1000


def _resident() -> float:
    """The kilobytes of memory that the process has now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4
