"""Waiting for whichever comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first(*futures: asyncio.Future[Any]) -> None:
    """Returns when one of them is done."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


async def either(*works: Coroutine[Any, Any, Any]) -> None:
    """Returns when one of them has, and lets go of the others. Raises what that one raises."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Does the work, unless ``stop`` comes first; answers whether it was done."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await first(working, stopping)
    finally:
        done = working.done()
        working.cancel()
        stopping.cancel()
        await asyncio.wait((working, stopping))
    if done:
        working.result()
    return done
