"""Albums while shares change hands: each is one turn, of whichever worker."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest

from engine import App
from engine.intake.albums import QUIET
from flows import AlbumMessage, Context, FileRef, PhotoMessage, Router
from tests.fleet import Fleet

pytestmark = pytest.mark.anyio

PEOPLE = [str(n) for n in range(100, 120)]


def counting() -> App:
    """Answers each album with the number of its parts, and a photo with 1."""
    router = Router("albums")

    @router.fallback
    async def count(ctx: Context[Any, Any]) -> None:
        content = ctx.update.content
        ctx.reply(str(len(content.items) if isinstance(content, AlbumMessage) else 1))

    return App(router)


def send(fleet: Fleet, parts: int, *, first: int = 0) -> None:
    """Everybody sends so many parts of an album, one after the other."""
    for number in range(first, first + parts):
        for person in PEOPLE:
            photo = PhotoMessage(FileRef(id=f"{person}-{number}"))
            fleet.service.write(photo, by=person, album=f"album of {person}")


def told(fleet: Fleet) -> list[list[str]]:
    """What everybody was told; what was sent twice in a row, once."""
    return [[text for text, _ in groupby(fleet.service.texts(person))] for person in PEOPLE]


async def test_every_worker_gathers_the_albums_of_its_share() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(3)
        send(fleet, 4)
        await fleet.over()
        assert told(fleet) == [["4"]] * len(PEOPLE)


async def test_a_worker_that_stops_leaves_its_albums_to_the_others() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        send(fleet, 2)
        await fleet.clock.advance(QUIET / 2)
        await fleet.members[0].stop()
        await fleet.over()
        assert told(fleet) == [["2"]] * len(PEOPLE)


async def test_the_albums_of_a_worker_that_dies_are_gathered_by_the_others() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        send(fleet, 3)
        await fleet.clock.advance(QUIET / 2)
        fleet.members[0].freeze()
        await fleet.over()
        assert told(fleet) == [["3"]] * len(PEOPLE)


async def test_a_worker_that_comes_back_from_a_standstill_repeats_nothing() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(2)
        send(fleet, 3)
        await fleet.clock.advance(QUIET / 2)
        fleet.members[0].freeze()
        await fleet.over()
        fleet.members[0].thaw()
        await fleet.clock.advance(30)
        assert told(fleet) == [["3"]] * len(PEOPLE)


async def test_a_newcomer_takes_its_share_in_the_middle_of_albums() -> None:
    async with Fleet(counting) as fleet:
        await fleet.start(1)
        send(fleet, 2)
        await fleet.clock.advance(QUIET / 2)
        await fleet.start(1, balanced=False)
        await fleet.until(fleet.balanced)
        await fleet.over()
        assert told(fleet) == [["2"]] * len(PEOPLE)
