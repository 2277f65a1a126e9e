"""Rows for people to read, a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from flows.ports import Page, Query, Tally
from storage.listings import Look, look, page
from storage.redis.keys import full_name, ordered, part_name
from storage.redis.link import Link
from storage.redis.pack import packed
from storage.redis.unpack import listed, standing

AT_ONCE = 1000
"""How many instances are read at once for counting."""


async def inspect(link: Link, time: str, query: Query) -> Page:
    """A page of a listing."""
    looked = look(query)
    begin = "" if looked.after is None else _place(query.what, looked.after)
    found = await link.script(
        "inspect", time, query.what, packed(_filters(query, looked)), begin, looked.limit + 1
    )
    return page(listed(query.what, found), looked)


async def tally(link: Link) -> list[Tally]:
    """How many instances there are of each flow, step and status.

    They are read some at a time, so that the server does other things meanwhile. It may hand out
    one twice while its table grows; those are counted once.
    """
    found: dict[bytes, tuple[str, str, str]] = {}
    cursor = b"0"
    while True:
        cursor, flat = await link.command(
            "HSCAN", full_name(link.place.prefix, "instances"), cursor, "COUNT", AT_ONCE
        )
        for name, value in zip(flat[::2], flat[1::2], strict=True):
            found[name] = standing(value)
        if cursor == b"0":
            return [Tally(*name, count) for name, count in Counter(found.values()).items()]


def _filters(query: Query, looked: Look) -> dict[str, str]:
    wanted = {
        "conv": query.conv,
        "instance": query.instance,
        "flow": query.flow,
        "status": query.status,
        "live": None if looked.live is None else str(int(looked.live)),
        "person": query.person,
        "part": None if query.part is None else part_name(query.part),
        "step": query.step,
        "before": None if query.before is None else str(query.before),
        "text": query.text,
        "letter": None if query.letter is None else ordered(query.letter),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _place(what: str, after: tuple[Any, ...]) -> str:
    """Where the row that a page ended with stands in its list."""
    try:
        return _PLACES[what](*after)
    except TypeError as error:
        raise ValueError(
            f"{list(after)!r} is no place to go on from: pass the `next` of a page"
        ) from error


def _dated(at: int, conv: str, name: str) -> str:
    return f"{ordered(at)}{conv}\0{name}"


def _logged(turn: int, n: int, conv: str) -> str:
    return f"{ordered(turn)}{ordered(n)}{conv}"


_PLACES: dict[str, Callable[..., str]] = {
    "instances": _dated,
    "transitions": _logged,
    "dead_letters": ordered,
    "audit": ordered,
    "inbox": ordered,
    "outbox": ordered,
    "timers": _dated,
}
