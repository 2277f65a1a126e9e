"""What ``inspect`` shows: the columns of each listing, their order, and how pages go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from flows.ports import Page, Query

LARGEST_PAGE = 1000

EQUAL = ("conv", "instance", "flow", "status", "part", "letter")
"""Fields of a query that a column must be equal to."""

APART = ("live", "person", "step", "before", "text")
"""Fields of a query that are looked at in another way each."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of rows for people to read.

    Attributes:
        columns: what a row shows.
        order: the columns that rows are sorted by; together unique.
        newest_first: whether the order goes down.
        filters: which fields of the query apply, and the columns they look at: for equality,
            but for those of ``APART``.
    """

    columns: tuple[str, ...]
    order: tuple[str, ...]
    newest_first: bool
    filters: Mapping[str, str]


LISTINGS: Mapping[str, Listing] = {
    "instances": Listing(
        ("conv", "id", "flow", "flow_version", "step", "status", "result", "updated", "ended"),
        ("updated", "conv", "id"),
        newest_first=True,
        filters={
            "conv": "conv",
            "instance": "id",
            "flow": "flow",
            "status": "status",
            "live": "ended",
            "person": "conv",
            "step": "step",
            "before": "updated",
            "text": "id",
        },
    ),
    "transitions": Listing(
        ("conv", "turn", "n", "instance", "flow", "source", "target", "cause", "at"),
        ("turn", "n", "conv"),
        newest_first=True,
        filters={"conv": "conv", "instance": "instance", "flow": "flow"},
    ),
    "dead_letters": Listing(
        ("id", "part", "conv", "origin", "body", "error", "tries", "at"),
        ("id",),
        newest_first=True,
        filters={"conv": "conv", "letter": "id"},
    ),
    "audit": Listing(
        ("id", "at", "who", "what", "target", "detail", "conv"),
        ("id",),
        newest_first=True,
        filters={"conv": "conv"},
    ),
    "inbox": Listing(
        ("seq", "source", "ext", "part", "conv", "kind", "body", "notes", "at", "tries"),
        ("seq",),
        newest_first=False,
        filters={"conv": "conv", "part": "part"},
    ),
    "outbox": Listing(
        ("seq", "part", "chat", "conv", "turn", "n", "slot", "body", "state", "tries", "due"),
        ("seq",),
        newest_first=False,
        filters={"conv": "conv", "status": "state", "part": "part"},
    ),
    "timers": Listing(
        ("conv", "name", "part", "due", "generation", "kind", "body"),
        ("due", "conv", "name"),
        newest_first=False,
        filters={"conv": "conv"},
    ),
}


@dataclass(frozen=True, slots=True)
class Look:
    """A query, checked: the listing, column values to match, and where the page begins.

    Attributes:
        live: whether the column ``ended`` must be empty (True) or not (False).
        person: whose scopes the column ``conv`` must be one of.
        step: what must be among the words of the column ``step``.
        before: what the column ``updated`` must be less than.
        text: what must be in the column ``id`` or ``conv``.
    """

    listing: Listing
    matches: Mapping[str, str | int]
    live: bool | None
    person: str | None
    step: str | None
    before: int | None
    text: str | None
    after: tuple[Any, ...] | None
    limit: int


def look(query: Query) -> Look:
    """The query in terms of columns. Raises ValueError when it asks for what there is not."""
    listing = LISTINGS.get(query.what)
    if listing is None:
        raise ValueError(f"there is no listing {query.what!r}: there are {', '.join(LISTINGS)}")
    if not 1 <= query.limit <= LARGEST_PAGE:
        raise ValueError(f"a page has 1 to {LARGEST_PAGE} rows, not {query.limit}")
    equal = {name: getattr(query, name) for name in EQUAL if getattr(query, name) is not None}
    apart = [name for name in APART if getattr(query, name) is not None]
    for name in (*equal, *apart):
        if name not in listing.filters:
            raise ValueError(
                f"{query.what} cannot be filtered by {name}, only by {', '.join(listing.filters)}"
            )
    return Look(
        listing,
        {listing.filters[name]: value for name, value in equal.items()},
        query.live,
        query.person,
        query.step,
        query.before,
        query.text,
        None if query.after is None else _begin(query.after, listing),
        query.limit,
    )


def page(rows: Sequence[Mapping[str, Any]], looked: Look) -> Page:
    """The page, out of up to ``limit + 1`` rows: the one too many only says that it goes on."""
    shown = rows[: looked.limit]
    if len(rows) <= looked.limit:
        return Page(shown)
    last = [shown[-1][name] for name in looked.listing.order]
    return Page(shown, orjson.dumps(last).decode())


def _begin(after: str, listing: Listing) -> tuple[Any, ...]:
    try:
        place = orjson.loads(after)
    except ValueError:
        place = None
    match place:
        case list() if len(place) == len(listing.order) and all(map(_is_value, place)):
            return tuple(place)
    raise ValueError(f"{after!r} is no place to go on from: pass the `next` of a page")


def _is_value(value: object) -> bool:
    return isinstance(value, int | str)
