"""Pre-handlers: what looks at an update before anything else does."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine import App
from engine.testing import Chat, CrashPoint, VirtualClock
from flows import (
    Context,
    Continue,
    DefinitionError,
    FlowBuilder,
    Other,
    PreContext,
    Press,
    Reply,
    Router,
    Stop,
    Text,
)
from flows.routing.pre_handlers import PreHandler
from flows.routing.router import CallNext
from tests.support import Names, One, app_of, cancelled

pytestmark = pytest.mark.anyio

APOLOGY = "Sorry, something went wrong. Please try that again."


def echoing(*pre_handlers: PreHandler, **more: Any) -> App:
    """A bot that says what it hears."""
    router = Router("bot")
    for pre_handler in pre_handlers:
        router.pre_handler(pre_handler)

    @router.fallback
    async def echo(ctx: Context) -> None:
        content = ctx.update.content
        ctx.reply(getattr(content, "text", content.kind))

    return App(router, **more)


async def test_they_run_in_their_order_before_the_middleware_and_those_of_the_app_first() -> None:
    told: list[str] = []
    router = Router("bot")

    async def first(ctx: PreContext) -> Continue:
        told.append("app")
        return Continue()

    @router.pre_handler
    async def second(ctx: PreContext) -> Continue:
        told.append("router")
        return Continue()

    @router.middleware
    async def around(ctx: Context, call_next: CallNext) -> None:
        told.append("middleware")

    async with Chat(App(router, pre_handlers=[first])) as chat:
        await chat.say("hello")
    assert told == ["app", "router", "middleware"]


async def test_what_is_stopped_reaches_nothing_else() -> None:
    async def no_links(ctx: PreContext) -> Continue | Stop:
        text = getattr(ctx.update.content, "text", "")
        return Stop("No links.") if "http" in text else Continue()

    async def never(ctx: PreContext) -> Continue:
        assert "http" not in getattr(ctx.update.content, "text", "")
        return Continue()

    async with Chat(echoing(no_links, never)) as chat:
        assert await chat.say("http://x") == ("No links.",)
        assert await chat.say("hello") == ("hello",)


async def test_a_question_goes_on_waiting_where_an_answer_is_stopped() -> None:
    flow = FlowBuilder("one", One, Names).ask(One.ONLY, "Name?", Text(), into="first")
    app = app_of(flow.build(initial=One.ONLY), pre_handlers=[shut_up])
    async with Chat(app) as chat:
        assert await chat.say("/start") == ("Name?",)
        assert await chat.say("spam") == ()
        await chat.restart()
        assert await chat.say("Ada") == ()
        assert await chat.say("Bob") != ()


async def shut_up(ctx: PreContext) -> Continue | Stop:
    """Stops one word."""
    return Stop() if getattr(ctx.update.content, "text", "") == "spam" else Continue()


async def test_a_press_that_is_stopped_is_answered() -> None:
    async def closed(ctx: PreContext) -> Stop:
        return Stop("We are closed.")

    async with Chat(echoing(closed)) as chat:
        await chat.send(Press(id="p1", data="buy"))
        assert chat.notices == [("p1", "We are closed.")]


async def test_a_press_that_is_stopped_without_a_word_is_answered() -> None:
    async def closed(ctx: PreContext) -> Stop:
        return Stop()

    async with Chat(echoing(closed)) as chat:
        await chat.send(Press(id="p1", data="buy"))
        assert chat.notices == [("p1", None)]


async def test_one_may_say_something_and_go_on() -> None:
    async def greet(ctx: PreContext) -> Continue:
        ctx.reply("So you are", keyboard=())
        ctx.reply(Reply(text=ctx.user.name if ctx.user is not None else "nobody"))
        ctx.notice("unseen")
        return Continue()

    async with Chat(echoing(greet)) as chat:
        assert await chat.say("hello") == ("So you are", "Person 1", "hello")


async def test_stop_takes_a_whole_reply() -> None:
    async def closed(ctx: PreContext) -> Stop:
        return Stop(Reply(text="We are closed."))

    async with Chat(echoing(closed)) as chat:
        assert await chat.send(Press(id="p1", data="buy")) == ("We are closed.",)


async def test_the_reason_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def closed(ctx: PreContext) -> Stop:
        return Stop(reason="it is night")

    with caplog.at_level(logging.DEBUG, "handrail.engine"):
        async with Chat(echoing(closed)) as chat:
            await chat.say("hello")
    assert "stops an update: it is night" in caplog.text


async def test_a_stopped_update_is_done() -> None:
    seen: list[str] = []

    async def closed(ctx: PreContext) -> Stop:
        seen.append(ctx.update.ext)
        return Stop()

    async with Chat(echoing(closed)) as chat:
        await chat.say("hello")
        await chat.again()
        await chat.restart()
    assert len(seen) == 1


async def test_one_that_fails_stops_nothing_and_leaves_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    claimed: list[bool] = []

    async def broken(ctx: PreContext) -> Continue:
        claimed.append(ctx.once_within("a", timedelta(hours=1)))
        ctx.reply("half")
        raise ValueError("boom")

    async with Chat(echoing(broken)) as chat:
        assert await chat.say("hello") == ("hello",)
        assert await chat.say("again") == ("again",)
    assert claimed == [True, True]
    assert "failed and is passed over: boom" in caplog.text


async def test_one_that_answers_nothing_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async def forgetful(ctx: PreContext) -> Any:
        return None

    async with Chat(echoing(forgetful)) as chat:
        assert await chat.say("hello") == ("hello",)
    assert f"the pre-handler {__name__}.{forgetful.__qualname__} failed" in caplog.text
    assert "it answered None. Return Continue() or Stop()." in caplog.text


async def test_one_that_would_end_the_process_stops_nothing() -> None:
    async def leave(ctx: PreContext) -> Continue:
        raise SystemExit(3)

    async with Chat(echoing(leave)) as chat:
        assert await chat.say("hello") == ("hello",)


async def test_one_whose_work_was_cancelled_stops_nothing() -> None:
    async def waits(ctx: PreContext) -> Continue | Stop:
        await cancelled()
        return Stop()

    async with Chat(echoing(waits)) as chat:
        assert await chat.say("hello") == ("hello",)


async def test_one_that_takes_too_long_fails_the_turn() -> None:
    async def slow(ctx: PreContext) -> Continue:
        await asyncio.Event().wait()
        return Continue()

    async with Chat(echoing(slow, handler_timeout=0.01)) as chat:
        assert await chat.say("hello") == (APOLOGY,)


async def test_what_the_engine_tells_itself_passes_by() -> None:
    seen: list[str] = []

    async def note(ctx: PreContext) -> Continue:
        seen.append(ctx.update.content.kind)
        return Continue()

    flow = FlowBuilder("one", One, Names)
    flow.ask(One.ONLY, "Name?", Text(), into="first", timeout=timedelta(minutes=1))
    app = app_of(flow.build(initial=One.ONLY), pre_handlers=[note])
    async with Chat(app, clock=VirtualClock()) as chat:
        await chat.say("/start")
        assert await chat.advance(60) != ()
    assert seen == ["command"]


async def test_the_dependencies_are_at_hand() -> None:
    async def closed(ctx: PreContext[str]) -> Stop:
        return Stop(ctx.deps)

    async with Chat(echoing(closed, deps="closed")) as chat:
        assert await chat.say("hello") == ("closed",)


async def test_a_claim_is_the_persons_in_the_chat() -> None:
    async with Chat(echoing(only_once), clock=VirtualClock()) as chat:
        assert await chat.say("a") == ("a",)
        assert await chat.say("b") == ("once",)
        assert await chat.say("c", by="2") == ("c",)
        assert await chat.say("d", chat="-5") == ("d",)


async def only_once(ctx: PreContext) -> Continue | Stop:
    """Lets one update a minute in."""
    return Continue() if ctx.once_within("all", timedelta(minutes=1)) else Stop("once")


async def test_what_is_claimed_after_the_turn_is_not_kept() -> None:
    held: list[PreContext] = []

    async def hold(ctx: PreContext) -> Continue | Stop:
        held.append(ctx)
        ctx.once_within("first", timedelta(hours=1))
        return Stop("free" if ctx.once_within("late", timedelta(0)) else "taken")

    async with Chat(echoing(hold), clock=VirtualClock()) as chat:
        assert await chat.say("one") == ("free",)
        held[0].once_within("late", timedelta(hours=1))
        await chat.advance(1)
        assert await chat.say("two") == ("free",)


async def test_what_belongs_to_nobody_gets_every_claim() -> None:
    claimed: list[bool] = []

    async def claim(ctx: PreContext) -> Continue:
        claimed.append(ctx.once_within("all", timedelta(hours=1)))
        return Continue()

    async with Chat(echoing(claim)) as chat:
        for _ in range(2):
            update = chat.update(Other("something"))
            await chat.deliver(replace(update, address=None, user=None))
    assert claimed == [True, True]


async def test_a_claim_outlives_the_process_and_ends_in_time() -> None:
    async with Chat(echoing(only_once), clock=VirtualClock()) as chat:
        await chat.say("a")
        await chat.restart()
        assert await chat.say("b") == ("once",)
        await chat.advance(60)
        assert await chat.say("c") == ("c",)


@pytest.mark.parametrize("after", [False, True])
async def test_a_claim_is_made_with_the_turn_wherever_the_process_dies(after: bool) -> None:
    async with Chat(echoing(only_once), clock=VirtualClock()) as chat:
        chat.crash_at(CrashPoint("commit", after=after))
        await chat.say("a")
        await chat.restart()
        assert chat.replies() == ("a",)
        assert await chat.say("b") == ("once",)


async def test_a_turn_that_fails_has_claimed_nothing() -> None:
    router = Router("bot")
    router.pre_handler(only_once)
    failing = [False, True]

    @router.fallback
    async def fail(ctx: Context) -> None:
        if failing.pop():
            raise ValueError("boom")

    async with Chat(App(router), clock=VirtualClock()) as chat:
        assert await chat.say("a") == (APOLOGY,)
        assert await chat.say("b") == ()
        assert await chat.say("c") == ("once",)


def test_what_is_no_async_function_of_a_context_is_refused() -> None:
    router = Router("bot")
    with pytest.raises(DefinitionError, match="is not async"):
        router.pre_handler(lambda ctx: Continue())  # type: ignore[type-var]
    with pytest.raises(DefinitionError, match="is not async"):
        App(router, pre_handlers=[lambda ctx: Continue()])  # type: ignore[list-item, return-value]
