"""The audit: what operators do is kept under their name, before it is done."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine import Operator
from engine.testing import Chat
from flows import (
    Choice,
    FlowBuilder,
    Integer,
    NotWaiting,
    Text,
    UnknownDeadLetter,
    UnknownStep,
)
from storage import MemoryStorage
from tests.stored import at_step, escalated, key_of, store
from tests.support import Names, Three, app_of

pytestmark = pytest.mark.anyio

builder = FlowBuilder("one", Three, Names)
builder.ask(Three.FIRST, "First?", Text(), into="first")
builder.ask(Three.SECOND, "Second?", Text(), into="second")
builder.ask(Three.THIRD, "Third?", Text(), into="third")
app = app_of(builder.build(initial=Three.FIRST))


@pytest.fixture
async def storage() -> AsyncIterator[MemoryStorage]:
    made = MemoryStorage()
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def eve(storage: MemoryStorage) -> Operator:
    return Operator(storage, app._bot).on_behalf_of("eve")


async def entries(operator: Operator) -> list[tuple[str, str, str, str]]:
    rows = (await operator.audit()).rows
    return [(row.who, row.what, row.target, row.detail) for row in rows]


async def test_orders_are_kept_with_who_gave_them(storage: MemoryStorage, eve: Operator) -> None:
    key = await store(storage, "7", at_step("FIRST", first="", second="", third=""))
    await eve.goto("a-0", "THIRD")
    await eve.repeat("a-0")
    await eve.cancel("a-0", "asked on the phone")
    assert await entries(eve) == [
        ("eve", "cancel", "a-0", "asked on the phone"),
        ("eve", "repeat", "a-0", ""),
        ("eve", "goto", "a-0", "THIRD"),
    ]
    assert {row.conv for row in (await eve.audit(conversation=key)).rows} == {key}


async def test_what_is_refused_is_not_kept(storage: MemoryStorage, eve: Operator) -> None:
    await store(storage, "7", at_step("FIRST"))
    with pytest.raises(UnknownStep):
        await eve.goto("a-0", "NOWHERE")
    with pytest.raises(NotWaiting):
        await eve.decide("a-0", 1)
    with pytest.raises(UnknownDeadLetter):
        await eve.replay(1)
    assert await entries(eve) == []


async def test_what_a_program_does_is_not_kept(storage: MemoryStorage, eve: Operator) -> None:
    await store(storage, "7", at_step("FIRST"))
    await Operator(storage, app._bot).cancel("a-0")
    assert await entries(eve) == []


async def test_a_choice_is_kept_and_what_was_written_freely_is_not(
    storage: MemoryStorage, eve: Operator
) -> None:
    choice = Choice(["approve", "reject"]).to_json()
    await store(storage, "7", escalated("FIRST", choice))
    await store(storage, "8", escalated("FIRST", Integer().to_json(), id="b-0"))
    await eve.decide("a-0", "approve")
    await eve.decide("b-0", 4242)
    assert await entries(eve) == [
        ("eve", "decide", "b-0", ""),
        ("eve", "decide", "a-0", "approve"),
    ]


async def test_who_was_erased_is_not_named(storage: MemoryStorage, eve: Operator) -> None:
    await store(storage, "7", at_step("FIRST"))
    await eve.goto("a-0", "THIRD")
    await eve.erase(key_of("7").person, patience=0)
    assert await entries(eve) == [("eve", "erase", "erased", ""), ("eve", "goto", "erased", "")]


async def test_the_question_is_asked_again_and_takes_the_answer() -> None:
    async with Chat(app) as chat:
        await chat.say("/start")
        (row,) = (await app.running.instances()).rows
        await app.repeat(row.id)
        await chat.settle()
        assert chat.replies()[-1] == "First?"
        assert await chat.say("Ada") == ("Second?",)


async def test_an_instance_that_waits_for_an_operator_asks_nothing_again(
    storage: MemoryStorage, eve: Operator
) -> None:
    await store(storage, "7", escalated("FIRST"))
    with pytest.raises(NotWaiting, match="it waits for an operator"):
        await eve.repeat("a-0")


async def test_traffic_is_what_has_not_arrived(storage: MemoryStorage, eve: Operator) -> None:
    key = await store(storage, "7", at_step("FIRST"))
    await eve.goto("a-0", "THIRD")
    traffic = await eve.traffic(key)
    assert traffic.unsent == ()
    assert [one.kind for one in traffic.unhandled] == ["order"]
