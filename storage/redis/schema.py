"""The format of a database: created in an empty one, and refused where it is another."""

from __future__ import annotations

from typing import Final

from flows.errors import SchemaMismatch
from storage.redis.keys import KEYS, full_name
from storage.redis.link import Link
from storage.redis.location import Location

APPLICATION: Final = "handrail"
FORMAT: Final = 1
"""Raised when the keys or what is in them change."""


async def open_format(link: Link, time: str) -> None:
    """Makes an empty database ours. Raises SchemaMismatch where it is not, or not in our format."""
    application, written = await link.script("open", time, APPLICATION, FORMAT)
    check_format(link.place, application.decode(errors="replace"), written.decode(errors="replace"))


async def current(url: str) -> int | None:
    """The format of the database that a URL names, None where it is empty; nothing is changed.

    Raises:
        SchemaMismatch: it is not ours, or not in the format of this version.
        StorageDown: it cannot be reached.
    """
    place = Location.parse(url)
    link = Link(place)
    try:
        names = [full_name(place.prefix, name) for name in KEYS]
        if not await link.command("EXISTS", *names):
            return None
        meta = full_name(place.prefix, "meta")
        found = await link.command("HMGET", meta, "application", "format")
        application, written = ((value or b"").decode(errors="replace") for value in found)
    finally:
        await link.close()
    check_format(place, application, written)
    return int(written)


def check_format(place: Location, application: str, written: str) -> None:
    """Compares what the database says of itself with what this version writes."""
    if application != APPLICATION or not written.isdecimal():
        raise SchemaMismatch(
            f"the keys {{{place.prefix}}}:* of the database {place} belong to another program. "
            "They were left as they are. Name another database, or a prefix of your own: "
            "redis://host:6379/1 or redis://host:6379/0?prefix=mybot."
        )
    if int(written) > FORMAT:
        raise SchemaMismatch(
            f"the database {place} has format {written}, which is newer than this version of "
            f"Handrail ({FORMAT}). It was left as it is. Upgrade Handrail."
        )
    if int(written) < FORMAT:
        raise SchemaMismatch(
            f"the database {place} has format {written}, and this version of Handrail works with "
            f"{FORMAT}. It was left as it is. Finish its conversations with the version that "
            "wrote it, or name another database."
        )
