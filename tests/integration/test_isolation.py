"""What the handler of one chat does is that chat's alone: the turns of all others go on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine import App
from engine.channels.console.lines import content_of
from engine.testing.chat import Chat
from engine.turns.notices import Notices
from flows import Action, Context, Flow, FlowBuilder, FlowRegistry, OnCommand, Router, Turn
from tests.support import Names, One

pytestmark = pytest.mark.anyio

OTHERS = [str(number) for number in range(2, 202)]


def naming() -> Flow[One, Names, Any]:
    async def name(turn: Turn[One, Names]) -> Action[One]:
        turn.reply(f"Hello, {await turn.ask('Your name?')}.")
        return turn.complete()

    return FlowBuilder("name", One, Names).step(One.ONLY, name).build(initial=One.ONLY)


class Trouble:
    """A bot that asks for names with /name, sleeps until it is woken with /sleep, and fails with
    /fail.
    """

    def __init__(self) -> None:
        self.asleep = asyncio.Event()
        self.woken = asyncio.Event()
        registry = FlowRegistry()
        registry.register(OnCommand("name"), naming())
        router = Router("trouble")
        registry.apply_to_router(router)

        @router.command("sleep")
        async def sleep(ctx: Context) -> None:
            self.asleep.set()
            await self.woken.wait()
            ctx.reply("Awake.")

        @router.command("fail")
        async def fail(ctx: Context) -> None:
            raise RuntimeError("trouble")

        self.app = App(router)


async def say(chat: Chat, text: str, people: list[str]) -> None:
    """They say it at the same time, and nobody waits for an answer."""
    await chat.hand_in([chat.update(content_of(text), by=person) for person in people])


async def heard(chat: Chat, people: list[str], text: str) -> None:
    """Returns when all of them have heard it; that it takes time is the sign of a failure."""
    async with asyncio.timeout(30):
        # what is said sets no event
        while {one.chat for one in chat.deliveries if one.text == text} != set(people):  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_while_a_handler_sleeps_the_conversations_of_all_others_go_on() -> None:
    trouble = Trouble()
    async with Chat(trouble.app) as chat:
        await say(chat, "/sleep", ["1"])
        await trouble.asleep.wait()
        await say(chat, "/name", OTHERS)
        await heard(chat, OTHERS, "Your name?")
        await say(chat, "Ada", OTHERS)
        await heard(chat, OTHERS, "Hello, Ada.")
        assert chat.replies("1") == ()
        trouble.woken.set()
        await chat.settle()
        assert chat.replies("1") == ("Awake.",)


async def test_while_a_handler_fails_the_conversations_of_all_others_go_on() -> None:
    async with Chat(Trouble().app) as chat:
        for text, answer in (("/name", "Your name?"), ("Ada", "Hello, Ada.")):
            await say(chat, "/fail", ["1"])
            await say(chat, text, OTHERS)
            await say(chat, "/fail", ["1"])
            await heard(chat, OTHERS, answer)
        await chat.settle()
        assert chat.replies("1") == (Notices().apology,) * 4
