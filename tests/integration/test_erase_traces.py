"""After a person is erased nothing of them is left: not in a file, not in a listing, not in the
memory of the process, and nothing is sent to them any more.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing import Chat, TestChannel, VirtualClock
from flows import Action, Context, FlowBuilder, Roles, Router, Sessions, Turn, Update
from flows.errors import SendLater, SendRefused
from flows.ports import Delivery, FlowStorage, Query
from flows.updates import TextMessage
from storage import EncryptedStorage, Keyring, MemoryStorage, SqlStorage
from storage.crypto.keys import new_key
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

CANARY = "canary-word-77"
WHO = "canary-person-77"
LISTINGS = ("instances", "transitions", "dead_letters", "inbox", "outbox", "timers")


class Slow(TestChannel):
    """A service that asks to wait, or refuses, when it is told so."""

    async def send(self, delivery: Delivery) -> str | None:
        if "wait" in delivery.text:
            raise SendLater(60)
        if "refuse" in delivery.text:
            raise SendRefused(f"no: {delivery.text}")
        return await super().send(delivery)


def app() -> App:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        while True:
            turn.data.first = await turn.ask("A?")
            if turn.data.first == "end":
                return turn.complete()
            if turn.data.first.startswith("fail"):
                raise ValueError("no reason")
            turn.reply(f"you said {turn.data.first}")

    flow = FlowBuilder("keeps", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    return app_of(flow)


def on_file(folder: Path, kind: str) -> FlowStorage:
    file = SqlStorage(f"sqlite:///{folder / 'bot.db'}")
    return file if kind == "plain" else EncryptedStorage(file, Keyring.parse(new_key()))


def traces(folder: Path) -> list[str]:
    """The files that name the person or their words."""
    return [
        file.name
        for file in folder.iterdir()
        if any(word.encode() in file.read_bytes() for word in (CANARY, WHO))
    ]


def in_memory(of: App) -> str:
    """What the process keeps of conversations, messages and updates."""
    assert of._at_work is not None
    worker: Any = of._at_work.worker
    kept = (worker._turns._snapshots, worker._turns.mailboxes, worker._presses)
    return repr([*map(vars, kept), *queued(of)])


def queued(of: App) -> list[object]:
    """The chats that something is to be sent to, with that."""
    assert of._at_work is not None
    sender: Any = of._at_work.worker._sender
    return list(sender._chats)


@pytest.mark.parametrize("kind", ["plain", "encrypted"])
async def test_nothing_is_left_of_a_person_in_any_file_or_listing(
    tmp_path: Path, kind: str
) -> None:
    bot = app()
    async with Chat(bot, storage=on_file(tmp_path, kind), channel=Slow) as chat:
        for text in (
            *("/start", CANARY, f"refuse {CANARY}", f"fail {CANARY}", "end"),
            *("/start", f"{CANARY} again", "/start"),
        ):
            await chat.say(text, by=WHO)
        await chat.say("/start", by="somebody")
        assert traces(tmp_path)
        await bot.erase(f"test/{WHO}")
        assert traces(tmp_path) == []
        found = [
            await bot.running._storage.inspect(Query(what=what))  # type: ignore[arg-type]
            for what in LISTINGS
        ]
        assert not any(word in repr(found) for word in (CANARY, WHO))
        assert not any(word in in_memory(bot) for word in (CANARY, WHO))
        assert (await chat.say("A word", by="somebody"))[-1] == "A?"
    assert traces(tmp_path) == []


async def test_what_waits_to_be_sent_to_an_erased_person_is_never_sent(tmp_path: Path) -> None:
    bot = app()
    async with Chat(bot, storage=on_file(tmp_path, "plain"), channel=Slow) as chat:
        await chat.say("/start", by=WHO)
        await chat.hand_in([chat.update(TextMessage(f"wait {CANARY}"), by=WHO)])
        for _ in range(20):
            await asyncio.sleep(0)
        assert CANARY in repr(queued(bot))
        await bot.erase(f"test/{WHO}")
        assert CANARY not in in_memory(bot)
        assert CANARY not in str([one.text for one in chat.deliveries])
    assert traces(tmp_path) == []


async def test_what_an_erased_person_has_sent_before_is_not_run_after() -> None:
    ran: list[str] = []
    begun, busy = asyncio.Event(), asyncio.Event()

    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("A?")
        ran.append(said)
        begun.set()
        await busy.wait()
        return turn.complete()

    flow = FlowBuilder("keeps", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    bot, storage = app_of(flow), MemoryStorage()
    async with Chat(bot, storage=storage) as chat:
        await chat.say("/start", by=WHO)
        await chat.hand_in([chat.update(TextMessage(text), by=WHO) for text in ("one", "two")])
        await begun.wait()
        await bot.running.erase(f"test/{WHO}", patience=0)
        busy.set()
        await chat.settle()
        assert ran == ["one"]
        assert WHO not in repr(storage.database)


async def test_what_another_process_has_erased_is_sent_once_at_the_most() -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    tried: list[str] = []

    class Waiting(TestChannel):
        async def send(self, delivery: Delivery) -> str | None:
            if "wait" in delivery.text:
                tried.append(delivery.text)
                raise SendLater(60)
            return await super().send(delivery)

    async with Chat(app(), clock=clock, storage=storage, channel=Waiting) as chat:
        await chat.say("/start", by=WHO)
        await chat.say(f"wait {CANARY}", by=WHO)
        beside = MemoryStorage(database=storage.database)
        await beside.open()
        await beside.erase(f"test/{WHO}")
        await beside.close()
        await chat.advance(timedelta(minutes=30))
        assert len(tried) <= 2
        assert CANARY not in repr(storage.database)
        assert CANARY not in str([one.text for one in chat.deliveries])


class Visits(BaseModel):
    """A session."""

    count: int = 0


@pytest.mark.parametrize("key", ["user_in_chat", "user", "chat"])
async def test_a_session_that_memory_alone_keeps_is_forgotten_too(key: Any) -> None:
    router = Router("visits")

    @router.command("visit")
    async def visit(ctx: Context[Visits]) -> None:
        ctx.session.count += 1
        ctx.reply(f"{ctx.session.count}")

    bot = App(router, session=Sessions(Visits, key=key, persist=False))
    async with Chat(bot) as chat:
        await chat.say("/visit", by=WHO)
        await chat.say("/visit", by="somebody")
        await bot.erase(f"test/{WHO}")
        assert await chat.say("/visit", by=WHO) == ("1",)
        assert await chat.say("/visit", by="somebody") == ("2",)


async def test_roles_that_are_remembered_are_forgotten_too() -> None:
    asked: list[str] = []

    def resolve(update: Update, deps: Any) -> list[str]:
        asked.append(update.user.id if update.user is not None else "")
        return ["guest"]

    bot = App(Router("roles"), roles=Roles(resolver=resolve, keep=timedelta(hours=1)))
    async with Chat(bot) as chat:
        await chat.say("Hello", by=WHO)
        await bot.erase(f"test/{WHO}")
        await chat.say("Hello", by=WHO)
    assert asked == [WHO, WHO]
