"""How often the storage is read for a turn."""

from __future__ import annotations

import pytest

from engine.testing.chat import Chat
from flows import Flow, FlowBuilder, Text
from storage import MemoryStorage
from tests.faults import Fragile
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


def asking(name: str) -> Flow[One, Names]:
    builder = FlowBuilder(name, One, Names)
    builder.ask(One.ONLY, f"{name}?", Text(), into="first")
    return builder.build(initial=One.ONLY)


async def test_a_conversation_is_read_once_however_many_flows_there_are() -> None:
    """Lesson 17: one read for a conversation, not one for each flow."""
    counted = Fragile(MemoryStorage())
    app = app_of(*(asking(f"flow{number}") for number in range(10)))
    async with Chat(app, storage=counted.storage) as chat:
        await chat.say("/flow1")
        await chat.say("/flow2")
        await chat.say("a")
        await chat.say("b")
    assert counted.calls["load"] == 1


async def test_a_restart_reads_it_once_more() -> None:
    memory = MemoryStorage()
    async with Chat(app_of(asking("one")), storage=memory) as chat:
        await chat.say("/start")
    counted = Fragile(memory)
    async with Chat(app_of(asking("one")), storage=counted.storage) as chat:
        await chat.say("a")
        await chat.say("b")
    assert counted.calls["load"] == 1
