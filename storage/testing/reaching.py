"""Who can be written to, and which messages have not gone yet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.conversation import Address, ConversationKey
from flows.ports import Fence, FlowStorage
from storage.testing.backend import Backend, Contract
from storage.testing.rows import SOURCE, accepted, message, person, scope, sent, turn


class ReachContract(Contract):
    """``private_chats`` and ``waiting``."""

    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    async def test_pages_hold_every_private_chat_once(self, backend: Backend, limit: int) -> None:
        storage, fence = await self.start(backend)
        people = ("ada", "ada-b", "bob", "eve", "3", "30", "a b/c")
        for name in people:
            await _known(storage, fence, Address(SOURCE, name), name)
        assert sorted(await _chats(storage, limit)) == sorted(people)

    async def test_groups_and_other_bots_are_passed_over(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _known(storage, fence, Address(SOURCE, "ada"), "ada")
        await _known(storage, fence, Address(SOURCE, "-100"), "ada")
        await _known(storage, fence, Address(f"{SOURCE}2", "bob"), "bob")
        await _known(storage, fence, Address("other:bot", "eve"), "eve")
        assert await _chats(storage, 100) == ["ada"]

    @pytest.mark.parametrize("limit", [1, 2, 100])
    async def test_a_chat_with_topics_comes_once(self, backend: Backend, limit: int) -> None:
        storage, fence = await self.start(backend)
        for topic in (None, "1", "2"):
            await _known(storage, fence, Address(SOURCE, "ada", topic), "ada")
        await _known(storage, fence, Address(SOURCE, "bob"), "bob")
        assert sorted(await _chats(storage, limit)) == ["ada", "bob"]

    async def test_who_was_erased_is_not_there(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        for name in ("ada", "bob"):
            await _known(storage, fence, Address(SOURCE, name), name)
        await storage.erase(person("ada"))
        assert await _chats(storage, 100) == ["bob"]

    async def test_what_was_said_and_keeps_no_state_makes_nobody_known(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.commit(fence, [replace(turn(seq), scopes=[], outbox=[message(seq)])])
        assert await _chats(storage, 100) == []

    async def test_messages_wait_until_they_are_settled(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        rows = [replace(message(seq, n=n), slot=None) for n in range(3)]
        await storage.commit(fence, [replace(turn(seq), scopes=[], outbox=rows)])
        names = [(row.conv, row.turn, row.n) for row in rows]
        assert await storage.waiting(names) == dict.fromkeys(names, 0)
        gone = replace(sent(rows[1]), ref=None, state="dead", error="blocked")
        await storage.sent(fence, [replace(sent(rows[0]), ref=None), gone])
        assert await storage.waiting(names) == {names[2]: 0}
        assert await storage.waiting(names[:2]) == {}

    async def test_messages_that_wait_tell_how_often_they_were_tried(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        row = replace(message(seq), slot=None)
        await storage.commit(fence, [replace(turn(seq), scopes=[], outbox=[row])])
        name = (row.conv, row.turn, row.n)
        for tries in (1, 2):
            await storage.sent(fence, [replace(sent(row), state="later", ref=None, due=1)])
            assert await storage.waiting([name]) == {name: tries}

    async def test_unknown_messages_do_not_wait(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        row = replace(message(seq), slot=None)
        await storage.commit(fence, [replace(turn(seq), scopes=[], outbox=[row])])
        assert await storage.waiting([]) == {}
        assert await storage.waiting([(row.conv, seq, 1), ("contract/bot/bob//bob", seq, 0)]) == {}
        await storage.erase(person("ada"))
        assert await storage.waiting([(row.conv, seq, 0)]) == {}


async def _known(storage: FlowStorage, fence: Fence, place: Address, user: str) -> None:
    """Somebody has talked with the bot there."""
    key = ConversationKey(place, user)
    (seq,) = await accepted(storage, "ada")
    row = replace(scope("ada", key=str(key)), person=key.person)
    await storage.commit(fence, [replace(turn(seq), scopes=[row])])


async def _chats(storage: FlowStorage, limit: int) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = await storage.private_chats(SOURCE, after, limit)
        found.extend(page.chats)
        after = page.next
        if after is None:
            return found
