"""Starting what runs already, interrupting what runs, and ending all of it."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from engine import App
from engine.testing import Chat
from flows import Action, Choice, Flow, FlowBuilder, FlowRegistry, OnCommand, Router, Turn
from flows.flow import Again, Interrupt
from flows.ports import Query
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

OneTurn = Turn[One, Names]
RUNNING = "We are in the middle of that already."
BUSY = "Let us finish this first."
CANCELLED = "Cancelled."
STALE = "This button has expired."


def asks(
    name: str,
    *,
    again: Again = "resume",
    interrupt: Interrupt = "stack",
    seen: list[str] | None = None,
    **more: Any,
) -> Flow[One, Names]:
    """Asks for two colours, and tells its hooks' work."""
    builder = FlowBuilder(name, One, Names, again=again, interrupt=interrupt, **more)

    async def step(turn: OneTurn) -> Action[One]:
        first = await turn.ask(f"{name}?", Choice(["red", "blue"]))
        second = await turn.ask(f"{name}: and?", Choice(["dark", "light"]))
        turn.reply(f"{second} {first}, {turn.payload or 'no payload'}")
        return turn.complete()

    async def cancelled(turn: OneTurn) -> None:
        if seen is not None:
            seen.append(name)

    builder.on_cancel(cancelled)
    return builder.step(One.ONLY, step).build(initial=One.ONLY)


async def count(storage: MemoryStorage, status: str = "active") -> int:
    rows = (await storage.inspect(Query(what="instances"))).rows
    return sum(row["status"] == status for row in rows)


# --- again ----------------------------------------------------------------------------------


async def test_resumed_it_asks_its_question_again_and_keeps_what_it_was_told() -> None:
    """Lesson 5: what becomes of a flow that is started again is declared."""
    storage = MemoryStorage()
    async with Chat(app_of(asks("one")), storage=storage) as chat:
        await chat.say("/start first")
        await chat.press("red")
        assert await chat.say("/start second") == ("one: and?",)
        assert await chat.press("dark") == ("dark red, first",)


async def test_restarted_it_is_cancelled_and_begins_anew_with_the_new_payload() -> None:
    """Lesson 5."""
    seen: list[str] = []
    storage = MemoryStorage()
    flow = asks("one", again="restart", seen=seen)
    async with Chat(app_of(flow), storage=storage) as chat:
        await chat.say("/start first")
        await chat.press("red")
        assert await chat.say("/start second") == ("one?",)
        await chat.press("blue")
        assert await chat.press("light") == ("light blue, second",)
        assert await count(storage, "cancelled") == 1
    assert seen == ["one"]


async def test_refused_it_says_so_and_asks_its_question_again() -> None:
    """Lesson 5."""
    async with Chat(app_of(asks("one", again="refuse"))) as chat:
        await chat.say("/start first")
        await chat.press("red")
        assert await chat.say("/start second") == (RUNNING, "one: and?")
        assert await chat.press("dark") == ("dark red, first",)


OVER = "We are in the middle of that already. Start over?"


async def test_asked_to_confirm_it_begins_anew_with_the_new_payload() -> None:
    """Lesson 5."""
    seen: list[str] = []
    storage = MemoryStorage()
    app = app_of(asks("one", again="confirm", seen=seen))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/start first")
        await chat.press("red")
        assert await chat.say("/start second") == (OVER,)
    async with Chat(app, storage=storage) as chat:
        await chat.say("/start third")
        assert await chat.press("Start over") == ("one?",)
        await chat.press("blue")
        assert await chat.press("light") == ("light blue, third",)
        assert await count(storage, "cancelled") == 1
    assert seen == ["one"]


async def test_what_is_not_confirmed_changes_nothing() -> None:
    """Lesson 5."""
    async with Chat(app_of(asks("one", again="confirm"))) as chat:
        await chat.say("/start first")
        await chat.press("red")
        await chat.say("/start second")
        assert await chat.press("Continue") == ("one: and?",)
        assert await chat.press("dark") == ("dark red, first",)


async def test_the_question_can_be_answered_while_a_start_waits_to_be_confirmed() -> None:
    async with Chat(app_of(asks("one", again="confirm"))) as chat:
        await chat.say("/start first")
        await chat.say("/start second")
        assert await chat.say("red") == ("one: and?",)
        assert await chat.press("Start over") == ("one?",)


async def test_a_start_is_confirmed_once() -> None:
    async with Chat(app_of(asks("one", again="confirm"))) as chat:
        await chat.say("/start")
        await chat.say("/start")
        old = chat.button("Continue")
        await chat.say("/start")
        assert (await chat.send(old.press()))[0] == STALE
        fresh = chat.button("Continue")
        await chat.send(fresh.press())
        assert (await chat.send(fresh.press()))[0] == STALE


async def test_nobody_else_confirms_a_start() -> None:
    async with Chat(app_of(asks("one", again="confirm"))) as chat:
        await chat.say("/start", by="1", chat="-5")
        await chat.say("/start", by="1", chat="-5")
        foreign = ("This button is for somebody else.",)
        assert await chat.press("Start over", by="2", chat="-5") == foreign
        assert await chat.press("Start over", by="1", chat="-5") == ("one?",)


@pytest.mark.parametrize("label", ["Start over", "Continue"])
async def test_a_parked_flow_whose_start_is_confirmed_comes_to_the_top(label: str) -> None:
    async with Chat(app_of(asks("one", again="confirm"), asks("two"))) as chat:
        await chat.say("/one")
        await chat.say("/two")
        assert await chat.say("/one") == (OVER,)
        assert await chat.press(label) == ("one?",)
        assert await chat.say("red") == ("one: and?",)


async def test_a_flow_that_has_called_another_is_confirmed_too() -> None:
    child = asks("child")

    async def step(turn: OneTurn) -> Action[One]:
        await turn.call(child)
        return turn.complete()

    caller = FlowBuilder("caller", One, Names, again="confirm").step(One.ONLY, step)
    storage = MemoryStorage()
    async with Chat(app_of(caller.build(initial=One.ONLY)), storage=storage) as chat:
        await chat.say("/start")
        await chat.press("red")
        assert await chat.say("/start") == (OVER,)
        assert await chat.press("Start over") == ("child?",)
        assert await count(storage, "cancelled") >= 1


async def test_a_chats_flow_is_started_over_where_it_lives() -> None:
    async with Chat(app_of(asks("one", again="confirm", key="chat"))) as chat:
        await chat.say("/start", by="1", chat="-5")
        await chat.say("/start", by="2", chat="-5")
        assert await chat.press("Start over", by="1", chat="-5") == ("one?",)
        assert await chat.say("red", by="2", chat="-5") == ("one: and?",)


@pytest.mark.parametrize("again", ["resume", "refuse"])
async def test_a_parked_flow_that_is_started_again_comes_to_the_top(again: Again) -> None:
    storage, app = MemoryStorage(), app_of(asks("one", again=again), asks("two"))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/one")
        await chat.say("/two")
        assert (await chat.say("/one"))[-1] == "one?"
    async with Chat(app, storage=storage) as chat:
        assert await chat.say("red") == ("one: and?",)
        assert await chat.say("dark") == ("dark red, no payload", "two?")


async def test_a_parked_flow_that_restarts_is_on_top() -> None:
    storage = MemoryStorage()
    bot = app_of(asks("one", again="restart"), asks("two"))
    async with Chat(bot, storage=storage) as chat:
        await chat.say("/one")
        await chat.press("red")
        await chat.say("/two")
        assert await chat.say("/one") == ("one?",)
        assert await count(storage) == 2


# --- interrupt ------------------------------------------------------------------------------


async def test_stacked_it_goes_on_when_the_other_is_over() -> None:
    async with Chat(app_of(asks("one"), asks("two"))) as chat:
        await chat.say("/one")
        await chat.press("red")
        assert await chat.say("/two") == ("two?",)
        await chat.press("blue")
        assert await chat.press("dark") == ("dark blue, no payload", "one: and?")


async def test_replaced_it_is_cancelled_with_its_hooks_and_the_other_starts() -> None:
    seen: list[str] = []
    storage = MemoryStorage()
    bot = app_of(asks("one", interrupt="replace", seen=seen), asks("two"))
    async with Chat(bot, storage=storage) as chat:
        await chat.say("/one")
        assert await chat.say("/two") == ("two?",)
        assert (await count(storage), await count(storage, "cancelled")) == (1, 1)
        assert await chat.say("/cancel") == (CANCELLED,)
    assert seen == ["one"]


async def test_a_flow_that_refuses_is_finished_first() -> None:
    storage = MemoryStorage()
    bot = app_of(asks("one", interrupt="refuse"), asks("two"))
    async with Chat(bot, storage=storage) as chat:
        await chat.say("/one")
        assert await chat.say("/two") == (BUSY, "one?")
        await chat.press("red")
        await chat.press("dark")
        assert await chat.say("/two") == ("two?",)


async def test_it_is_the_running_flow_that_decides_and_not_those_beneath() -> None:
    bot = app_of(asks("one", interrupt="refuse"), asks("two"), asks("three"))
    async with Chat(bot) as chat:
        await chat.say("/two")
        await chat.say("/one")
        assert await chat.say("/three") == (BUSY, "one?")
        await chat.say("/cancel")
        assert await chat.say("/three") == ("three?",)


async def test_a_flow_that_another_one_replaces_leaves_those_beneath_where_they_were() -> None:
    bot = app_of(asks("one"), asks("two", interrupt="replace"), asks("three"))
    async with Chat(bot) as chat:
        for command in ("/one", "/two", "/three"):
            await chat.say(command)
        assert await chat.say("/cancel") == (CANCELLED, "one?")


# --- parked flows ---------------------------------------------------------------------------


async def test_the_button_of_a_parked_flow_raises_it() -> None:
    """Lesson 18: the flow that was addressed last takes the free input."""
    storage, app = MemoryStorage(), app_of(asks("one"), asks("two"))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/one")
        red = chat.button("red").press()
        await chat.say("/two")
    async with Chat(app, storage=storage) as chat:
        assert await chat.send(red) == ("one: and?",)
        assert await chat.say("light") == ("light red, no payload", "two?")
        assert await chat.say("blue") == ("two: and?",)


async def test_of_two_that_would_take_it_the_one_that_asked_last_does() -> None:
    """Lesson 18."""
    async with Chat(app_of(asks("one"), asks("two"))) as chat:
        await chat.say("/two")
        await chat.say("/one")
        assert await chat.say("red") == ("one: and?",)


# --- cancel ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "said", "left"),
    [("top", (CANCELLED, "two?"), 2), ("all", (CANCELLED,), 0)],
)
async def test_cancel_ends_the_top_or_all(
    scope: Literal["top", "all"], said: tuple[str, ...], left: int
) -> None:
    seen: list[str] = []
    registry = FlowRegistry()
    for name in ("one", "two", "three"):
        registry.register(OnCommand(name), asks(name, seen=seen))
    registry.cancel_command("stop", scope=scope)
    storage = MemoryStorage()
    async with Chat(App(Router("bot"), registry=registry), storage=storage) as chat:
        for command in ("/one", "/two", "/three"):
            await chat.say(command)
        assert await chat.say("/stop") == said
        assert await count(storage) == left
    assert seen == (["three", "two", "one"] if scope == "all" else ["three"])


async def test_cancel_ends_what_was_called_too_the_inner_hooks_first() -> None:
    seen: list[str] = []
    child = asks("child", seen=seen)

    async def step(turn: OneTurn) -> Action[One]:
        await turn.call(child)
        return turn.complete()

    async def cancelled(turn: OneTurn) -> None:
        seen.append("caller")

    builder = FlowBuilder("caller", One, Names).step(One.ONLY, step)
    builder.on_cancel(cancelled)
    storage = MemoryStorage()
    async with Chat(app_of(builder.build(initial=One.ONLY)), storage=storage) as chat:
        await chat.say("/start")
        assert await chat.say("/cancel") == (CANCELLED,)
        assert await count(storage, "cancelled") == 1
    assert seen == ["child", "caller"]
