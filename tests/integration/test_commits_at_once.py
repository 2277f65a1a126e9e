"""Commits that take their time: the next turns run beside them, and order stays."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from engine.testing.chat import Chat
from engine.turns import ticks as module
from flows import Action, Flow, FlowBuilder, TextMessage, Turn
from flows.ports import Committed, Fence, TurnCommit
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not module.EAGER, reason="one commit at a time where no task is eager"),
]


class Unhurried(MemoryStorage):
    """Commits only while it is ``free``."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.free.set()
        self.at_once = 0
        self._begun = asyncio.Event()

    async def commit(self, fence: Fence, turns: Sequence[TurnCommit]) -> Sequence[Committed]:
        self.at_once += 1
        self._begun.set()
        try:
            await self.free.wait()
            return await super().commit(fence, turns)
        finally:
            self.at_once -= 1

    async def reached(self, count: int) -> None:
        """Returns when so many commits are under way."""
        async with asyncio.timeout(10):
            while self.at_once < count:
                self._begun.clear()
                await self._begun.wait()


def counting() -> Flow[One, Names]:
    """Answers each message with its number and its text."""

    async def step(turn: Turn[One, Names]) -> Action[One]:
        said, number = await turn.ask("Go on."), 0
        while said != "stop":
            number += 1
            said = await turn.ask(f"{number}: {said}")
        return turn.complete()

    return FlowBuilder("counting", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


def texts(chat: Chat, by: str) -> list[str]:
    return [delivery.text for delivery in chat.deliveries if delivery.chat == by]


async def say(chat: Chat, text: str, by: str) -> None:
    await chat.hand_in([chat.update(TextMessage(text), by=by)])


async def test_turns_of_others_run_and_commit_beside_a_commit_that_takes_its_time() -> None:
    storage = Unhurried()
    async with Chat(app_of(counting()), storage=storage) as chat:
        for by in "123":
            await chat.say("/start", by=by)
        storage.free.clear()
        await say(chat, "a", "1")
        await storage.reached(1)
        await say(chat, "b", "2")
        await storage.reached(2)
        await say(chat, "c", "3")
        for _ in range(50):
            await asyncio.sleep(0)
        assert storage.at_once == 2
        storage.free.set()
        await chat.settle()
    assert [texts(chat, by)[1] for by in "123"] == ["1: a", "1: b", "1: c"]


async def test_the_next_turn_of_a_conversation_waits_for_its_commit() -> None:
    storage = Unhurried()
    async with Chat(app_of(counting()), storage=storage) as chat:
        await chat.say("/start", by="1")
        storage.free.clear()
        for text in ("a", "b", "c"):
            await say(chat, text, "1")
        await storage.reached(1)
        for _ in range(50):
            await asyncio.sleep(0)
        assert storage.at_once == 1
        storage.free.set()
        await chat.settle()
    assert texts(chat, "1")[1:] == ["1: a", "2: b", "3: c"]


async def test_a_bot_that_stops_waits_for_the_commits_under_way() -> None:
    storage = Unhurried()
    async with Chat(app_of(counting()), storage=storage) as chat:
        await chat.say("/start", by="1")
        storage.free.clear()
        await say(chat, "a", "1")
        await storage.reached(1)
        asyncio.get_running_loop().call_later(0.05, storage.free.set)
    (scope,) = storage.database.scopes.values()
    assert '"1: a"' in scope.snapshot.state
