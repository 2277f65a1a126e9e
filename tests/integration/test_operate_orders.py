"""What orders do: conversations that are started, moved, resumed and ended from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.testing import Chat
from flows import Choice, FlowBuilder, Integer, Status, Text, UnknownToken
from storage import MemoryStorage, SqlStorage
from tests.stored import at_step, store
from tests.support import Names, Three, app_of

pytestmark = pytest.mark.anyio

builder = FlowBuilder("one", Three, Names)
builder.ask(Three.FIRST, "First?", Text(), into="first")
builder.ask(Three.SECOND, "Second?", Text(), into="second")
builder.ask(Three.THIRD, "Third?", Text(), into="third")
flow = builder.build(initial=Three.FIRST)


async def test_a_flow_is_started_with_its_data() -> None:
    app = app_of(flow)
    async with Chat(app) as chat:
        await app.start("one", user="1", data={"second": "known"})
        await chat.settle()
        assert chat.replies() == ("First?",)
        assert await chat.say("Ada") == ("Second?",)


async def test_a_start_waits_its_turn_behind_what_the_person_said() -> None:
    app = app_of(flow)
    async with Chat(app) as chat:
        await chat.say("/start")
        await app.start("one", user="1")
        await chat.settle()
        assert chat.replies()[-1] == "First?"


async def test_an_instance_is_moved() -> None:
    app, storage = app_of(flow), MemoryStorage()
    async with Chat(app, storage=storage) as chat:
        await chat.say("/start")
        (row,) = (await app.running.instances(live=True)).rows
        await app.goto(row.id, Three.THIRD)
        await chat.settle()
        assert chat.replies()[-1] == "Third?"
        assert (await app.running.show(row.id)).row.step == "THIRD"


async def test_an_instance_is_ended_with_its_reason() -> None:
    reasons = []
    hooked: Any = FlowBuilder("one", Three, Names)
    hooked.ask(Three.FIRST, "First?", Text(), into="first")
    hooked.ask(Three.SECOND, "Second?", Text(), into="second")
    hooked.ask(Three.THIRD, "Third?", Text(), into="third")

    async def gone(turn: Any) -> None:
        reasons.append(turn.data.first)

    hooked.on_cancel(gone)
    app = app_of(hooked.build(initial=Three.FIRST))
    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        (row,) = (await app.running.instances(live=True)).rows
        await app.cancel(row.id, reason="on the phone")
        await chat.settle()
        shown = await app.running.show(row.id)
        assert (shown.row.status, reasons) == (Status.CANCELLED, ["Ada"])


async def test_all_of_a_conversation_is_ended() -> None:
    app = app_of(flow)
    async with Chat(app) as chat:
        await chat.say("/start")
        (row,) = (await app.running.instances(live=True)).rows
        await app.cancel_conversation(row.conv)
        await chat.settle()
        assert (await app.running.instances(live=True)).rows == ()


async def test_an_operator_answers_what_was_escalated() -> None:
    asks = FlowBuilder("asks", Three, Names)

    @asks.step(Three.FIRST, to=[Three.SECOND])
    async def first(turn: Any) -> Any:
        if turn.input is None:
            return turn.escalate("how many?", accept=Integer(ge=1))
        turn.data.count = turn.input
        return turn.next(Three.SECOND)

    asks.ask(Three.SECOND, "Second?", Text(), into="second")
    asks.ask(Three.THIRD, "Third?", Text(), into="third")
    app = app_of(asks.build(initial=Three.FIRST))
    async with Chat(app) as chat:
        await chat.say("/start")
        (row,) = (await app.running.instances(live=True)).rows
        assert row.status == "escalated"
        await app.decide(row.id, "5")
        await chat.settle()
        assert chat.replies()[-1] == "Second?"
        shown = await app.running.show(row.id)
        assert shown.instance is not None
        assert shown.instance.data["count"] == 5


async def test_an_operator_may_answer_with_the_value_of_a_button() -> None:
    asks = FlowBuilder("asks", Three, Names)

    @asks.step(Three.FIRST, to=[Three.SECOND])
    async def first(turn: Any) -> Any:
        if turn.input is None:
            return turn.escalate("let it pass?", accept=Choice([("Let it pass", "ok")]))
        turn.data.first = turn.input
        return turn.next(Three.SECOND)

    asks.ask(Three.SECOND, "Second?", Text(), into="second")
    asks.ask(Three.THIRD, "Third?", Text(), into="third")
    app = app_of(asks.build(initial=Three.FIRST))
    async with Chat(app) as chat:
        await chat.say("/start")
        (row,) = (await app.running.instances(live=True)).rows
        await app.decide(row.id, "ok")
        await chat.settle()
        assert chat.replies()[-1] == "Second?"


async def test_what_is_set_aside_ends_with_its_conversation() -> None:
    storage = MemoryStorage()
    await storage.open()
    key = await store(storage, "1", at_step("GONE"))
    app = app_of(flow)
    async with Chat(app, storage=storage) as chat:
        await app.cancel_conversation(key)
        await chat.settle()
        (row,) = (await app.running.instances()).rows
        assert (row.status, row.ended is None) == ("cancelled", False)


async def test_an_outside_event_goes_on_once_and_after_a_restart(tmp_path: Path) -> None:
    tickets = []
    pays = FlowBuilder("pays", Three, Names)

    @pays.step(Three.FIRST, to=[Three.SECOND])
    async def first(turn: Any) -> Any:
        ticket = turn.ticket()
        tickets.append(ticket)
        paid = await turn.outside(ticket, Names, prompt="Pay, please.")
        turn.data.count = paid.count
        return turn.next(Three.SECOND)

    pays.ask(Three.SECOND, "Second?", Text(), into="second")
    pays.ask(Three.THIRD, "Third?", Text(), into="third")
    app, file = app_of(pays.build(initial=Three.FIRST)), f"sqlite:///{tmp_path / 'bot.db'}"
    async with Chat(app, storage=SqlStorage(file)) as chat:
        await chat.say("/start")
    async with Chat(app, storage=SqlStorage(file)) as chat:
        await app.resume(tickets[0], Names(count=3))
        await chat.settle()
        assert chat.replies()[-1] == "Second?"
        with pytest.raises(UnknownToken):
            await app.resume(tickets[0], Names(count=3))


async def test_who_is_erased_hears_the_hooks_of_their_flows_first() -> None:
    cleaned = []
    hooked: Any = FlowBuilder("one", Three, Names)
    for step in Three:
        hooked.ask(step, f"{step.name}?", Text(), into="first")

    async def clean(turn: Any) -> None:
        cleaned.append(turn.data.first)

    hooked.on_exit(clean)
    app = app_of(hooked.build(initial=Three.FIRST))
    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        erased = await app.erase("test/1")
        assert (cleaned, erased.scopes, erased.ended, erased.unheard) == (["Ada"], 1, 1, 0)
        assert (await app.running.instances()).rows == ()
        assert await chat.say("/start") == ("FIRST?",)
