"""Plain handlers that ask, in routers inside routers, with states and patterns."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing import Chat
from flows import CallNext, Context, DeepLink, Integer, OnDeepLink, Router, transition
from flows.fsm import Transition
from storage import MemoryStorage

pytestmark = pytest.mark.anyio


class Seen(BaseModel):
    """A session."""

    count: int = 0


def nested() -> tuple[Router, Router]:
    outer, inner = Router("outer"), Router("inner")
    outer.include(inner)
    return outer, inner


async def show(ctx: Context[Seen]) -> None:
    count = ctx.session.count if ctx.session is not None else 0
    ctx.reply(f"{count} {ctx.fsm.get_state()}")


async def test_a_handler_of_an_included_router_asks_and_is_answered_after_a_restart() -> None:
    outer, inner = nested()

    @inner.hears(pattern=r"^(\d+) teas?$")
    async def order(ctx: Context) -> None:
        name = await ctx.ask("For whom?")
        assert ctx.match is not None
        ctx.reply(f"{ctx.match.group(1)} for {name}")

    storage = MemoryStorage()
    async with Chat(App(outer), storage=storage) as chat:
        assert await chat.say("3 teas") == ("For whom?",)
    async with Chat(App(outer), storage=storage) as chat:
        assert await chat.say("Ada") == ("3 for Ada",)


def test_handlers_that_ask_go_by_the_name_of_their_own_router() -> None:
    outer, inner = nested()

    @inner.text("x")
    async def asks(ctx: Context) -> None:
        await ctx.ask("?")

    assert list(App(outer).flows) == ["inner:" + asks.__qualname__]


async def test_what_a_handler_answers_after_its_questions_moves_the_state() -> None:
    outer, inner = nested()

    @inner.command("begin")
    async def begin(ctx: Context) -> Transition:
        return transition("named", {"name": await ctx.ask("Name?")})

    outer.command("show")(show)
    async with Chat(App(outer)) as chat:
        await chat.say("/begin")
        await chat.say("Ada")
        assert await chat.say("/show") == ("0 FsmState(state='named', data={'name': 'Ada'})",)


async def test_what_a_handler_did_to_the_state_before_a_question_counts_once_it_is_done() -> None:
    router = Router("bot")

    @router.command("begin")
    async def begin(ctx: Context) -> None:
        ctx.fsm.set_state("begun")
        await ctx.ask("Name?")
        await ctx.ask("Age?")

    router.command("show")(show)
    async with Chat(App(router)) as chat:
        await chat.say("/begin")
        assert (await chat.say("/show"))[0] == "0 None"
        await chat.say("Ada")
        assert (await chat.say("/show"))[0] == "0 None"
        await chat.say("36")
        assert (await chat.say("/show"))[0] == "0 FsmState(state='begun', data={})"


async def test_the_middleware_of_an_included_router_runs_around_the_call_and_not_the_answers() -> (
    None
):
    outer, inner = nested()
    seen: list[str] = []

    @inner.middleware
    async def around(ctx: Context, call_next: CallNext) -> None:
        seen.append(ctx.payload)
        await call_next()

    @inner.text("^order")
    async def order(ctx: Context) -> None:
        await ctx.ask("For whom?")

    async with Chat(App(outer)) as chat:
        await chat.say("order")
        await chat.say("Ada")
    assert seen == ["order"]


async def test_the_middleware_of_an_included_router_cannot_ask(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outer, inner = nested()

    @inner.middleware
    async def asks(ctx: Context, call_next: CallNext) -> None:
        await ctx.ask("Password?")
        await call_next()

    @inner.text("^order")
    async def order(ctx: Context) -> None:
        ctx.reply("never seen")

    async with Chat(App(outer)) as chat:
        assert await chat.say("order") == ("Sorry, something went wrong. Please try that again.",)
    assert "only a plain handler asks: no middleware" in caplog.text


async def test_a_deep_link_may_be_for_people_in_a_state() -> None:
    router, link = Router("bot"), DeepLink("ref")

    @router.deep_link(link)
    async def usual(ctx: Context) -> Transition:
        return transition("in")

    @router.state("in", on=OnDeepLink(link))
    async def inside(ctx: Context) -> None:
        ctx.reply(f"inside {ctx.payload}")

    async with Chat(App(router)) as chat:
        assert await chat.say("/start ref_1") == ()
        assert await chat.say("/start ref_2") == ("inside 2",)


async def test_what_fails_after_an_answer_is_caught_and_the_question_stays_open() -> None:
    outer, inner = nested()

    @inner.command("half")
    async def half(ctx: Context[Seen]) -> None:
        number = await ctx.ask("Which number?", Integer())
        ctx.session.count += 1
        ctx.reply("never seen")
        ctx.reply(str(100 / number))

    @inner.catch
    async def caught(ctx: Context, error: Exception) -> None:
        ctx.reply(f"{type(error).__name__} over {update_text(ctx)}")

    outer.command("show")(show)
    async with Chat(App(outer, session=Seen)) as chat:
        await chat.say("/half")
        assert await chat.say("0") == ("ZeroDivisionError over 0",)
        assert (await chat.say("/show"))[0] == "0 None"
        assert await chat.say("4") == ("never seen", "25.0")
        assert (await chat.say("/show"))[0] == "1 None"


def update_text(ctx: Context) -> Any:
    return getattr(ctx.update.content, "text", None)
