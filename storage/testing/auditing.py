"""What operators did is kept for good, and forgets whom it was about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from flows.errors import BadRow
from flows.ports import AuditRow, FlowStorage, Query
from storage.testing.backend import Ability, Backend, Contract
from storage.testing.rows import accepted, conv, instance, person, turn

ROW = AuditRow(who="eve", what="goto", target="i1", detail="EMAIL", at=7, conv=conv("ada"))


class AuditContract(Contract):
    """``audit``, and its listing."""

    async def test_what_an_operator_did_is_listed_newest_first(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.audit(ROW)
        await storage.audit(AuditRow(who="max", what="erase", target="x/1", detail="", at=5))
        newest, oldest = await _rows(storage)
        assert newest["id"] > oldest["id"]
        assert {name: value for name, value in oldest.items() if name != "id"} == {
            "at": 7, "who": "eve", "what": "goto", "target": "i1", "detail": "EMAIL",
            "conv": conv("ada"),
        }  # fmt: skip
        assert (newest["who"], newest["conv"]) == ("max", None)

    async def test_it_is_listed_a_page_at_a_time(self, backend: Backend) -> None:
        storage = await backend.open()
        for number in range(5):
            await storage.audit(replace(ROW, detail=str(number)))
        found: list[str] = []
        after = None
        while True:
            page = await storage.inspect(Query(what="audit", limit=2, after=after))
            found.extend(row["detail"] for row in page.rows)
            after = page.next
            if after is None:
                break
        assert found == ["4", "3", "2", "1", "0"]

    async def test_it_is_told_apart_by_conversation(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.audit(ROW)
        await storage.audit(replace(ROW, conv=conv("bob"), detail="theirs"))
        found = (await storage.inspect(Query(what="audit", conv=conv("bob")))).rows
        assert [row["detail"] for row in found] == ["theirs"]

    @pytest.mark.parametrize("of", ["conversation", "target"])
    async def test_of_an_erased_person_it_keeps_who_did_what_and_when(
        self, backend: Backend, of: str
    ) -> None:
        storage = await backend.open()
        rows = {
            "conversation": ROW,
            "target": replace(ROW, target=person("ada"), conv=None),
        }
        await storage.audit(rows[of])
        await storage.erase(person("ada"))
        (row,) = await _rows(storage)
        assert (row["who"], row["what"], row["at"]) == ("eve", "goto", 7)
        assert (row["target"], row["detail"], row["conv"]) == ("erased", "", None)

    async def test_of_others_it_stays_as_it_is_when_a_person_is_erased(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.commit(fence, [turn(seq)])
        await storage.audit(replace(ROW, conv=conv("bob")))
        await storage.audit(replace(ROW, target=person("bob"), conv=None))
        before = await _rows(storage)
        await storage.erase(person("ada"))
        assert await _rows(storage) == before

    async def test_an_erased_person_leaves_no_trace_in_it(self, backend: Backend) -> None:
        self.need(backend, Ability.TRACES)
        storage, fence = await self.start(backend)
        canary = "canary-77e1"
        (seq,) = await accepted(storage, canary)
        await storage.commit(fence, [turn(seq, canary)])
        await storage.audit(replace(ROW, conv=conv(canary), detail=f"about {canary}"))
        await storage.audit(replace(ROW, target=person(canary), conv=None))
        await storage.erase(person(canary))
        assert await backend.traces(canary) == []

    async def test_it_outlives_every_sweep(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.commit(fence, [replace(turn(seq), instances=[instance("ada", ended=5)])])
        await storage.audit(ROW)
        backend.advance(1000)
        await storage.sweep(backend.now() + 1000, 100)
        assert len(await _rows(storage)) == 1

    @pytest.mark.parametrize(
        "row",
        [replace(ROW, who="x" * 192), replace(ROW, detail="a\0b"), replace(ROW, at=1 << 64)],
        ids=["a name that is too long", "a NUL", "no number of ours"],
    )
    async def test_what_cannot_be_stored_is_refused(self, backend: Backend, row: AuditRow) -> None:
        storage = await backend.open()
        with pytest.raises(BadRow):
            await storage.audit(row)
        assert await _rows(storage) == []


async def _rows(storage: FlowStorage) -> list[Mapping[str, Any]]:
    return list((await storage.inspect(Query(what="audit"))).rows)
