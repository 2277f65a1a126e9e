"""The ready pre-handlers: doubled messages, and too many of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine import App
from engine.testing import Chat, VirtualClock
from flows import Context, Dedup, DefinitionError, Other, Press, RateLimit, Router, TextMessage
from flows.routing.pre_handlers import PreHandler
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

FAST = "That is too fast for me. Please wait a moment."


def echoing(*pre_handlers: PreHandler) -> App:
    """A bot that says what it hears."""
    router = Router("bot")

    @router.command("fail")
    async def fail(ctx: Context) -> None:
        raise ValueError("boom")

    @router.fallback
    async def echo(ctx: Context) -> None:
        content = ctx.update.content
        ctx.reply(getattr(content, "text", content.kind))

    return App(router, pre_handlers=pre_handlers)


def chat_of(*pre_handlers: PreHandler) -> Chat:
    return Chat(echoing(*pre_handlers), clock=VirtualClock())


# --- doubles ----------------------------------------------------------------------------


async def test_the_same_within_the_time_is_dropped() -> None:
    async with chat_of(Dedup(timedelta(seconds=2))) as chat:
        assert await chat.say("pay") == ("pay",)
        assert await chat.say("pay") == ()
        await chat.advance(2)
        assert await chat.say("pay") == ("pay",)


async def test_something_else_is_no_double() -> None:
    async with chat_of(Dedup()) as chat:
        await chat.say("pay")
        assert await chat.say("pay more") == ("pay more",)
        assert await chat.say("pay", by="2") == ("pay",)


async def test_doubles_that_come_in_one_page_are_seen() -> None:
    async with chat_of(Dedup()) as chat:
        assert await chat.send(TextMessage("pay"), TextMessage("pay")) == ("pay",)


async def test_a_double_is_known_to_the_next_process() -> None:
    storage = MemoryStorage()
    clock = VirtualClock()
    async with Chat(echoing(Dedup()), clock=clock, storage=storage) as chat:
        await chat.say("pay")
    async with Chat(echoing(Dedup()), clock=clock, storage=storage) as chat:
        assert await chat.say("pay") == ()


async def test_what_failed_may_be_sent_again() -> None:
    async with chat_of(Dedup()) as chat:
        assert await chat.say("/fail") == await chat.say("/fail") != ()


async def test_a_button_of_ones_own_is_doubled_and_one_of_the_engines_is_not() -> None:
    async with chat_of(Dedup()) as chat:
        assert await chat.send(Press(id="1", data="buy"), Press(id="2", data="buy")) == ("press",)
        await chat.send(Press(id="3", data="hr~x"), Press(id="4", data="hr~x"))
        assert [notice for press, notice in chat.notices if press in "34"] == [
            "This button has expired."
        ] * 2


async def test_a_key_says_what_the_same_is() -> None:
    def first_word(update: Any) -> str | None:
        text: str = getattr(update.content, "text", "")
        return text.split()[0] if text != "free" else None

    async with chat_of(Dedup(key=first_word)) as chat:
        assert await chat.say("pay 1") == ("pay 1",)
        assert await chat.say("pay 2") == ()
        assert await chat.say("free") == await chat.say("free") == ("free",)


# --- rates ------------------------------------------------------------------------------


async def test_what_is_over_is_dropped_with_one_notice_a_window() -> None:
    async with chat_of(RateLimit(2, timedelta(seconds=10))) as chat:
        said = [await chat.say(text) for text in "abcd"]
        assert said == [("a",), ("b",), (FAST,), ()]
        await chat.advance(5)
        assert await chat.say("e") == ("e",)
        assert await chat.say("f") == ()
        await chat.advance(5)
        assert [await chat.say(text) for text in "gh"] == [("g",), (FAST,)]


async def test_a_burst_may_be_larger_than_the_rate() -> None:
    async with chat_of(RateLimit(1, timedelta(seconds=10), burst=3, notice="")) as chat:
        assert [await chat.say(text) for text in "abcd"] == [("a",), ("b",), ("c",), ()]


async def test_everybody_has_a_bucket_of_their_own() -> None:
    async with chat_of(RateLimit(1, timedelta(seconds=10))) as chat:
        await chat.say("a")
        assert await chat.say("b", by="2") == ("b",)


async def test_what_fails_has_taken_its_token() -> None:
    async with chat_of(RateLimit(2, timedelta(seconds=10))) as chat:
        await chat.say("/fail")
        await chat.say("/fail")
        assert await chat.say("/fail") == (FAST,)


async def test_a_restart_fills_no_bucket() -> None:
    async with chat_of(RateLimit(1, timedelta(seconds=10))) as chat:
        await chat.say("a")
        await chat.restart()
        assert await chat.say("b") == (FAST,)


async def test_what_waited_while_no_process_ran_came_at_its_own_time() -> None:
    async with chat_of(RateLimit(1, timedelta(seconds=10))) as chat:
        await chat.crash()
        for text in "ab":
            await chat.say(text)
            await chat.advance(10)
        await chat.restart()
        assert chat.replies() == ("a", "b")


async def test_limits_of_several_names_do_not_share_a_bucket() -> None:
    hour = RateLimit(3, timedelta(hours=1), name="hour", notice="hour")
    second = RateLimit(1, timedelta(seconds=1), name="second", notice="second")
    async with chat_of(second, hour) as chat:
        assert [await chat.say(text) for text in "ab"] == [("a",), ("second",)]
        for text in "cd":
            await chat.advance(1)
            assert await chat.say(text) == (text,)
        await chat.advance(1)
        assert await chat.say("e") == ("hour",)


@pytest.mark.parametrize("guard", [RateLimit(1, timedelta(hours=1)), Dedup(timedelta(hours=1))])
async def test_what_nobody_waits_for_is_not_counted_and_not_lost(guard: PreHandler) -> None:
    seen: list[str] = []
    router = Router("bot")

    @router.kind("other")
    async def note(ctx: Context) -> None:
        seen.append(ctx.update.content.kind)

    @router.command("hi")
    async def greet(ctx: Context) -> None:
        ctx.reply("Hi.")

    app = App(router, pre_handlers=[guard])
    async with Chat(app, clock=VirtualClock()) as chat:
        await chat.send(Other("edited_message", silent=True), Other("edited_message", silent=True))
        assert await chat.say("/hi") == ("Hi.",)
    assert seen == ["other", "other"]


# --- mistakes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Dedup(timedelta(0)), "within must be a timedelta"),
        (lambda: Dedup(2), "within must be a timedelta"),  # type: ignore[arg-type]
        (lambda: Dedup(key="text"), "its key must be"),  # type: ignore[arg-type]
        (lambda: RateLimit(0, timedelta(seconds=1)), "must be 1 or more"),
        (lambda: RateLimit(1, timedelta(seconds=1), burst=0), "must be 1 or more"),
        (lambda: RateLimit(1, 60), "per must be a timedelta"),  # type: ignore[arg-type]
        (lambda: RateLimit(2000, timedelta(seconds=1)), "one update a millisecond"),
    ],
)
def test_numbers_that_cannot_be_are_refused(wrong: Any, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        wrong()


def test_two_limits_of_one_name_are_refused() -> None:
    limits = [RateLimit(1, timedelta(seconds=1)), RateLimit(9, timedelta(minutes=1))]
    with pytest.raises(DefinitionError, match="Give each a name="):
        echoing(*limits)


def test_a_second_look_for_the_same_doubles_is_refused() -> None:
    with pytest.raises(DefinitionError, match="take everything for a double"):
        echoing(Dedup(), Dedup(timedelta(seconds=9)))


async def test_guards_that_can_be_told_apart_go_together() -> None:
    minute = timedelta(minutes=1)
    limits = [RateLimit(9, minute), RateLimit(1, minute, name="slow")]
    async with chat_of(*limits, Dedup(), Dedup(key=lambda update: update.ext)) as chat:
        assert await chat.say("one") == ("one",)
        assert await chat.say("two") == (FAST,)
