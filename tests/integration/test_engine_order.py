"""Order within a conversation, independence between conversations, and duplicates."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from pathlib import Path

import pytest

from engine.intake.mailboxes import Mailboxes
from engine.testing.chat import Chat
from flows import Action, Context, Flow, FlowBuilder, TextMessage, Turn, Update
from flows.ports import Delivery, FlowStorage
from storage import MemoryStorage, open_storage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


def echo() -> Flow[One, Names]:
    """Answers each message with its number and its text."""

    async def step(turn: Turn[One, Names]) -> Action[One]:
        number = 0
        said = await turn.ask("Go on.")
        while said != "stop":
            number += 1
            said = await turn.ask(f"{number}: {said}")
        return turn.complete()

    return FlowBuilder("echo", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


def storages(folder: Path) -> dict[str, FlowStorage]:
    return {
        "memory": MemoryStorage(),
        "sqlite": open_storage(f"sqlite+aiosqlite:///{folder / 'test.db'}"),
    }


def texts(chat: Chat, by: str = "1") -> list[str]:
    return [delivery.text for delivery in chat.deliveries if delivery.chat == by]


def messages(chat: Chat, count: int, *, by: str = "1") -> list[Update]:
    return [chat.update(TextMessage(f"m{n}"), by=by) for n in range(1, count + 1)]


TWENTY = [f"{n}: m{n}" for n in range(1, 21)]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_twenty_messages_in_one_page_are_twenty_turns_in_order(
    kind: str, tmp_path: Path
) -> None:
    async with Chat(app_of(echo()), storage=storages(tmp_path)[kind]) as chat:
        await chat.say("/start")
        await chat.hand_in(messages(chat, 20))
        await chat.settle()
    assert texts(chat) == ["Go on.", *TWENTY]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_twenty_messages_in_twenty_pages_are_twenty_turns_in_order(
    kind: str, tmp_path: Path
) -> None:
    async with Chat(app_of(echo()), storage=storages(tmp_path)[kind]) as chat:
        await chat.say("/start")
        for message in messages(chat, 20):
            await chat.hand_in([message])
        await chat.settle()
    assert texts(chat) == ["Go on.", *TWENTY]


async def test_messages_of_several_people_keep_the_order_of_each() -> None:
    async with Chat(app_of(echo())) as chat:
        people = [str(n) for n in range(1, 8)]
        for by in people:
            await chat.say("/start", by=by)
        pages = zip(*(messages(chat, 20, by=by) for by in people), strict=True)
        await chat.hand_in([update for page in pages for update in page])
        await chat.settle()
    assert {by: texts(chat, by)[1:] for by in people} == dict.fromkeys(people, TWENTY)


async def test_what_does_not_fit_into_memory_waits_in_the_database_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.turns.ticks.Mailboxes", partial(Mailboxes, capacity=3))
    async with Chat(app_of(echo())) as chat:
        await chat.say("/start")
        await chat.hand_in(messages(chat, 20))
        await chat.settle()
    assert texts(chat) == ["Go on.", *TWENTY]


def slow(release: asyncio.Event, begun: asyncio.Event) -> Flow[One, Names]:
    """Hangs at the answer ``wait`` until it is released."""

    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Name?")
        if said == "wait":
            begun.set()
            await release.wait()
        turn.reply(f"hello {said}")
        return turn.complete()

    return FlowBuilder("slow", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


async def test_a_slow_handler_of_one_person_delays_nobody_else() -> None:
    release, begun = asyncio.Event(), asyncio.Event()
    async with Chat(app_of(slow(release, begun))) as chat:
        for by in ("1", "2"):
            await chat.say("/start", by=by)
        await chat.hand_in([chat.update(TextMessage("wait"), by="1")])
        await begun.wait()
        answered = _answered_to(chat, "2")
        await chat.hand_in([chat.update(TextMessage("Bob"), by="2")])
        await answered.wait()
        assert (texts(chat, "1"), texts(chat, "2")) == (["Name?"], ["Name?", "hello Bob"])
        release.set()
        await chat.settle()
    assert texts(chat, "1") == ["Name?", "hello wait"]


async def test_messages_behind_a_slow_handler_wait_for_it() -> None:
    release, begun = asyncio.Event(), asyncio.Event()
    async with Chat(app_of(slow(release, begun))) as chat:
        await chat.say("/start")
        await chat.hand_in([chat.update(TextMessage("wait"))])
        await begun.wait()
        await chat.hand_in([chat.update(TextMessage("and this"))])
        release.set()
        await chat.settle()
    assert texts(chat)[1] == "hello wait"
    assert texts(chat)[2].startswith("I did not understand")


async def test_a_hanging_handler_is_stopped_and_named_and_the_person_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    never = asyncio.Event()
    app = app_of(slow(never, asyncio.Event()), handler_timeout=0.01)
    async with Chat(app) as chat:
        await chat.say("/start")
        apology = await chat.say("wait")
        assert apology == ("Sorry, something went wrong. Please try that again.",)
        assert await chat.say("Ada") == ("hello Ada",)
    assert "flow 'slow', step ONLY: the handler ran for more than 0.01 seconds" in caplog.text


async def test_a_hanging_plain_handler_is_stopped(caplog: pytest.LogCaptureFixture) -> None:
    app = app_of(echo(), handler_timeout=0.01)

    @app.router.command("hang")
    async def hang(ctx: Context) -> None:
        await asyncio.Event().wait()

    async with Chat(app) as chat:
        assert await chat.say("/hang") == ("Sorry, something went wrong. Please try that again.",)
        assert await chat.say("/start") == ("Go on.",)
    assert "a plain handler" in caplog.text


async def test_a_hanging_handler_of_an_update_without_a_chat_is_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = app_of(echo(), handler_timeout=0.01)

    @app.router.kind("text")
    async def hang(ctx: Context) -> None:
        await asyncio.Event().wait()

    async with Chat(app) as chat:
        await chat.hand_in([_without_chat(chat)])
        await chat.settle()
        assert await chat.say("/start") == ("Go on.",)
    assert "an update without a conversation failed" in caplog.text


async def test_an_update_without_a_chat_reaches_the_router_and_no_conversation() -> None:
    seen: list[Update] = []
    app = app_of(echo())

    @app.router.kind("text")
    async def handler(ctx: Context) -> None:
        seen.append(ctx.update)

    storage = MemoryStorage()
    async with Chat(app, storage=storage) as chat:
        await chat.hand_in([_without_chat(chat)])
        await chat.settle()
    assert [update.conversation for update in seen] == [None]
    assert storage.database.scopes == {}


async def test_the_same_update_twice_in_a_page_is_one_turn() -> None:
    async with Chat(app_of(echo())) as chat:
        await chat.say("/start")
        (message,) = messages(chat, 1)
        await chat.hand_in([message, message])
        await chat.settle()
    assert texts(chat) == ["Go on.", "1: m1"]


async def test_the_same_update_in_a_later_page_is_no_turn() -> None:
    async with Chat(app_of(echo())) as chat:
        await chat.say("/start")
        (message,) = messages(chat, 1)
        for _ in range(3):
            await chat.hand_in([message])
            await chat.settle()
    assert texts(chat) == ["Go on.", "1: m1"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_the_same_update_after_a_restart_is_no_turn(kind: str, tmp_path: Path) -> None:
    storage = storages(tmp_path)[kind]
    async with Chat(app_of(echo()), storage=storage) as chat:
        await chat.say("/start")
        (message,) = messages(chat, 1)
        await chat.hand_in([message])
        await chat.settle()
    async with Chat(app_of(echo()), storage=storage) as again:
        await again.hand_in([message])
        await again.settle()
        assert texts(again) == []
        assert await again.say("next") == ("2: next",)


async def test_an_update_that_no_storage_can_take_does_not_hold_up_its_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Chat(app_of(echo())) as chat:
        await chat.say("/start")
        first, second = messages(chat, 2)
        too_large = chat.update(TextMessage("x" * (1 << 20)))
        await chat.hand_in([first, too_large, second])
        await chat.settle()
    assert texts(chat) == ["Go on.", "1: m1", "2: m2"]
    assert f"{too_large.ext} is dropped: its body has" in caplog.text


async def test_an_update_is_kept_without_a_raw_object_that_is_too_large() -> None:
    async with Chat(app_of(echo())) as chat:
        await chat.say("/start")
        (message,) = messages(chat, 1)
        await chat.hand_in([_with_raw(message, {"junk": "x" * (1 << 20)})])
        await chat.settle()
    assert texts(chat) == ["Go on.", "1: m1"]


def _with_raw(update: Update, raw: dict[str, str]) -> Update:
    return Update(
        source=update.source,
        ext=update.ext,
        content=update.content,
        at=update.at,
        address=update.address,
        user=update.user,
        raw=raw,
    )


def _without_chat(chat: Chat) -> Update:
    made = chat.update(TextMessage("hello"))
    return Update(source=made.source, ext=made.ext, content=made.content, at=made.at)


def _answered_to(chat: Chat, by: str) -> asyncio.Event:
    """Set when the next message to that person is shown."""
    event, show = asyncio.Event(), chat.show

    def watch(delivery: Delivery) -> str:
        if delivery.chat == by:
            event.set()
        return show(delivery)

    chat.show = watch  # type: ignore[method-assign]  # the screen tells when it changes
    return event


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")
