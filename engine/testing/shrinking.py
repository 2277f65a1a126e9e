"""The shortest way to what the explorer found: inputs that are not needed are dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.testing.transcript import Exchange
from engine.testing.trip import Trip, trip_until

if TYPE_CHECKING:
    from engine.app import App

BUDGET = 4_000
"""Inputs that are played again, in all, to make one way shorter."""


async def shortest(
    app: App, exchanges: Sequence[Exchange], reached: Callable[[Trip], bool]
) -> tuple[Exchange, ...] | None:
    """A short way to what is reached by these inputs, not always the shortest there is; None:
    they do not lead there a second time.
    """
    spent = len(exchanges)
    way = await trip_until(app, exchanges, reached)
    if way is None:
        return None
    size = len(way)
    while size >= 1 and spent < BUDGET:
        start = max(len(way) - 1 - size, 0)
        while spent < BUDGET:
            tried = way[:start] + way[start + size :]
            spent += len(tried)
            found = await trip_until(app, tried, reached) if tried else None
            if found is not None and len(found) < len(way):
                way = found
            if start == 0:
                break
            start = max(min(start, len(way)) - size, 0)
        size //= 2
    return tuple(await _by_one_person(app, way, reached))


async def _by_one_person(
    app: App, way: list[Exchange], reached: Callable[[Trip], bool]
) -> list[Exchange]:
    """The same by the first person, alone with the bot, where that leads there, too."""
    alone = [replace(exchange, by="1", chat=None) for exchange in way]
    if alone == way:
        return way
    found = await trip_until(app, alone, reached)
    return way if found is None else found
