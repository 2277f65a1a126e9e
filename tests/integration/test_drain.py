"""Draining: what is in flight ends, nothing begins, and how it went is told."""

from __future__ import annotations

import asyncio
import logging

import pytest

from engine import App
from engine.testing.chat import Chat
from flows import Context, Router, TextMessage
from flows.errors import NotRunning
from storage import MemoryStorage

pytestmark = pytest.mark.anyio


class Slow:
    """A bot whose answer to "slow" waits until it is let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.release = asyncio.Event()
        self.ended = asyncio.Event()
        router = Router("slow")

        @router.fallback
        async def answer(ctx: Context) -> None:
            if isinstance(ctx.update.content, TextMessage) and ctx.update.content.text == "slow":
                self.begun.set()
                try:
                    await self.release.wait()
                finally:
                    self.ended.set()
            ctx.reply("heard")

        self.app = App(router)


async def begin(slow: Slow, chat: Chat, *people: str) -> None:
    """People write "slow", and their turns have begun."""
    await chat.hand_in([chat.update(TextMessage("slow"), by=person) for person in people])
    await slow.begun.wait()


async def test_a_drain_tells_how_many_turns_were_in_flight_and_has_committed_them() -> None:
    slow = Slow()
    async with Chat(slow.app) as chat:
        await begin(slow, chat, "1", "2")
        draining = asyncio.ensure_future(slow.app.drain())
        await asyncio.sleep(0)
        slow.release.set()
        assert await draining == 2
        assert sorted(one.chat for one in chat.deliveries) == ["1", "2"]


async def test_a_drain_with_nothing_in_flight_answers_0() -> None:
    slow = Slow()
    async with Chat(slow.app) as chat:
        assert await chat.say("hello") == ("heard",)
        assert await slow.app.drain() == 0


async def test_a_drain_that_takes_too_long_answers_minus_1_and_the_turn_runs_again() -> None:
    slow, storage = Slow(), MemoryStorage()
    async with Chat(slow.app, storage=storage) as chat:
        await begin(slow, chat, "1")
        assert await slow.app.drain(0.01) == -1
    again = Slow()
    again.release.set()
    async with Chat(again.app, storage=storage) as chat:
        await chat.settle()
        assert [one.text for one in chat.deliveries] == ["heard"]


async def test_a_drain_that_is_broken_off_lets_no_handler_go_on_and_the_turn_runs_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow, storage = Slow(), MemoryStorage()
    async with Chat(slow.app, storage=storage) as chat:
        await begin(slow, chat, "1")
        chat._process._stop.set()
        for _ in range(10):
            await asyncio.sleep(0)
        assert slow.app.is_draining
        await chat.crash()  # which cancels it, as the second signal does
        assert slow.ended.is_set()
    assert "failed" not in caplog.text
    again = Slow()
    again.release.set()
    async with Chat(again.app, storage=storage) as chat:
        await chat.settle()
        assert [one.text for one in chat.deliveries] == ["heard"]


async def test_nothing_begins_after_a_drain_and_the_next_start_does_it() -> None:
    slow, storage = Slow(), MemoryStorage()
    async with Chat(slow.app, storage=storage) as chat:
        intake = await chat._process._channel.intake
        await slow.app.drain()
        await intake.accept([chat.update(TextMessage("hello"))])
        assert chat.deliveries == []
    async with Chat(Slow().app, storage=storage) as chat:
        await chat.settle()
        assert [one.text for one in chat.deliveries] == ["heard"]


async def test_whether_it_drains_is_told_from_the_first_moment_to_the_end() -> None:
    slow = Slow()
    assert not slow.app.is_draining
    async with Chat(slow.app) as chat:
        assert not slow.app.is_draining
        await begin(slow, chat, "1")
        draining = asyncio.ensure_future(slow.app.drain())
        await asyncio.sleep(0)
        assert slow.app.is_draining
        slow.release.set()
        await draining
        assert slow.app.is_draining
    assert not slow.app.is_draining


async def test_a_second_drain_waits_for_the_first_and_answers_the_same() -> None:
    slow = Slow()
    async with Chat(slow.app) as chat:
        await begin(slow, chat, "1")
        first, second = (asyncio.ensure_future(slow.app.drain()) for _ in range(2))
        await asyncio.sleep(0)
        slow.release.set()
        assert (await first, await second, await slow.app.drain()) == (1, 1, 1)


async def test_a_drain_whose_caller_is_gone_goes_on() -> None:
    slow = Slow()
    async with Chat(slow.app) as chat:
        await begin(slow, chat, "1")
        impatient = asyncio.ensure_future(slow.app.drain())
        await asyncio.sleep(0)
        impatient.cancel()
        slow.release.set()
        assert await slow.app.drain() == 1


async def test_an_app_that_does_not_run_cannot_be_drained() -> None:
    with pytest.raises(NotRunning):
        await Slow().app.drain()


async def test_a_stop_drains_and_says_what_is_in_flight(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")
    slow = Slow()
    async with Chat(slow.app) as chat:
        await begin(slow, chat, "1")
        asyncio.get_running_loop().call_later(0.01, slow.release.set)
    assert "draining: 1 turns in flight" in caplog.text
    assert [one.text for one in chat.deliveries] == ["heard"]
