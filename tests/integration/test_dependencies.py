"""Dependencies: made at the start, given to everybody, taken down at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from engine import App
from engine.testing import Chat
from engine.testing.channel import TestChannel
from flows import Action, Context, DefinitionError, FlowBuilder, Router, TextMessage, Turn
from flows.ports import Delivery
from flows.routing.router import CallNext
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


@dataclass
class Services:
    """What the handlers use."""

    log: list[str] = field(default_factory=list)
    name: str = "real"


LOG: list[str] = []


@asynccontextmanager
async def services() -> AsyncIterator[Services]:
    """Makes them, and says so."""
    LOG.append("up")
    try:
        yield Services(LOG)
    finally:
        LOG.append("down")


@pytest.fixture(autouse=True)
def _nothing_is_logged() -> None:
    LOG.clear()


def bot(**more: Any) -> App:
    """A bot that names its dependencies."""
    router = Router("bot")

    @router.middleware
    async def around(ctx: Context[Any, Services], call_next: CallNext) -> None:
        ctx.deps.log.append("middleware")
        await call_next()

    @router.fallback
    async def answer(ctx: Context[Any, Services]) -> None:
        ctx.reply(ctx.deps.name)

    return App(router, **more)


async def test_they_are_made_at_the_start_and_taken_down_at_the_end() -> None:
    async with Chat(bot(deps=services)) as chat:
        assert await chat.say("hello") == ("real",)
    assert LOG == ["up", "middleware", "down"]


async def test_each_start_makes_new_ones() -> None:
    async with Chat(bot(deps=services)) as chat:
        await chat.restart()
    assert LOG == ["up", "down"] * 2


async def test_steps_have_them() -> None:
    async def step(turn: Turn[One, Names, Services]) -> Action[One]:
        turn.reply(turn.deps.name)
        return turn.complete()

    flow = FlowBuilder("one", One, Names, deps=Services).step(One.ONLY, step)
    async with Chat(app_of(flow.build(initial=One.ONLY), deps=services)) as chat:
        assert await chat.say("/start") == ("real",)


async def test_they_stand_until_the_last_message_is_out() -> None:
    class Slow(TestChannel):
        async def send(self, delivery: Delivery) -> str | None:
            LOG.append("sent")
            return await super().send(delivery)

    async with Chat(bot(deps=services), channel=Slow) as chat:
        await chat.hand_in([chat.update(TextMessage("hello"))])
    assert LOG == ["up", "middleware", "sent", "down"]


async def test_they_are_taken_down_where_the_start_fails_half_way() -> None:
    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        raise OSError("the port is taken")
        yield

    with pytest.raises(OSError, match="the port is taken"):
        async with Chat(bot(deps=services, lifespan=lifespan)):
            pytest.fail("it runs")
    assert LOG == ["up", "down"]


async def test_an_app_whose_dependencies_fail_does_not_run() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[Services]:
        raise OSError("no database")
        yield

    with pytest.raises(OSError, match="no database"):
        async with Chat(bot(deps=broken)):
            pytest.fail("it runs")


async def test_they_stand_before_the_lifespan_and_after_it() -> None:
    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        LOG.append("lifespan up")
        yield
        LOG.append("lifespan down")

    async with Chat(bot(deps=services, lifespan=lifespan)):
        assert LOG == ["up", "lifespan up"]
    assert LOG == ["up", "lifespan up", "lifespan down", "down"]


async def test_an_object_is_handed_on_as_it_is() -> None:
    mine = Services(name="mine")
    async with Chat(bot(deps=mine)) as chat:
        assert await chat.say("hello") == ("mine",)
    assert mine.log == ["middleware"]


async def test_a_test_puts_others_in_their_place() -> None:
    async with Chat(bot(deps=services), deps=Services(name="fake")) as chat:
        assert await chat.say("hello") == ("fake",)
    assert LOG == []


async def test_a_test_may_make_others_too() -> None:
    async with Chat(bot(deps=Services(name="mine")), deps=services) as chat:
        assert await chat.say("hello") == ("real",)
    assert LOG == ["up", "middleware", "down"]


async def test_arguments_may_be_bound_beforehand() -> None:
    @asynccontextmanager
    async def named(name: str) -> AsyncIterator[Services]:
        yield Services(name=name)

    async with Chat(bot(deps=partial(named, "bound"))) as chat:
        assert await chat.say("hello") == ("bound",)


def test_what_needs_arguments_is_refused() -> None:
    @asynccontextmanager
    async def named(name: str) -> AsyncIterator[Services]:
        yield Services(name=name)

    with pytest.raises(DefinitionError, match="is called without arguments"):
        bot(deps=named)


def test_a_bare_generator_is_refused() -> None:
    async def bare() -> AsyncIterator[Services]:
        yield Services()

    with pytest.raises(DefinitionError, match="Put @contextlib"):
        bot(deps=bare)


def test_a_context_manager_that_is_not_async_is_refused() -> None:
    @contextmanager
    def services() -> Iterator[Services]:
        yield Services()

    with pytest.raises(DefinitionError, match="Make it 'async def'"):
        bot(deps=services)
