"""What channels record: in order, once for each name, and gone with its person."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from flows.errors import BadRow
from flows.ports import FlowStorage, Line
from storage.limits import LATEST
from storage.testing.backend import Ability, Backend, Contract
from storage.testing.rows import accepted, conv, instance, line, person, turn


class RecordContract(Contract):
    """``record`` and ``lines``."""

    async def test_lines_come_back_as_they_were_in_their_order(self, backend: Backend) -> None:
        storage = await backend.open()
        rows = [line("b", body='"é\\n"', at=7), line("a", at=3), line("c", at=40)]
        places = await storage.record(rows)
        assert await _all(storage) == [
            Line(place or 0, row.name, row.body, row.at)
            for place, row in zip(places, rows, strict=True)
        ]
        assert sorted(map(int, filter(None, places))) == list(places)

    async def test_a_place_is_never_below_the_time_of_its_line(self, backend: Backend) -> None:
        storage = await backend.open()
        assert await storage.record([line("a", at=1_700_000_000_000)]) == [1_700_000_000_000]
        assert await storage.record([line("b", at=9)]) == [1_700_000_000_001]

    async def test_a_name_is_recorded_once_in_its_track(self, backend: Backend) -> None:
        storage = await backend.open()
        first, again = await storage.record([line("a"), line("a", body='"other"')])
        assert (first is None, again) == (False, None)
        assert await storage.record([line("a", body='"third"')]) == [None]
        assert [found.body for found in await _all(storage)] == ['"hi"']

    async def test_tracks_and_conversations_are_apart(self, backend: Backend) -> None:
        storage = await backend.open()
        rows = [line("a"), line("a", track="file"), line("a", "bob"), line("a", track="chatter")]
        assert None not in await storage.record(rows)
        assert [found.name for found in await _all(storage)] == ["a"]
        assert len(await storage.lines(conv("bob"), "chat", after=0, limit=9)) == 1

    async def test_a_page_goes_on_after_a_place(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.record([line(str(n), at=n) for n in range(1, 8)])
        assert [found.name for found in await _page(storage, after=3, limit=2)] == ["4", "5"]
        assert [found.name for found in await _page(storage, after=6, limit=9)] == ["7"]
        assert list(await _page(storage, after=7, limit=9)) == []

    async def test_the_newest_come_ascending(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.record([line(str(n), at=n) for n in range(1, 8)])
        newest = await storage.lines(conv("ada"), "chat", after=0, limit=2, newest=True)
        assert [found.name for found in newest] == ["6", "7"]

    @pytest.mark.parametrize(("before", "names"), [(5, ["3", "4"]), (2, ["1"]), (1, [])])
    async def test_the_newest_before_a_place_come_ascending(
        self, backend: Backend, before: int, names: list[str]
    ) -> None:
        storage = await backend.open()
        await storage.record([line(str(n), at=n) for n in range(1, 8)])
        found = await storage.lines(
            conv("ada"), "chat", after=0, limit=2, newest=True, before=before
        )
        assert [each.name for each in found] == names

    async def test_it_is_there_after_a_crash(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.record([line("a")])
        await backend.crash(storage)
        assert len(await _all(await backend.open())) == 1

    async def test_several_record_at_once_and_none_is_lost(self, backend: Backend) -> None:
        self.need(backend, Ability.SHARED)
        first, second = await backend.open(), await backend.open()
        await asyncio.gather(
            *(one.record([line(f"{n}")]) for one in (first, second) for n in range(6))
        )
        found = await _all(first)
        assert sorted(each.name for each in found) == sorted(map(str, range(6)))
        assert len({each.n for each in found}) == len(found)

    async def test_lines_are_swept_but_those_of_a_live_conversation(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.commit(fence, [replace(turn(seq), instances=[instance("ada")])])
        await storage.record([line("a"), line("a", track="file"), line("a", "bob")])
        await storage.record([line("b", "bob", at=50), line("c", "bob", at=LATEST)])
        assert (await storage.sweep(50, 100)).rows["transcripts"] == 1
        assert len(await _all(storage)) == 1
        left = await storage.lines(conv("bob"), "chat", after=0, limit=9)
        assert [found.name for found in left] == ["b", "c"]

    async def test_an_erased_person_may_begin_again(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.record([line("a", at=100)])
        await storage.erase(person("ada"))
        assert await storage.record([line("a", at=200)]) == [200]

    async def test_texts_are_recoded(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.record([line("a", body='"old"'), line("b", body='"new"')])
        assert await storage.recode(lambda text: text.replace("old", "new")) == 1
        assert [found.body for found in await _all(storage)] == ['"new"', '"new"']

    @pytest.mark.parametrize("at", [-1, LATEST + 1])
    async def test_a_time_that_cannot_be_is_refused(self, backend: Backend, at: int) -> None:
        storage = await backend.open()
        with pytest.raises(BadRow):
            await storage.record([line("a"), line("b", at=at)])
        assert await _all(storage) == []


async def _all(storage: FlowStorage) -> list[Line]:
    return list(await _page(storage, after=0, limit=100))


async def _page(storage: FlowStorage, *, after: int, limit: int) -> Sequence[Line]:
    return await storage.lines(conv("ada"), "chat", after=after, limit=limit)
