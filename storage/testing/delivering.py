"""The outbox: in order per chat, each message settled once; and aliases of chats."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.errors import BadRow
from flows.ports import Fence, FlowStorage, OutboxRow, Outcome, Query, SendResult
from storage.testing.backend import TTL, Backend, Contract
from storage.testing.rows import (
    NOWHERE,
    SOURCE,
    accepted,
    address,
    cause,
    conv,
    message,
    part,
    pending,
    sent,
    timer,
    turn,
)


def _later(row: OutboxRow, due: int) -> SendResult:
    return replace(sent(row), state="later", slot=None, ref=None, due=due)


def _dead(row: OutboxRow, *, ext: str = "failed") -> SendResult:
    return replace(sent(row), state="dead", slot=None, ref=None, error="blocked", inform=cause(ext))


class OutboxContract(Contract):
    """``outgoing``, ``sent``, ``refs``, ``alias`` and ``aliases``."""

    async def test_a_message_is_handed_out_as_it_was_written(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (row,) = await _say(storage, fence, "ada", '"hello"')
        (out,) = await storage.outgoing(fence, NOWHERE, 100)
        assert (out.part, out.chat, out.conv) == (row.part, row.chat, row.conv)
        assert (out.turn, out.n, out.slot, out.body) == (row.turn, row.n, row.slot, '"hello"')
        assert out.tries == 0

    async def test_only_the_oldest_of_a_chat_is_handed_out(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await _say(storage, fence, "ada", '"1"', '"2"')
        assert await _bodies(storage, fence) == ['"1"']
        await storage.sent(fence, [sent(first)])
        assert await _bodies(storage, fence) == ['"2"']
        await storage.sent(fence, [sent(second)])
        assert await _bodies(storage, fence) == []

    async def test_order_holds_across_the_conversations_of_a_chat(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (first,) = await _say(storage, fence, "ada", '"1"')
        (seq,) = await accepted(storage, "ada")
        row = replace(message(seq, body='"2"'), conv="contract/bot/ada//bob")
        await storage.commit(fence, [replace(turn(seq), scopes=[], outbox=[row])])
        assert await _bodies(storage, fence) == ['"1"']
        await storage.sent(fence, [sent(first)])
        assert await _bodies(storage, fence) == ['"2"']

    async def test_order_holds_across_a_takeover(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, _ = await _say(storage, fence, "ada", '"1"', '"2"')
        other, successor = await self.succeed(backend, storage)
        assert await _bodies(other, successor) == ['"1"']
        await other.sent(successor, [sent(first)])
        assert await _bodies(other, successor) == ['"2"']

    async def test_chats_do_not_wait_for_each_other(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _say(storage, fence, "ada", '"a"')
        await _say(storage, fence, "bob", '"b"')
        assert await _bodies(storage, fence) == ['"a"', '"b"']
        assert await _bodies(storage, fence, limit=1) == ['"a"']

    async def test_a_skipped_chat_is_left_out(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _say(storage, fence, "ada", '"a1"', '"a2"')
        await _say(storage, fence, "bob", '"b"')
        found = await storage.outgoing(fence, {str(address("ada"))}, 1)
        assert [row.body for row in found] == ['"b"']

    async def test_a_message_for_later_holds_its_chat_until_then(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, _ = await _say(storage, fence, "ada", '"a1"', '"a2"')
        await _say(storage, fence, "bob", '"b"')
        await storage.sent(fence, [_later(first, backend.now() + 1000)])
        assert await _bodies(storage, fence) == ['"b"']
        backend.advance(999)
        assert await _bodies(storage, fence) == ['"b"']
        backend.advance(1)
        found = await storage.outgoing(fence, NOWHERE, 100)
        assert [(row.body, row.tries) for row in found] == [('"a1"', 1), ('"b"', 0)]

    async def test_a_dead_message_unblocks_its_chat_and_informs(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, _ = await _say(storage, fence, "ada", '"1"', '"2"')
        assert list(await storage.sent(fence, [_dead(first)])) == [Outcome.DONE]
        assert await _bodies(storage, fence) == ['"2"']
        assert [row.ext for row in await pending(storage, fence)] == ["failed"]
        (letter,) = (await storage.inspect(Query(what="dead_letters"))).rows
        assert (letter["origin"], letter["body"], letter["error"]) == ("outbox", '"1"', "blocked")

    async def test_a_second_result_is_gone_and_changes_nothing(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (row,) = await _say(storage, fence, "ada", '"1"')
        await storage.sent(fence, [sent(row, ref="77")])
        again = [sent(row, ref="99"), _later(row, 5), _dead(row)]
        assert list(await storage.sent(fence, again)) == [Outcome.GONE] * 3
        assert await storage.refs(row.conv, [str(row.slot)]) == {row.slot: "77"}
        assert list(await pending(storage, fence)) == []

    async def test_the_same_result_twice_in_a_page_counts_once(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (row,) = await _say(storage, fence, "ada", '"1"')
        answer = await storage.sent(fence, [sent(row), sent(row)])
        assert list(answer) == [Outcome.DONE, Outcome.GONE]

    async def test_a_result_of_an_unknown_message_is_gone(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        assert list(await storage.sent(fence, [sent(message(4711))])) == [Outcome.GONE]

    async def test_a_result_that_cannot_be_stored_refuses_the_page(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await _say(storage, fence, "ada", '"1"', '"2"')
        with pytest.raises(BadRow) as refusal:
            await storage.sent(fence, [sent(first), sent(second, ref="\0")])
        assert refusal.value.index == 1
        assert await _bodies(storage, fence) == ['"1"']

    async def test_the_reference_is_there_before_the_next_message_goes(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        first, _ = await _say(storage, fence, "ada", '"1"', '"edit of 1"')
        await storage.sent(fence, [sent(first, ref="77")])
        assert await _bodies(storage, fence) == ['"edit of 1"']
        assert await storage.refs(conv("ada"), [str(first.slot), "unknown"]) == {first.slot: "77"}

    async def test_references_belong_to_their_conversation(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (row,) = await _say(storage, fence, "ada", '"1"')
        await storage.sent(fence, [sent(row)])
        assert await storage.refs(conv("bob"), [str(row.slot)]) == {}

    async def test_order_holds_across_conversations_and_a_takeover(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        rows = []
        for number, talker in enumerate([conv("ada"), "contract/bot/ada//bob", "newsletter"] * 2):
            (seq,) = await accepted(storage, "ada")
            row = replace(message(seq, body=f'"{number}"'), conv=talker)
            await storage.commit(fence, [replace(turn(seq), scopes=[], outbox=[row])])
            rows.append(row)
        for number, row in enumerate(rows):
            if number == 3:
                storage, fence = await self.succeed(backend, storage)
            assert await _bodies(storage, fence) == [f'"{number}"']
            await storage.sent(fence, [sent(row)])
        assert await _bodies(storage, fence) == []

    async def test_a_message_for_later_keeps_its_place_in_a_takeover(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        first, _ = await _say(storage, fence, "ada", '"1"', '"2"')
        await storage.sent(fence, [_later(first, backend.now() + 10 * TTL)])
        other, successor = await self.succeed(backend, storage)
        assert await _bodies(other, successor) == []
        backend.advance(10 * TTL)
        assert await _bodies(other, successor) == ['"1"']

    async def test_a_message_for_later_may_be_put_off_again(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (row,) = await _say(storage, fence, "ada", '"1"')
        for tries in range(1, 4):
            await storage.sent(fence, [_later(row, backend.now() + 10)])
            assert await _bodies(storage, fence) == []
            backend.advance(10)
            assert [out.tries for out in await storage.outgoing(fence, NOWHERE, 1)] == [tries]
        assert list(await storage.sent(fence, [sent(row)])) == [Outcome.DONE]

    async def test_a_dead_message_informs_once(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await _say(storage, fence, "ada", '"1"', '"2"')
        await storage.sent(fence, [_dead(first)])
        # The same row, as after an answer that was lost and a restart: it is a duplicate.
        assert list(await storage.sent(fence, [_dead(second)])) == [Outcome.DONE]
        assert [row.ext for row in await pending(storage, fence)] == ["failed"]

    async def test_each_owner_delivers_its_own(self, backend: Backend) -> None:
        (first, one), (second, two) = await self.pair(backend)
        users = [f"user{number}" for number in range(12)]
        for user in users:
            storage, fence = (first, one) if part(user) in one.epochs else (second, two)
            await _say(storage, fence, user, f'"{user}"')
        mine, others = await _bodies(first, one), await _bodies(second, two)
        assert sorted(mine + others) == sorted(f'"{user}"' for user in users)
        foreign = await second.outgoing(two, NOWHERE, 100)
        results = [
            SendResult(conv=row.conv, turn=row.turn, n=row.n, state="sent") for row in foreign
        ]
        assert set(await first.sent(one, results)) == {Outcome.FENCED}
        assert await _bodies(second, two) == others

    async def test_a_slot_that_is_sent_again_has_the_new_reference(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (old,) = await _say(storage, fence, "ada", '"1"')
        await storage.sent(fence, [sent(old, ref="77")])
        (seq,) = await accepted(storage, "ada")
        new = replace(message(seq), slot=old.slot)
        await storage.commit(fence, [replace(turn(seq), scopes=[], outbox=[new])])
        await storage.sent(fence, [sent(new, ref="99")])
        assert await storage.refs(conv("ada"), [str(old.slot)]) == {old.slot: "99"}

    async def test_an_alias_is_remembered_and_may_change(self, backend: Backend) -> None:
        storage = await backend.open()
        await storage.alias(SOURCE, "-1001", "-5")
        await storage.alias("contract:other", "-1001", "-6")
        await storage.alias(SOURCE, "-1001", "-7")
        assert await (await backend.open()).aliases() == {
            (SOURCE, "-1001"): "-7",
            ("contract:other", "-1001"): "-6",
        }

    async def test_an_alias_moves_nothing_that_is_under_way(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        row = timer("ada", due=backend.now() + 1000)
        said = message(seq)
        await storage.commit(fence, [replace(turn(seq), timers=[row], outbox=[said])])
        (waiting,) = await accepted(storage, "ada")
        await storage.alias(SOURCE, "-1001", "ada")
        backend.advance(1000)
        (fired,), _ = await storage.fire(fence, 100)
        undone = await pending(storage, fence)
        assert [(row.seq, row.conv) for row in undone] == [
            (waiting, conv("ada")),
            (fired, conv("ada")),
        ]
        (out,) = await storage.outgoing(fence, NOWHERE, 100)
        assert out.chat == said.chat


async def _say(storage: FlowStorage, fence: Fence, user: str, *bodies: str) -> list[OutboxRow]:
    """A turn that says something; the rows of its messages."""
    (seq,) = await accepted(storage, user)
    rows = [message(seq, user, n=n, body=body) for n, body in enumerate(bodies)]
    (done,) = await storage.commit(fence, [replace(turn(seq, user), scopes=[], outbox=rows)])
    assert done.outcome is Outcome.DONE
    return rows


async def _bodies(storage: FlowStorage, fence: Fence, limit: int = 100) -> list[str]:
    return [row.body for row in await storage.outgoing(fence, NOWHERE, limit)]
