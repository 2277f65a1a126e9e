"""Listings for people: filtered, in order, a page at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flows.ports import Fence, FlowStorage, Query
from storage.testing.backend import Backend, Contract
from storage.testing.rows import (
    accepted,
    conv,
    instance,
    message,
    move,
    person,
    scope,
    timer,
    turn,
)


class ListingContract(Contract):
    """``inspect``."""

    async def test_instances_come_newest_first(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _instances(storage, fence, 3)
        rows = (await storage.inspect(Query(what="instances"))).rows
        assert [row["updated"] for row in rows] == [2, 1, 0]
        assert rows[0] == {
            "conv": conv("ada"), "id": "i2", "flow": "signup", "flow_version": 1, "step": "NAME",
            "status": "active", "result": None, "updated": 2, "ended": None,
        }  # fmt: skip

    async def test_an_instance_is_written_over(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        for step in ("NAME", "EMAIL"):
            (seq,) = await accepted(storage, "ada")
            row = replace(instance("ada"), step=step)
            await storage.commit(fence, [replace(turn(seq), scopes=[], instances=[row])])
        (only,) = (await storage.inspect(Query(what="instances"))).rows
        assert only["step"] == "EMAIL"

    @pytest.mark.parametrize("limit", [1, 2, 3, 7])
    async def test_pages_hold_every_row_once(self, backend: Backend, limit: int) -> None:
        storage, fence = await self.start(backend)
        await _instances(storage, fence, 7)
        found: list[Any] = []
        after = None
        while True:
            page = await storage.inspect(Query(what="instances", limit=limit, after=after))
            assert len(page.rows) <= limit
            found.extend(row["id"] for row in page.rows)
            if page.next is None:
                break
            after = page.next
        assert found == [f"i{number}" for number in reversed(range(7))]

    async def test_filters_are_joined(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        rows = [
            instance("ada", name="a"),
            replace(instance("ada", name="b"), flow="survey"),
            instance("bob", name="c"),
            instance("ada", name="d", ended=5),
        ]
        await storage.commit(fence, [replace(turn(seq), scopes=[], instances=rows)])
        query = Query(what="instances", conv=conv("ada"), flow="signup", status="active")
        assert [row["id"] for row in (await storage.inspect(query)).rows] == ["a"]

    async def test_an_instance_is_found_by_its_id_alone(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "bob")
        rows = [instance("ada", name="a1"), instance("bob", name="b1")]
        log = [move(second, "bob", name="b1")]
        await storage.commit(
            fence, [turn(first), replace(turn(second, "bob"), instances=rows, transitions=log)]
        )
        (found,) = (await storage.inspect(Query(what="instances", instance="b1"))).rows
        assert (found["conv"], found["id"]) == (conv("bob"), "b1")
        (logged,) = (await storage.inspect(Query(what="transitions", instance="b1"))).rows
        assert logged["turn"] == second
        assert (await storage.inspect(Query(what="instances", instance="b"))).rows == []

    @pytest.mark.parametrize(("live", "names"), [(True, ["b"]), (False, ["a"]), (None, ["b", "a"])])
    async def test_live_instances_are_told_from_ended_ones(
        self, backend: Backend, live: bool | None, names: list[str]
    ) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        rows = [instance("ada", name="a", ended=5), instance("ada", name="b")]
        await storage.commit(fence, [replace(turn(seq), instances=rows)])
        found = (await storage.inspect(Query(what="instances", live=live))).rows
        assert [row["id"] for row in found] == names

    async def test_a_persons_instances_are_those_of_their_scopes(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "bob")
        shared = replace(instance("ada", name="s"), conv="a scope of all")
        scopes = [scope("ada"), replace(scope("ada", key="a scope of all"), person=None)]
        rows = [instance("ada", name="a"), shared]
        await storage.commit(
            fence,
            [
                replace(turn(first), scopes=scopes, instances=rows),
                replace(turn(second, "bob"), instances=[instance("bob", name="b")]),
            ],
        )
        query = Query(what="instances", person=person("ada"), live=True)
        assert [row["id"] for row in (await storage.inspect(query)).rows] == ["a"]

    async def test_timers_show_the_next_one_first(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "bob")
        late, soon = backend.now() + 2000, backend.now() + 1000
        turns = [
            replace(turn(first), timers=[timer("ada", due=late), timer("ada", due=soon, name="x")]),
            replace(turn(second, "bob"), timers=[timer("bob", due=soon)]),
        ]
        await storage.commit(fence, turns)
        rows = (await storage.inspect(Query(what="timers", conv=conv("ada")))).rows
        assert [(row["name"], row["due"]) for row in rows] == [("x", soon), ("wait", late)]
        assert len((await storage.inspect(Query(what="timers"))).rows) == 3

    async def test_the_inbox_shows_what_is_undone_oldest_first(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second, third = await accepted(storage, "ada", "bob", "cyd")
        await storage.commit(fence, [turn(first)])
        rows = (await storage.inspect(Query(what="inbox"))).rows
        assert [row["seq"] for row in rows] == [second, third]
        mine = (await storage.inspect(Query(what="inbox", conv=conv("cyd")))).rows
        assert [row["seq"] for row in mine] == [third]

    async def test_looking_counts_no_try(self, backend: Backend) -> None:
        storage, _ = await self.start(backend)
        await accepted(storage, "ada")
        await storage.inspect(Query(what="inbox"))
        (row,) = (await storage.inspect(Query(what="inbox"))).rows
        assert row["tries"] == 0

    async def test_the_outbox_and_the_log_show_a_turn(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        whole = replace(turn(seq), outbox=[message(seq)], transitions=[move(seq, "ada")])
        await storage.commit(fence, [whole])
        (out,) = (await storage.inspect(Query(what="outbox"))).rows
        assert (out["conv"], out["turn"], out["body"]) == (conv("ada"), seq, '"hello"')
        (log,) = (await storage.inspect(Query(what="transitions", flow="signup"))).rows
        assert (log["conv"], log["turn"], log["target"]) == (conv("ada"), seq, "NAME")

    @pytest.mark.parametrize(
        "query",
        [
            Query(what="inbox", flow="signup"),
            Query(what="inbox", live=True),
            Query(what="transitions", person="contract/ada"),
            Query(what="instances", limit=0),
            Query(what="instances", limit=1001),
            Query(what="instances", after="nonsense"),
            Query(what="instances", after="[1]"),
        ],
        ids=[
            "no such filter",
            "nothing that ends",
            "nobody's",
            "no rows",
            "too many rows",
            "no place",
            "a place elsewhere",
        ],
    )
    async def test_what_cannot_be_asked_is_refused(self, backend: Backend, query: Query) -> None:
        storage = await backend.open()
        with pytest.raises(ValueError, match=r"\w"):
            await storage.inspect(query)


async def _instances(storage: FlowStorage, fence: Fence, count: int) -> None:
    (seq,) = await accepted(storage, "ada")
    rows = [replace(instance("ada", name=f"i{place}"), updated=place) for place in range(count)]
    await storage.commit(fence, [replace(turn(seq), scopes=[], instances=rows)])
