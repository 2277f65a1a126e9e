"""What has ended is removed after its time, some rows at a time; what lives never."""

from __future__ import annotations

from typing import Final

from flows.ports import Swept
from storage.redis.link import Link

TABLES: Final = ("inbox", "outbox", "messages", "transitions", "transcripts", "instances")
"""Instances last: their log goes by whether they live."""

AT_ONCE: Final = 500
"""How many rows one script removes: the server does nothing else meanwhile."""


async def sweep(link: Link, time: str, before: int, limit: int) -> Swept:
    """Removes at most ``limit`` rows of each table."""
    rows = {table: await _sweep(link, time, table, before, limit) for table in TABLES}
    return Swept(rows=rows)


async def _sweep(link: Link, time: str, table: str, before: int, limit: int) -> int:
    swept, place = 0, b""
    while swept < limit:
        some = min(AT_ONCE, limit - swept)
        removed, place = await link.script("sweep", time, table, before, some, place)
        swept += removed
        if not place:
            break
    return swept
