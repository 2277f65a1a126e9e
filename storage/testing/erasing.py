"""A person is removed from everywhere, and nobody else is touched."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from flows.ports import (
    DeadLetter,
    Fence,
    FlowStorage,
    Outcome,
    Query,
    ScopeWrite,
    TurnCommit,
)
from storage.testing.backend import Ability, Backend, Contract
from storage.testing.rows import (
    LISTINGS,
    NOWHERE,
    accepted,
    cause,
    conv,
    full_turn,
    instance,
    line,
    message,
    move,
    part,
    pending,
    person,
    scope,
    sent,
    timer,
    turn,
)

CANARY = "canary-4f1c"


class EraseContract(Contract):
    """``erase``."""

    async def test_a_person_is_gone_from_every_listing(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _live(storage, fence, "ada")
        assert await storage.erase(person("ada")) == 1
        assert await storage.load([conv("ada")]) == {}
        assert list(await pending(storage, fence)) == []
        assert list(await storage.outgoing(fence, NOWHERE, 100)) == []
        assert await storage.fire(fence, 100) == ([], None)
        assert await _listed(storage) == []
        assert list(await storage.lines(conv("ada"), "chat", after=0, limit=9)) == []

    async def test_that_somebody_is_a_recipient_goes_with_them_and_is_no_conversation(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        recipient = ScopeWrite("broadcast/b1/0//b1.0", part("ada"), None, "{}", person("ada"))
        written = replace(turn(seq, "ada"), scopes=[scope("ada"), recipient])
        await storage.commit(fence, [written])
        assert await storage.load([recipient.key]) != {}
        assert await storage.erase(person("ada")) == 1
        assert await storage.load([recipient.key]) == {}

    async def test_nobody_else_is_touched(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await _live(storage, fence, "bob")
        before = (await _listed(storage), await storage.load([conv("bob")]))
        await storage.erase(person("bo"))
        await storage.erase(person("BOB"))
        await storage.erase("other/bob")
        assert (await _listed(storage), await storage.load([conv("bob")])) == before

    async def test_all_scopes_of_the_person_are_found(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        own = scope("ada", key="contract//ada")
        await storage.commit(
            fence, [TurnCommit(cause=seq, part=part("ada"), scopes=[scope("ada"), own])]
        )
        assert await storage.erase(person("ada")) == 2
        assert await storage.load([conv("ada"), own.key]) == {}

    async def test_a_person_stays_known_when_a_turn_does_not_name_them(
        self, backend: Backend
    ) -> None:
        storage, fence = await self.start(backend)
        first, second = await accepted(storage, "ada", "ada")
        key = "contract//ada"
        whole = TurnCommit(cause=first, part=part("ada"), scopes=[scope("ada", key=key)])
        (done,) = await storage.commit(fence, [whole])
        unnamed = replace(scope("ada", done.versions[0], key=key), person=None)
        await storage.commit(fence, [replace(whole, cause=second, scopes=[unnamed])])
        assert await storage.erase(person("ada")) == 1

    async def test_who_has_no_scope_yet_is_erased_too(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        await accepted(storage, "ada")
        assert await storage.erase(person("ada")) == 0
        assert list(await pending(storage, fence)) == []

    async def test_a_turn_in_flight_is_gone(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        await storage.erase(person("ada"))
        (late,) = await storage.commit(fence, [full_turn(seq)])
        assert late.outcome is Outcome.GONE
        assert await storage.load([conv("ada")]) == {}

    async def test_a_message_in_flight_is_gone(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        row = message(seq)
        await storage.commit(fence, [replace(turn(seq), outbox=[row])])
        await storage.erase(person("ada"))
        assert list(await storage.sent(fence, [sent(row)])) == [Outcome.GONE]
        assert await storage.refs(conv("ada"), [str(row.slot)]) == {}

    async def test_messages_of_others_to_their_private_chat_go_too(self, backend: Backend) -> None:
        storage, fence = await self.start(backend)
        (seq,) = await accepted(storage, "ada")
        news = replace(message(seq), conv="newsletter")
        await storage.commit(fence, [replace(turn(seq), outbox=[news])])
        await storage.erase(person("ada"))
        assert list(await storage.outgoing(fence, NOWHERE, 100)) == []

    async def test_a_number_is_not_given_out_again(self, backend: Backend) -> None:
        storage = await backend.open()
        (erased,) = await accepted(storage, "ada")
        await storage.erase(person("ada"))
        (new,) = await accepted(storage, "bob")
        assert new > erased

    async def test_no_trace_is_left_anywhere(self, backend: Backend) -> None:
        self.need(backend, Ability.TRACES)
        storage, fence = await self.start(backend)
        await _live(storage, fence, CANARY)
        assert await backend.traces(CANARY)
        await storage.erase(person(CANARY))
        assert list(await backend.traces(CANARY)) == []

    async def test_no_trace_is_left_of_what_was_replaced(self, backend: Backend) -> None:
        self.need(backend, Ability.TRACES)
        storage, fence = await self.start(backend)
        await _live(storage, fence, CANARY)
        for letter in (await storage.inspect(Query(what="dead_letters"))).rows:
            await storage.replay(letter["id"])
        await storage.recode(lambda text: text.replace("words", "better words"))
        await storage.sweep(backend.now() + 1, 1000)
        await storage.erase(person(CANARY))
        assert list(await backend.traces(CANARY)) == []

    async def test_nothing_that_was_said_is_logged(
        self, backend: Backend, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        storage, fence = await self.start(backend)
        await _live(storage, fence, CANARY)
        await storage.erase(person(CANARY))
        assert f"the words of {CANARY}" not in caplog.text

    async def test_no_trace_is_left_of_a_long_life(self, backend: Backend) -> None:
        self.need(backend, Ability.TRACES)
        storage, fence = await self.start(backend)
        version = None
        for length in (10, 9000, 40, 20_000, 5):
            (seq,) = await accepted(storage, CANARY)
            state = f'"{CANARY * length}"'
            (done,) = await storage.commit(fence, [turn(seq, CANARY, version, state)])
            (version,) = done.versions
        await storage.erase(person(CANARY))
        assert list(await backend.traces(CANARY)) == []


async def _live(storage: FlowStorage, fence: Fence, user: str) -> None:
    """Leaves rows of the person in every table, the words in them included."""
    words = f'"the words of {user}"'
    (done, waiting, dead) = await storage.accept(
        [cause(f"{user}-{n}", user, body=words) for n in range(3)]
    )
    assert done is not None
    assert waiting is not None
    assert dead is not None
    await storage.note(fence, waiting, words)
    first, second = message(done, user, body=words), message(done, user, n=1, body=words)
    third = message(done, user, n=2, body=words)
    life = replace(
        full_turn(done, user),
        scopes=[scope(user, state=words)],
        instances=[
            replace(instance(user), result=words),
            instance(user, name="i2", ended=5),
        ],
        timers=[timer(user, due=2_000_000_000_000, body=words)],
        outbox=[first, second, third],
        transitions=[move(done, user)],
    )
    letter = DeadLetter(conv=conv(user), origin="inbox", body=words, error=words, tries=5, at=9)
    await storage.commit(fence, [life, TurnCommit(cause=dead, part=part(user), dead=letter)])
    await storage.record([line("1", user, body=words), line("2", user, track="x", body=words)])
    refused = replace(sent(second), state="dead", slot=None, ref=None, error=words)
    await storage.sent(fence, [sent(first, ref=words), refused])


async def _listed(storage: FlowStorage) -> list[object]:
    found: list[object] = []
    for query in LISTINGS:
        found.extend((await storage.inspect(query)).rows)
    return found
