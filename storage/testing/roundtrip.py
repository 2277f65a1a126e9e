"""What goes in comes out; what cannot be read says so; handles open, close and wake."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from flows.errors import BadRow, CorruptState, StorageDown
from flows.ports import FlowStorage, Outcome
from storage.testing.backend import Ability, Backend, Contract
from storage.testing.rows import accepted, cause, conv, pending, scope, turn

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


class RoundTripContract(Contract):
    """Texts, names, limits, and the handle itself."""

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
        keys = ["contract/k", "contract/K", "contract/k ", "contract/ḱ", "contract/k\u0301"]
        (seq,) = await accepted(storage, "ada")
        writes = [scope("ada", key=key, state=f"{place}") for place, key in enumerate(keys)]
        (done,) = await storage.commit(fence, [replace(turn(seq), scopes=writes)])
        assert done.outcome is Outcome.DONE
        found = await storage.load(keys)
        assert [found[key].state for key in keys] == ["0", "1", "2", "3", "4"]

    async def test_ids_differ_by_case(self, backend: Backend) -> None:
        storage = await backend.open()
        assert None not in await storage.accept([cause("a"), cause("A"), cause("a ")])

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

    async def test_a_body_beyond_the_limit_is_refused(self, backend: Backend) -> None:
        storage = await backend.open()
        largest = cause("1", body="9" * backend.limits.body_bytes)
        assert None not in await storage.accept([largest])
        with pytest.raises(BadRow):
            await storage.accept([replace(largest, ext="2", body=largest.body + "9")])

    async def test_a_name_too_long_for_an_index_is_refused(self, backend: Backend) -> None:
        storage = await backend.open()
        with pytest.raises(BadRow):
            await storage.accept([cause("1" * 192)])

    async def test_calls_on_a_closed_handle_say_so(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.close()
        with pytest.raises(StorageDown):
            await storage.load([conv("ada")])

    async def test_close_may_be_called_twice(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.close()
        await storage.close()

    async def test_a_closed_handle_opens_again(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.accept([cause("1")])
        await storage.close()
        await storage.open()
        assert list(await storage.accept([cause("1")])) == [None]

    async def test_wakes_end_when_the_handle_closes(self, backend: Backend) -> None:
        storage = await backend.open()
        listening = asyncio.ensure_future(_listen(storage))
        await asyncio.sleep(0)
        await storage.close()
        await asyncio.wait_for(listening, 10)

    async def test_work_is_found_without_a_wake(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        other = await backend.open()
        (seq,) = await accepted(other, "ada")
        assert [row.seq for row in await pending(storage, fence)] == [seq]


async def _listen(storage: FlowStorage) -> None:
    with suppress(StorageDown):
        async for _ in storage.wakes():
            pass
