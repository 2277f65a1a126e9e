"""A group becomes a supergroup: its conversations go on under the new id."""

from __future__ import annotations

import pytest

from engine.testing.chat import Chat, TestChannel
from flows import Flow, FlowBuilder, Text
from flows.errors import ChatMoved
from flows.ports import Delivery
from flows.updates import ChatMigrated
from storage import MemoryStorage
from tests.support import Names, Three, app_of

pytestmark = pytest.mark.anyio


def three() -> Flow[Three, Names]:
    builder = FlowBuilder("three", Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")
    builder.ask(Three.SECOND, "Second?", Text(), into="second")
    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    return builder.build(initial=Three.FIRST)


async def test_a_service_message_moves_the_conversations_of_the_chat() -> None:
    storage = MemoryStorage()
    async with Chat(app_of(three()), storage=storage) as chat:
        await chat.say("/start", by="7", chat="-1")
        await chat.send(ChatMigrated("-1001"), by="7", chat="-1")
        assert await chat.say("a", by="7", chat="-1001") == ("Second?",)
    async with Chat(app_of(three()), storage=storage) as chat:
        assert await chat.say("b", by="7", chat="-1001") == ("Third?",)


class MovedChannel(TestChannel):
    """A service that knows the chat -1 by another id."""

    async def send(self, delivery: Delivery) -> str | None:
        if delivery.chat == "-1":
            raise ChatMoved("-1001")
        return await super().send(delivery)


async def test_a_refused_message_that_names_the_new_chat_is_sent_there() -> None:
    async with Chat(app_of(three()), channel=MovedChannel) as chat:
        await chat.say("/start", by="7", chat="-1")
        assert chat.replies("-1001") == ("First?",)
        assert await chat.say("a", by="7", chat="-1001") == ("Second?",)


class LostChannel(TestChannel):
    """A service that names, again and again, the chat that it was asked for."""

    async def send(self, delivery: Delivery) -> str | None:
        raise ChatMoved(delivery.chat)


async def test_a_chat_that_is_said_to_have_moved_to_itself_is_given_up() -> None:
    async with Chat(app_of(three()), channel=LostChannel) as chat:
        assert await chat.say("/start") == ()
