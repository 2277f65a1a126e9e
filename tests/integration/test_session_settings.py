"""Sessions: whose they are, what they begin with, and where they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.frame.memory_sessions import MemorySessions
from engine.testing import Chat, CrashPoint
from flows import (
    Action,
    Context,
    DefinitionError,
    FlowBuilder,
    OnCommand,
    PreContext,
    Router,
    Sessions,
    Stop,
    Turn,
)
from flows.routing.registry import FlowRegistry
from storage import MemoryStorage
from tests.support import Names, One

pytestmark = pytest.mark.anyio


class Known(BaseModel):
    """A session."""

    visits: int = 0
    note: str = ""


class Named(BaseModel):
    """A session with a field that has no default."""

    name: str
    visits: int = 0


class Shelf:
    """A storage of sessions of one's own."""

    def __init__(self, *, fails: bool = False) -> None:
        self.kept: dict[str, Mapping[str, Any]] = {}
        self.calls: list[str] = []
        self.fails = fails

    async def get(self, key: str) -> Mapping[str, Any] | None:
        self.calls.append("get")
        await asyncio.sleep(0)
        return self.kept.get(key)

    async def persist(self, key: str, session: Mapping[str, Any]) -> None:
        self.calls.append("persist")
        if self.fails:
            raise OSError("the shelf is full")
        self.kept[key] = session


def counting(session: Any, **more: Any) -> App:
    """A bot that counts visits, in a handler and in a flow."""
    flow = FlowBuilder("flow", One, Names)

    @flow.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.session.visits += 10
        turn.reply(f"{await turn.ask('Note?')} {turn.session.visits}")
        return turn.complete()

    registry = FlowRegistry()
    registry.register(OnCommand("flow"), flow.build(initial=One.ONLY))
    router = Router("bot")
    registry.apply_to_router(router)

    @router.command("count")
    async def count(ctx: Context[Any]) -> None:
        ctx.session.visits += 1
        ctx.reply(f"{ctx.session.visits}")

    @router.command("look")
    async def look(ctx: Context[Any]) -> None:
        ctx.reply(f"{ctx.get_session().visits}")

    @router.command("name")
    async def name(ctx: Context[Any]) -> None:
        ctx.reply(ctx.session.name)

    return App(router, session=session, **more)


# --- whose ------------------------------------------------------------------------------


async def test_unless_said_a_person_has_one_in_each_chat() -> None:
    async with Chat(counting(Sessions(Known))) as chat:
        assert await chat.say("/count") == ("1",)
        assert await chat.say("/count", chat="-5") == ("1",)
        assert await chat.say("/count", by="2", chat="-5") == ("1",)


async def test_a_person_may_have_one_for_all_chats() -> None:
    async with Chat(counting(Sessions(Known, key="user"))) as chat:
        assert await chat.say("/count") == ("1",)
        assert await chat.say("/count", chat="-5") == ("2",)
        assert await chat.say("/count", by="2", chat="-5") == ("1",)
        await chat.restart()
        assert await chat.say("/look") == ("2",)


async def test_a_chat_may_have_one_for_all_people() -> None:
    async with Chat(counting(Sessions(Known, key="chat"))) as chat:
        await chat.say("/count", chat="-5")
        assert await chat.say("/count", by="2", chat="-5") == ("2",)
        assert await chat.say("/count", by="2") == ("1",)


async def test_a_function_may_say_whose_it_is() -> None:
    def team(update: Any) -> str | None:
        return "red" if update.user.id in ("1", "2") else None

    async with Chat(counting(Sessions(Known, key=team))) as chat:
        await chat.say("/count")
        assert await chat.say("/count", by="2") == ("2",)
        assert await chat.say("/count", by="3") == ("1",)
        assert await chat.say("/count", by="3") == ("1",)


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_an_open_step_sees_it_as_of_its_entry_whatever_other_chats_write(
    elsewhere: bool,
) -> None:
    sessions = Sessions(Known, key="user", storage=Shelf() if elsewhere else None)
    async with Chat(counting(sessions)) as chat:
        await chat.say("/flow", chat="-5")
        assert await chat.say("/count") == ("1",)
        assert await chat.say("x", chat="-5") == ("x 10",)
        assert await chat.say("/look") == ("10",)


# --- what they begin with ---------------------------------------------------------------


async def test_the_default_is_made_once_and_kept() -> None:
    made: list[str] = []

    def default() -> Named:
        made.append("x")
        return Named(name=f"guest {len(made)}")

    async with Chat(counting(Sessions(Named, default=default))) as chat:
        assert await chat.say("/name") == ("guest 2",)
        await chat.restart()
        assert await chat.say("/name") == ("guest 2",)
        assert await chat.say("/name", by="2") == ("guest 3",)


async def test_what_is_stored_is_not_made_anew() -> None:
    storage = MemoryStorage()
    async with Chat(counting(Known), storage=storage) as chat:
        await chat.say("/count")
    later = Sessions(Known, default=lambda: Known(visits=100))
    async with Chat(counting(later), storage=storage) as chat:
        assert await chat.say("/look") == ("1",)


# --- another in its place ---------------------------------------------------------------


async def test_another_session_takes_its_place_whole() -> None:
    router = Router("bot")

    @router.command("set")
    async def put(ctx: Context[Known]) -> None:
        ctx.session.note = "old"
        ctx.next_session(Known(visits=7))

    @router.command("get")
    async def get(ctx: Context[Known]) -> None:
        ctx.reply(f"{ctx.get_session()!r}")

    async with Chat(App(router, session=Known)) as chat:
        await chat.say("/set")
        assert await chat.say("/get") == ("Known(visits=7, note='')",)


async def test_a_step_may_put_another_in_its_place() -> None:
    flow = FlowBuilder("flow", One, Names)

    @flow.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        note = await turn.ask("Note?")
        turn.next_session(Known(note=note, visits=turn.get_session().visits + 1))
        return turn.complete()

    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow.build(initial=One.ONLY))
    router = Router("bot")
    registry.apply_to_router(router)

    @router.command("get")
    async def get(ctx: Context[Known]) -> None:
        ctx.reply(f"{ctx.session!r}")

    async with Chat(App(router, session=Known)) as chat:
        await chat.say("/start")
        await chat.say("milk")
        assert await chat.say("/get") == ("Known(visits=1, note='milk')",)


@pytest.mark.parametrize(
    ("session", "words"),
    [(Known, "it must be a Known"), (None, "there is no session model")],
)
async def test_what_is_no_session_does_not(
    session: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    router = Router("bot")

    @router.command("set")
    async def put(ctx: Context[Any]) -> None:
        ctx.next_session({"visits": 7})

    async with Chat(App(router, session=session)) as chat:
        await chat.say("/set")
    assert f"next_session({{'visits': 7}}): {words}" in caplog.text


# --- where they are kept ----------------------------------------------------------------


async def test_what_is_not_persisted_ends_with_the_process() -> None:
    async with Chat(counting(Sessions(Known, persist=False))) as chat:
        assert await chat.say("/count") == ("1",)
        assert await chat.say("/count") == ("2",)
        await chat.restart()
        assert await chat.say("/count") == ("1",)


async def test_memory_holds_so_many_and_forgets_what_was_used_longest_ago() -> None:
    sessions = MemorySessions(most=2)
    for key in "ab":
        await sessions.persist(key, {"key": key})
    await sessions.get("a")
    await sessions.persist("c", {"key": "c"})
    assert [await sessions.get(key) for key in "abc"] == [{"key": "a"}, None, {"key": "c"}]


async def test_a_storage_of_ones_own_keeps_them() -> None:
    shelf = Shelf()
    async with Chat(counting(Sessions(Known, storage=shelf))) as chat:
        assert await chat.say("/count") == ("1",)
        await chat.restart()
        assert await chat.say("/count") == ("2",)
    assert list(shelf.kept.values()) == [{"visits": 2, "note": ""}]
    (key,) = shelf.kept
    assert key == "test/local/1//1"


async def test_what_has_not_changed_is_not_persisted() -> None:
    shelf = Shelf()
    async with Chat(counting(Sessions(Known, storage=shelf))) as chat:
        await chat.say("/look")
    assert shelf.calls == ["get"]


async def test_what_is_stopped_loads_no_session() -> None:
    shelf = Shelf()

    async def closed(ctx: PreContext) -> Stop:
        return Stop()

    app = counting(Sessions(Known, storage=shelf), pre_handlers=[closed])
    async with Chat(app) as chat:
        await chat.say("/count")
    assert shelf.calls == []


async def test_a_storage_that_fails_fails_the_turn(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(fails=True)
    async with Chat(counting(Sessions(Known, storage=shelf))) as chat:
        (said,) = await chat.say("/count")
        assert said.startswith("Sorry")
        shelf.fails = False
        assert await chat.say("/count") == ("1",)
    assert "the shelf is full" in caplog.text


async def test_a_catch_handler_leaves_a_session_that_is_kept_elsewhere_as_it_was() -> None:
    shelf = Shelf()
    app = counting(Sessions(Known, storage=shelf))

    @app.router.command("fail")
    async def fail(ctx: Context[Known]) -> None:
        ctx.session.visits = 100
        raise ValueError("boom")

    @app.router.catch
    async def tell(ctx: Context[Known], error: Exception) -> None:
        ctx.reply(f"{error} {ctx.session.visits}")

    async with Chat(app) as chat:
        await chat.say("/count")
        assert await chat.say("/fail") == ("boom 1",)
        assert await chat.say("/look") == ("1",)


async def test_a_session_that_cannot_be_fetched_is_not_overwritten() -> None:
    class Locked(Shelf):
        locked = False

        async def get(self, key: str) -> Mapping[str, Any] | None:
            if self.locked:
                raise OSError("the shelf is locked")
            return await super().get(key)

    shelf = Locked()
    app = counting(Sessions(Known, storage=shelf, default=lambda: Known(visits=50)))

    @app.router.catch
    async def tell(ctx: Context[Known], error: Exception) -> None:
        ctx.reply(f"{error}")

    async with Chat(app) as chat:
        assert await chat.say("/count") == ("51",)
        shelf.locked = True
        (said,) = await chat.say("/count")
        assert said.startswith("Sorry")
        shelf.locked = False
        assert await chat.say("/look") == ("51",)


async def test_a_turn_that_is_run_again_finds_what_it_has_persisted() -> None:
    shelf = Shelf()
    async with Chat(counting(Sessions(Known, storage=shelf))) as chat:
        chat.crash_at(CrashPoint("commit"))
        await chat.say("/count")
        await chat.restart()
        assert chat.replies() == ("2",)


async def test_the_flows_of_the_bot_see_a_session_that_is_kept_elsewhere() -> None:
    shelf = Shelf()
    async with Chat(counting(Sessions(Known, storage=shelf))) as chat:
        await chat.say("/flow")
        assert await chat.say("x") == ("x 10",)
        assert await chat.say("/look") == ("10",)


# --- mistakes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Sessions(Named), "needs a default for its field 'name'"),
        (lambda: Sessions(dict), "must be a pydantic model"),  # type: ignore[type-var]
        (lambda: Sessions(Known, default=dict), "which is no Known"),  # type: ignore[arg-type]
        (lambda: Sessions(Known, key="city"), "the key 'city' is none of"),  # type: ignore[arg-type]
        (lambda: Sessions(Known, persist=False, storage=Shelf()), "has a storage and persist"),
        (lambda: App(Router("bot"), session=Named), "needs a default for its field 'name'"),
    ],
)
def test_what_cannot_be_a_session_is_refused(wrong: Any, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        wrong()


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_plain_handler_that_asks_sees_it_as_of_its_first_question(elsewhere: bool) -> None:
    sessions = Sessions(Known, key="user", storage=Shelf() if elsewhere else None)
    app = counting(sessions)

    @app.router.command("ask")
    async def ask(ctx: Context[Known]) -> None:
        before = ctx.session.visits
        note = await ctx.ask("Note?")
        ctx.session.note = note
        ctx.reply(f"{before}")

    async with Chat(app) as chat:
        await chat.say("/ask", chat="-5")
        assert await chat.say("/count") == ("1",)
        assert await chat.say("x", chat="-5") == ("0",)
        assert await chat.say("/look") == ("1",)
