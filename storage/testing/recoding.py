"""Texts that are coded anew: every one of them, and nothing else."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from flows.ports import DeadLetter, Fence, FlowStorage, Outcome, Query, TurnCommit
from storage.testing.backend import Backend, Contract
from storage.testing.rows import (
    LISTINGS,
    NOWHERE,
    accepted,
    cause,
    conv,
    full_turn,
    instance,
    message,
    part,
    pending,
    scope,
    sent,
    timer,
    turn,
)

OLD, NEW = '"old words"', '"new words, of another length"'

HOLDERS = Counter(scope=1, instance=2, timer=1, cause=1, message=1, reference=1, dead=2)
"""How many rows of each kind ``_spoken`` fills with texts."""


def _anew(text: str) -> str:
    return text.replace("old words", "new words, of another length")


class RecodeContract(Contract):
    """``recode``."""

    async def test_every_text_is_changed_wherever_it_is(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        slot = await _spoken(storage, fence)
        assert set(await _texts(storage, fence, slot)) == {OLD}
        assert await storage.recode(_anew) == HOLDERS.total()
        assert set(await _texts(storage, fence, slot)) == {NEW}

    async def test_a_timer_fires_with_its_new_text(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        row = timer("ada", due=backend.now(), body=OLD)
        await storage.commit(fence, [replace(turn(seq), timers=[row])])
        await storage.recode(_anew)
        await storage.fire(fence, 100)
        assert [row.body for row in await pending(storage, fence)] == [NEW]

    async def test_dead_letters_go_back_with_their_new_text(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _spoken(storage, fence)
        await storage.recode(_anew)
        for letter in (await storage.inspect(Query(what="dead_letters"))).rows:
            await storage.replay(letter["id"])
        assert {row.body for row in await pending(storage, fence)} == {NEW}
        bodies = [row["body"] for row in (await storage.inspect(Query(what="outbox"))).rows]
        assert bodies == [NEW, NEW]

    async def test_versions_and_all_that_is_no_text_stay(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _spoken(storage, fence)
        before = await _rest(storage)
        await storage.recode(_anew)
        assert await _rest(storage) == before

    async def test_a_turn_that_was_loaded_before_commits_after(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "ada")
        (done,) = await storage.commit(fence, [turn(first, state=OLD)])
        await storage.recode(_anew)
        (late,) = await storage.commit(fence, [turn(second, version=done.versions[0], state="5")])
        assert late.versions == (done.versions[0] + 1,)

    async def test_a_second_call_finds_nothing_to_change(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        slot = await _spoken(storage, fence)
        await storage.recode(_anew)
        assert await storage.recode(_anew) == 0
        assert set(await _texts(storage, fence, slot)) == {NEW}

    async def test_only_rows_that_change_are_counted(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _spoken(storage, fence)
        assert await storage.recode(str) == 0
        await storage.accept([cause("other", "bob", body='"other words"')])
        assert await storage.recode(lambda text: text.replace("other", "more")) == 1

    async def test_what_was_emptied_stays_empty(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        row = message(seq)
        await storage.commit(fence, [replace(turn(seq), outbox=[row])])
        await storage.sent(fence, [sent(row)])
        seen: list[str] = []

        def look(text: str) -> str:
            seen.append(text)
            return text

        await storage.recode(look)
        assert sorted(seen) == ["77", '{"n": 1}']

    async def test_more_rows_than_a_page_are_changed(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        keys = [f"contract/{number}" for number in range(1100)]
        writes = [scope("ada", key=key, state=OLD) for key in keys]
        await storage.commit(fence, [replace(turn(seq), scopes=writes)])
        assert await storage.recode(_anew) == 1100
        assert {row.state for row in (await storage.load(keys)).values()} == {NEW}

    async def test_what_cannot_be_changed_is_left_and_so_is_what_follows(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        users = ["ada", "bob", "cyd", "dan"]
        seqs = await accepted(storage, *users)
        turns = [turn(seq, user, state=OLD) for seq, user in zip(seqs, users, strict=True)]
        await storage.commit(fence, turns)
        changed: list[str] = []

        def twice(text: str) -> str:
            if len(changed) == 2:
                raise LookupError("no key for this text")
            changed.append(text)
            return _anew(text)

        with pytest.raises(LookupError, match="no key for this text"):
            await storage.recode(twice)
        found = await storage.load([conv(user) for user in users])
        assert sorted(row.state for row in found.values())[-2:] == [OLD, OLD]
        await storage.recode(_anew)
        found = await storage.load([conv(user) for user in users])
        assert {row.state for row in found.values()} == {NEW}

    async def test_turns_meanwhile_lose_nothing(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        other = await backend.open()
        keys = [f"contract/{number}" for number in range(150)]
        (seq,) = await accepted(storage, "ada")
        writes = [scope("ada", key=key, state='{"old": 0}') for key in keys]
        await storage.commit(fence, [replace(turn(seq), scopes=writes)])
        hot = keys[::30]

        async def turns() -> None:
            for _ in range(10):
                (cause_,) = await accepted(storage, "ada")
                found = await storage.load(hot)
                new = [
                    scope("ada", found[key].version, _counted(found[key].state), key=key)
                    for key in hot
                ]
                await asyncio.sleep(0)
                (done,) = await storage.commit(fence, [replace(turn(cause_), scopes=new)])
                assert done.outcome is Outcome.DONE

        async def coding() -> None:
            for letter in "abc":
                await other.recode(partial(_tagged, tag=letter))

        await asyncio.gather(turns(), coding())
        found = await storage.load(keys)
        assert {found[key].state.partition(" ")[2] for key in hot} == {"10}"}
        await storage.recode(partial(_tagged, tag="z"))
        found = await storage.load(keys)
        assert {row.state.partition(":")[0] for row in found.values()} == {'{"z"'}


def _counted(state: str) -> str:
    """The state with a number that is higher by 1."""
    word, _, number = state.rstrip("}").partition(":")
    return f"{word}: {int(number) + 1}}}"


def _tagged(text: str, tag: str) -> str:
    """The number in the text stays, the word before it becomes ``tag``."""
    _, colon, number = text.partition(":")
    return f'{{"{tag}"{colon}{number}' if colon else text


async def _spoken(storage: FlowStorage, fence: Fence) -> str:
    """Leaves the words in every row that may hold some. Answers the slot of what was sent."""
    done, dead, waiting = await storage.accept([cause(f"{n}", body=OLD) for n in range(3)])
    assert done is not None
    assert dead is not None
    assert waiting is not None
    await storage.note(fence, waiting, OLD)
    rows = [message(done, n=n, body=OLD) for n in range(3)]
    life = replace(
        full_turn(done),
        scopes=[scope("ada", state=OLD)],
        instances=[
            replace(instance("ada", name=name, ended=ended), result=OLD)
            for name, ended in (("i1", None), ("i2", 5))
        ],
        timers=[timer("ada", due=2_000_000_000_000, body=OLD)],
        outbox=rows,
    )
    letter = DeadLetter(conv=conv("ada"), origin="inbox", body=OLD, error=OLD, tries=5, at=9)
    await storage.commit(fence, [life, TurnCommit(cause=dead, part=part("ada"), dead=letter)])
    refused = replace(sent(rows[1]), state="dead", slot=None, ref=None, error=OLD)
    await storage.sent(fence, [sent(rows[0], ref=OLD), refused])
    return str(rows[0].slot)


async def _texts(storage: FlowStorage, fence: Fence, slot: str) -> list[str]:
    """All of them, as they are handed out."""
    found = [row.state for row in (await storage.load([conv("ada")])).values()]
    found += (await storage.refs(conv("ada"), [slot])).values()
    for row in await pending(storage, fence):
        found += [row.body, str(row.notes)]
    found += [row.body for row in await storage.outgoing(fence, NOWHERE, 100)]
    for query, column in (
        (Query(what="instances"), "result"),
        (Query(what="timers"), "body"),
        (Query(what="dead_letters"), "body"),
        (Query(what="dead_letters"), "error"),
    ):
        found += [str(row[column]) for row in (await storage.inspect(query)).rows]
    # a cause has notes, too, and a dead letter an error
    assert len(found) == HOLDERS.total() + HOLDERS["cause"] + HOLDERS["dead"]
    return found


async def _rest(storage: FlowStorage) -> list[Any]:
    """What is listed, without the texts, and the version of the scope."""
    found: list[Any] = [
        (row.version, row.cause) for row in (await storage.load([conv("ada")])).values()
    ]
    for query in LISTINGS:
        page = await storage.inspect(query)
        found += [{**row, "result": "", "body": "", "notes": "", "error": ""} for row in page.rows]
    return found
