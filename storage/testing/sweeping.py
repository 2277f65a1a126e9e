"""What has ended is swept after its time; dead letters go back once."""

from __future__ import annotations

from dataclasses import replace

from flows.ports import DeadLetter, Fence, FlowStorage, Outcome, Query, TurnCommit
from storage.testing.backend import Backend, Contract
from storage.testing.rows import (
    NOWHERE,
    accepted,
    cause,
    conv,
    full_turn,
    instance,
    message,
    move,
    part,
    pending,
    sent,
    turn,
)

DAY = 86_400_000


class SweepContract(Contract):
    """``sweep`` and ``replay``."""

    async def test_ended_rows_of_every_table_are_removed(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        row = await _end(storage, fence, ended=backend.now())
        backend.advance(DAY)
        swept = await storage.sweep(backend.now(), 100)
        removed = {table for table, count in swept.rows.items() if count}
        assert removed == {"inbox", "outbox", "messages", "transitions", "instances"}
        assert await storage.refs(conv("ada"), [row]) == {}
        assert (await storage.inspect(Query(what="instances"))).rows == []
        assert (await storage.inspect(Query(what="transitions"))).rows == []

    async def test_what_ended_later_is_kept(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        before = backend.now()
        backend.advance(1)
        row = await _end(storage, fence, ended=backend.now(), at=backend.now())
        backend.advance(DAY)
        swept = await storage.sweep(before, 100)
        assert not any(swept.rows.values())
        assert await storage.refs(conv("ada"), [row]) == {row: "77"}

    async def test_a_live_instance_keeps_its_log_and_its_references(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        row = await _end(storage, fence, ended=None)
        backend.advance(DAY)
        await storage.sweep(backend.now(), 100)
        assert await storage.refs(conv("ada"), [row]) == {row: "77"}
        assert len((await storage.inspect(Query(what="instances"))).rows) == 1
        assert len((await storage.inspect(Query(what="transitions"))).rows) == 1

    async def test_undone_rows_are_never_swept(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "bob")
        await storage.commit(fence, [full_turn(first)])
        backend.advance(365 * DAY)
        await storage.sweep(backend.now(), 100)
        assert [row.seq for row in await pending(storage, fence)] == [second]
        assert len(await storage.outgoing(fence, NOWHERE, 100)) == 1
        assert await storage.load([conv("ada")]) != {}
        fired, seconds = await storage.fire(fence, 0)
        assert (fired, seconds is None) == ([], False)

    async def test_the_limit_holds_for_each_table(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        users = ["ada", "bob", "cyd"]
        seqs = await accepted(storage, *users)
        turns = [turn(seq, user) for seq, user in zip(seqs, users, strict=True)]
        await storage.commit(fence, turns)
        backend.advance(1)
        assert (await storage.sweep(backend.now(), 2)).rows["inbox"] == 2
        assert (await storage.sweep(backend.now(), 2)).rows["inbox"] == 1

    async def test_a_dead_cause_runs_again_once(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        letter = await _give_up(storage, fence)
        seq = await storage.replay(letter)
        (row,) = await pending(storage, fence)
        assert (row.seq, row.body, row.conv) == (seq, '"hi"', conv("ada"))
        assert (row.kind, row.part, row.tries) == ("text", part("ada"), 1)
        assert await storage.replay(letter) is None
        assert len(await pending(storage, fence)) == 1

    async def test_a_dead_cause_runs_again_after_the_sweep(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        letter = await _give_up(storage, fence)
        backend.advance(DAY)
        await storage.sweep(backend.now(), 100)
        assert await storage.replay(letter) is not None
        assert [row.body for row in await pending(storage, fence)] == ['"hi"']

    async def test_a_cause_that_dies_again_is_another_letter(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        letter = await _give_up(storage, fence)
        seq = await storage.replay(letter)
        assert seq is not None
        again = await _bury(storage, fence, seq)
        assert again != letter
        assert await storage.replay(letter) is None
        assert await storage.replay(again) is not None

    async def test_a_dead_message_is_sent_again_once(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        row = message(seq)
        await storage.commit(fence, [replace(turn(seq), outbox=[row])])
        gone = replace(sent(row), state="dead", slot=None, ref=None, error="blocked")
        await storage.sent(fence, [gone])
        (letter,) = (await storage.inspect(Query(what="dead_letters"))).rows
        assert await storage.replay(letter["id"]) == seq
        (out,) = await storage.outgoing(fence, NOWHERE, 100)
        assert (out.body, out.slot, out.tries) == (row.body, row.slot, 0)
        assert await storage.replay(letter["id"]) is None
        assert list(await storage.sent(fence, [sent(row)])) == [Outcome.DONE]

    async def test_an_unknown_letter_is_none(self, backend: Backend) -> None:
        storage = await backend.open()
        assert await storage.replay(4711) is None


async def _end(storage: FlowStorage, fence: Fence, *, ended: int | None, at: int = 5) -> str:
    """A conversation of one turn whose message has arrived; the slot of that message."""
    (seq,) = await accepted(storage, "ada")
    row = message(seq)
    whole = replace(
        turn(seq),
        instances=[instance("ada", ended=ended)],
        transitions=[move(seq, "ada", at=at)],
        outbox=[row],
    )
    await storage.commit(fence, [whole])
    await storage.sent(fence, [sent(row)])
    return str(row.slot)


async def _give_up(storage: FlowStorage, fence: Fence) -> int:
    (seq,) = await storage.accept([cause("kills")])
    assert seq is not None
    return await _bury(storage, fence, seq)


async def _bury(storage: FlowStorage, fence: Fence, seq: int) -> int:
    """Makes a cause a dead letter and answers its id."""
    letter = DeadLetter(
        conv=conv("ada"), origin="inbox", body='"hi"', error="it kills", tries=5, at=9
    )
    whole = TurnCommit(cause=seq, part=part("ada"), dead=letter)
    (done,) = await storage.commit(fence, [whole])
    assert done.outcome is Outcome.DONE
    (row,) = (await storage.inspect(Query(what="dead_letters"))).rows
    return int(row["id"])
