"""What goes in comes out, names that are alike are different, and what cannot be read says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.errors import BadRow, CorruptState
from flows.ports import DeadLetter, Outcome, Query, TimerDrop, TurnCommit
from storage.testing.backend import Ability, Backend, Contract
from storage.testing.rows import (
    SOURCE,
    accepted,
    cause,
    conv,
    instance,
    message,
    part,
    pending,
    scope,
    sent,
    timer,
    turn,
)

TEXTS = {
    "emoji": '"👩‍👩‍👧 🏳️"',
    "case": '"Ada aDA"',
    "trailing space": '"a  "  ',
    "key order": '{"b": 1, "a": 2}',
    "64 bits": "[9223372036854775807, -9223372036854775808]",
    "escapes": r'"\u0000 \" \\"',
    "quotes": '''"'; DROP TABLE inbox; --"''',
    "number": "12345678901234567890.125",
    "null": "null",
}

ALIKE = ("k", "K", "k ", " k", "ḱ", "k\u0301", "\uff4b", "k\u00ad")
"""Names that some collation takes for the same."""


class RoundTripContract(Contract):
    """Texts, names and limits."""

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
    async def test_a_text_comes_back_as_it_was(self, backend: Backend, text: str) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await storage.accept([cause("1", body=text)])
        assert seq is not None
        await storage.note(fence, seq, text)
        (row,) = await pending(storage, fence)
        assert (row.body, row.notes) == (text, text)
        await storage.commit(fence, [turn(seq, state=text)])
        assert (await storage.load([conv("ada")]))[conv("ada")].state == text

    async def test_keys_differ_by_case_accent_and_trailing_space(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        keys = [f"contract/{name}" for name in ALIKE]
        (seq,) = await accepted(storage, "ada")
        writes = [scope("ada", key=key, state=f"{place}") for place, key in enumerate(keys)]
        (done,) = await storage.commit(fence, [replace(turn(seq), scopes=writes)])
        assert done.outcome is Outcome.DONE
        found = await storage.load(keys)
        assert [found[key].state for key in keys] == [f"{place}" for place in range(len(keys))]

    async def test_ids_differ_by_case_accent_and_trailing_space(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        assert None not in await storage.accept([cause(name) for name in ALIKE])
        assert None not in await storage.accept([cause("1", source=name) for name in ALIKE])
        rows = await pending(storage, fence)
        assert [(row.ext, row.source) for row in rows] == [
            *((name, SOURCE) for name in ALIKE),
            *(("1", name) for name in ALIKE),
        ]

    async def test_timers_differ_by_case_accent_and_trailing_space(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        due = backend.now() + 1000
        rows = [timer("ada", due=due, name=name) for name in ALIKE]
        await storage.commit(fence, [replace(turn(seq), timers=rows)])
        (again,) = await accepted(storage, "ada")
        drop = TimerDrop(conv=conv("ada"), name=ALIKE[0])
        await storage.commit(fence, [replace(turn(again), scopes=[], timers=[drop])])
        listed = (await storage.inspect(Query(what="timers"))).rows
        assert {row["name"] for row in listed} == set(ALIKE[1:])

    async def test_slots_differ_by_case_accent_and_trailing_space(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        rows = [replace(message(seq, n=n), slot=name) for n, name in enumerate(ALIKE)]
        await storage.commit(fence, [replace(turn(seq), outbox=rows)])
        await storage.sent(fence, [sent(row, ref=f"{row.n} 👩‍👩‍👧") for row in rows])
        kept = {name: f"{n} 👩‍👩‍👧" for n, name in enumerate(ALIKE)}
        assert await storage.refs(conv("ada"), ALIKE) == kept

    async def test_chats_differ_by_case_accent_and_trailing_space(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        rows = [replace(message(seq, n=n), chat=name) for n, name in enumerate(ALIKE)]
        await storage.commit(fence, [replace(turn(seq), outbox=rows)])
        found = await storage.outgoing(fence, {ALIKE[0]}, 100)
        assert [row.chat for row in found] == list(ALIKE[1:])

    async def test_instances_differ_by_case_accent_and_trailing_space(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        rows = [instance("ada", name=name) for name in ALIKE]
        await storage.commit(fence, [replace(turn(seq), instances=rows)])
        listed = (await storage.inspect(Query(what="instances"))).rows
        assert {row["id"] for row in listed} == set(ALIKE)
        (one,) = (await storage.inspect(Query(what="instances", instance=ALIKE[1]))).rows
        assert one["id"] == ALIKE[1]

    async def test_aliases_differ_by_case_accent_and_trailing_space(self, backend: Backend) -> None:
        storage = await backend.open()
        for number, name in enumerate(ALIKE):
            await storage.alias(SOURCE, name, f"{number}")
        expected = {(SOURCE, name): f"{number}" for number, name in enumerate(ALIKE)}
        assert await storage.aliases() == expected

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
    async def test_a_text_comes_back_from_timers_messages_and_letters(
        self, backend: Backend, text: str
    ) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "ada")
        row = timer("ada", due=backend.now(), body=text)
        said = message(first, body=text)
        whole = replace(
            turn(first),
            timers=[row],
            outbox=[said],
            instances=[replace(instance("ada"), result=text)],
        )
        letter = DeadLetter(conv=conv("ada"), origin="inbox", body=text, error=text, tries=5, at=9)
        dead = TurnCommit(cause=second, part=part("ada"), dead=letter)
        await storage.commit(fence, [whole, dead])
        assert [out.body for out in await storage.outgoing(fence, (), 10)] == [text]
        await storage.sent(fence, [sent(said, ref=text)])
        assert await storage.refs(conv("ada"), [str(said.slot)]) == {said.slot: text}
        (kept,) = (await storage.inspect(Query(what="dead_letters"))).rows
        assert (kept["body"], kept["error"]) == (text, text)
        (ended,) = (await storage.inspect(Query(what="instances"))).rows
        assert ended["result"] == text
        await storage.fire(fence, 1)
        await storage.replay(kept["id"])
        assert [cause_.body for cause_ in await pending(storage, fence)] == [text, text]

    async def test_what_was_committed_outlives_the_handle(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.commit(fence, [turn(seq)])
        before = await storage.load([conv("ada")])
        other, _ = await self.succeed(backend, storage)
        assert await other.load([conv("ada")]) == before

    async def test_many_keys_are_loaded_at_once(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        keys = [f"contract/{number}" for number in range(2500)]
        (seq,) = await accepted(storage, "ada")
        whole = replace(turn(seq), scopes=[scope("ada", key=key) for key in keys])
        await storage.commit(fence, [whole])
        assert len(await storage.load(keys)) == 2500

    async def test_nothing_asked_nothing_answered(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        assert await storage.load([]) == {}
        assert list(await storage.commit(fence, [])) == []
        assert list(await storage.sent(fence, [])) == []
        assert await storage.refs(conv("ada"), []) == {}

    async def test_a_damaged_state_raises_and_is_kept(self, backend: Backend) -> None:
        self.need(backend, Ability.DAMAGE)
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.commit(fence, [turn(seq)])
        await backend.damage(conv("ada"))
        for _ in range(2):
            with pytest.raises(CorruptState) as damage:
                await storage.load([conv("ada")])
            assert damage.value.key == conv("ada")

    async def test_a_damaged_state_is_no_absent_one(self, backend: Backend) -> None:
        self.need(backend, Ability.DAMAGE)
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "ada")
        await storage.commit(fence, [turn(first)])
        await backend.damage(conv("ada"))
        (late,) = await storage.commit(fence, [turn(second, state='"new"')])
        assert late.outcome is Outcome.CONFLICT
        with pytest.raises(CorruptState):
            await storage.load([conv("ada")])

    async def test_a_damaged_state_hides_no_other(self, backend: Backend) -> None:
        self.need(backend, Ability.DAMAGE)
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "bob")
        await storage.commit(fence, [turn(first), turn(second, "bob")])
        await backend.damage(conv("ada"))
        assert list(await storage.load([conv("bob")])) == [conv("bob")]
        assert len((await storage.inspect(Query(what="inbox"))).rows) == 0

    async def test_a_body_beyond_the_limit_is_refused(self, backend: Backend) -> None:
        storage = await backend.open()
        largest = cause("1", body="9" * backend.limits.body_bytes)
        assert None not in await storage.accept([largest])
        with pytest.raises(BadRow):
            await storage.accept([replace(largest, ext="2", body=largest.body + "9")])

    @pytest.mark.parametrize("letter", ["n", "é", "👩"])
    async def test_a_name_may_be_as_long_as_an_index_takes(
        self, backend: Backend, letter: str
    ) -> None:
        storage, fence = await self.start(backend)
        longest = letter * 191
        (seq,) = await storage.accept([replace(cause(longest), source=longest, conv=longest)])
        assert seq is not None
        write = scope("ada", key=longest)
        row = replace(message(seq), conv=longest, chat=longest, slot=longest)
        whole = replace(turn(seq), scopes=[write], outbox=[row])
        (done,) = await storage.commit(fence, [whole])
        assert done.outcome is Outcome.DONE
        await storage.sent(fence, [sent(row)])
        assert list(await storage.load([longest])) == [longest]
        assert await storage.refs(longest, [longest]) == {longest: "77"}

    @pytest.mark.parametrize("letter", ["n", "é", "👩"])
    async def test_a_name_that_is_longer_is_refused(self, backend: Backend, letter: str) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        longer = letter * 192
        with pytest.raises(BadRow):
            await storage.accept([cause(longer)])
        for spoiled in (
            replace(turn(seq), scopes=[scope("ada", key=longer)]),
            replace(turn(seq), outbox=[replace(message(seq), slot=longer)]),
            replace(turn(seq), timers=[timer("ada", due=1, name=longer)]),
            replace(turn(seq), instances=[instance("ada", name=longer)]),
        ):
            with pytest.raises(BadRow):
                await storage.commit(fence, [spoiled])

    @pytest.mark.parametrize("at", [(1 << 63) - 1, -(1 << 63)])
    async def test_the_largest_numbers_come_back(self, backend: Backend, at: int) -> None:
        storage, fence = await self.start(backend)
        await storage.accept([replace(cause("1"), at=at)])
        assert [row.at for row in await pending(storage, fence)] == [at]

    async def test_a_message_beyond_the_limit_is_refused(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        # Counted in bytes: in characters it would fit.
        largest = "é" * (backend.limits.body_bytes // 2)
        row = message(seq, body=largest)
        larger = replace(turn(seq), outbox=[replace(row, body=largest + "é")])
        with pytest.raises(BadRow):
            await storage.commit(fence, [larger])
        await storage.commit(fence, [replace(turn(seq), outbox=[row])])
        assert [out.body for out in await storage.outgoing(fence, (), 10)] == [largest]
