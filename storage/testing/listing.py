"""Listings for people: filtered, in order, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
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
    part,
    person,
    scope,
    sent,
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

    async def test_what_is_undone_is_told_apart_by_partition(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "bob")
        turns = [
            replace(turn(first), outbox=[message(first), message(first, n=1)]),
            replace(turn(second, "bob"), outbox=[message(second, "bob")]),
        ]
        await storage.commit(fence, turns)
        await storage.sent(fence, [sent(message(first))])
        (third,) = await accepted(storage, "bob")
        assert part("ada") != part("bob")
        rows = (await storage.inspect(Query(what="outbox", part=part("ada")))).rows
        assert [(row["turn"], row["n"]) for row in rows] == [(first, 1)]
        rows = (await storage.inspect(Query(what="inbox", part=part("bob")))).rows
        assert [row["seq"] for row in rows] == [third]

    async def test_a_dead_letter_is_found_by_its_number(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        lost = [message(seq, n=n) for n in range(3)]
        await storage.commit(fence, [replace(turn(seq), outbox=lost)])
        dead = [replace(sent(row), state="dead", ref=None, error=f"no {row.n}") for row in lost]
        await storage.sent(fence, dead)
        letters = (await storage.inspect(Query(what="dead_letters"))).rows
        assert [letter["error"] for letter in letters] == ["no 2", "no 1", "no 0"]
        query = Query(what="dead_letters", letter=letters[1]["id"])
        assert [one["error"] for one in (await storage.inspect(query)).rows] == ["no 1"]

    @pytest.mark.parametrize(
        ("step", "names"),
        [("PHONE", ["d", "b", "a"]), ("EMAIL", ["b"]), ("PHON", []), ("EMAIL PHONE", ["b"])],
    )
    async def test_an_instance_is_found_by_each_step_that_it_stands_at(
        self, backend: Backend, step: str, names: list[str]
    ) -> None:
        storage, fence = await self.start(backend)
        steps = {"a": "PHONE", "b": "EMAIL PHONE", "c": "TELEPHONE", "d": "PHONE PHOTO"}
        await _standing(storage, fence, steps)
        found = (await storage.inspect(Query(what="instances", step=step))).rows
        assert [row["id"] for row in found] == names

    async def test_who_has_moved_long_ago_is_found(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _instances(storage, fence, 4)
        found = (await storage.inspect(Query(what="instances", before=2))).rows
        assert [row["updated"] for row in found] == [1, 0]

    @pytest.mark.parametrize(
        ("text", "names"),
        [("/ada", ["b", "A"]), ("A", ["A"]), ("b", ["b"]), ("/a%", []), ("_", [])],
    )
    async def test_a_text_is_looked_for_letter_for_letter(
        self, backend: Backend, text: str, names: list[str]
    ) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        rows = [instance("ada", name=name) for name in ("A", "b")]
        own = [replace(row, conv="contract/ada") for row in rows]
        await storage.commit(fence, [replace(turn(seq), scopes=[], instances=own)])
        found = (await storage.inspect(Query(what="instances", text=text))).rows
        assert [row["id"] for row in found] == names

    async def test_instances_are_counted_by_flow_step_and_status(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        assert list(await storage.tally()) == []
        first, second = await accepted(storage, "ada", "bob")
        rows = [
            instance("ada", name="a"),
            instance("ada", name="b"),
            replace(instance("ada", name="c"), flow="survey", step=""),
        ]
        ended = [instance("bob", name="d", ended=5)]
        turns = [
            replace(turn(first), instances=rows),
            replace(turn(second, "bob"), instances=ended),
        ]
        await storage.commit(fence, turns)
        found = sorted((one.flow, one.step, one.status, one.count) for one in await storage.tally())
        assert found == [
            ("signup", "NAME", "active", 2),
            ("signup", "NAME", "completed", 1),
            ("survey", "", "active", 1),
        ]

    @pytest.mark.parametrize(
        "query",
        [
            Query(what="inbox", flow="signup"),
            Query(what="instances", part=1),
            Query(what="outbox", letter=1),
            Query(what="inbox", live=True),
            Query(what="transitions", person="contract/ada"),
            Query(what="timers", step="NAME"),
            Query(what="transitions", before=1),
            Query(what="audit", text="a"),
            Query(what="instances", limit=0),
            Query(what="instances", limit=1001),
            Query(what="instances", after="nonsense"),
            Query(what="instances", after="[1]"),
        ],
        ids=[
            "no such filter",
            "in no partition",
            "no letter",
            "nothing that ends",
            "nobody's",
            "at no step",
            "not by time",
            "no text",
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


async def _standing(storage: FlowStorage, fence: Fence, steps: Mapping[str, str]) -> None:
    (seq,) = await accepted(storage, "ada")
    rows = [replace(instance("ada", name=name), step=step) for name, step in steps.items()]
    await storage.commit(fence, [replace(turn(seq), scopes=[], instances=rows)])
