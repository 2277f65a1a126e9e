"""What an App needs stands while it runs, and not longer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine import App
from engine.testing import Chat
from flows import Action, Context, FlowBuilder, Router, Turn
from flows.errors import NotRunning
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


async def test_it_stands_while_the_app_runs_and_again_after_a_restart() -> None:
    told: list[str] = []
    router = Router("bot")

    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        told.append(f"up {app.name}")
        yield
        told.append("down")

    @router.fallback
    async def answer(ctx: Context) -> None:
        ctx.reply(told[-1])

    async with Chat(App(router, lifespan=lifespan)) as chat:
        assert await chat.say("hello") == ("up bot",)
        await chat.crash()
        await chat.restart()
        assert await chat.say("hello") == ("up bot",)
    assert told == ["up bot", "down"] * 2


async def test_an_app_whose_lifespan_fails_does_not_run() -> None:
    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        raise OSError("the port is taken")
        yield

    app = App(Router("bot"), lifespan=lifespan)
    with pytest.raises(OSError, match="the port is taken"):
        async with Chat(app):
            pytest.fail("it runs")
    with pytest.raises(NotRunning):
        await app.cancel("1-0")


async def test_it_can_hand_in_outside_events() -> None:
    apps: list[App] = []

    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        apps.append(app)
        yield

    async def step(turn: Turn[One, Names]) -> Action[One]:
        ticket = turn.ticket()
        paid = await turn.outside(ticket, int, prompt=ticket)
        turn.reply(f"{paid} paid")
        return turn.complete()

    flow = FlowBuilder("pay", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow, lifespan=lifespan)) as chat:
        (ticket,) = await chat.say("/start")
        await apps[0].resume(ticket, 7)
        await chat.settle()
        assert chat.replies() == (ticket, "7 paid")
