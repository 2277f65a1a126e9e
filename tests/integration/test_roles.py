"""Roles: who may do what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine import App
from engine.testing import Chat, VirtualClock
from flows import (
    Action,
    Context,
    DefinitionError,
    FlowBuilder,
    FlowRegistry,
    OnCallback,
    OnCommand,
    Press,
    Roles,
    Router,
    Text,
    Turn,
    Update,
    call_flow,
    requires,
)
from tests.support import Names, One, cancelled

pytestmark = pytest.mark.anyio

ADMINS = Roles({"admin": {1}, "boss": {"1", "2"}})
REFUSED = "You may not do that."


def bot(roles: Roles | None = ADMINS, **more: Any) -> App:
    """A bot with a handler and a flow for admins."""
    flow = FlowBuilder("ban", One, Names).ask(One.ONLY, "Whom?", Text(), into="first")
    registry = FlowRegistry()
    built = flow.build(initial=One.ONLY)
    registry.register(OnCommand("ban"), built, requires="admin")
    registry.register(OnCallback("ban"), built, requires=requires("admin"))
    router = Router("bot")
    registry.apply_to_router(router)

    @router.command("stop")
    @requires("admin", "owner")
    async def stop(ctx: Context) -> None:
        """Stops it."""
        ctx.reply("stopped")

    @router.callback("stop")
    @requires("admin", refusal="Ask an admin.")
    async def stop_button(ctx: Context) -> None:
        ctx.notice("stopped")

    @router.command("me")
    async def me(ctx: Context) -> None:
        ctx.reply(" ".join(sorted(ctx.roles)) or "nobody")

    @router.command("report")
    async def report(ctx: Context) -> None:
        await call_flow(ctx, registry, "ban")

    return App(router, roles=roles, **more)


async def test_a_handler_for_a_role_takes_those_who_have_it() -> None:
    async with Chat(bot()) as chat:
        assert await chat.say("/stop") == ("stopped",)
        assert await chat.say("/stop", by="2") == (REFUSED,)


async def test_a_press_is_refused_by_a_notice() -> None:
    async with Chat(bot()) as chat:
        await chat.send(Press(id="p1", data="stop"), by="2")
        await chat.send(Press(id="p2", data="stop"))
        assert chat.notices == [("p1", "Ask an admin."), ("p2", "stopped")]


async def test_a_flow_for_a_role_starts_for_those_who_have_it() -> None:
    async with Chat(bot()) as chat:
        assert await chat.say("/ban") == ("Whom?",)
        assert await chat.say("/ban", by="2") == (REFUSED,)
        await chat.send(Press(id="p1", data="ban"), by="2")
        assert chat.notices == [("p1", REFUSED)]


async def test_handlers_start_it_for_anybody() -> None:
    async with Chat(bot()) as chat:
        assert await chat.say("/report", by="2") == ("Whom?",)


async def test_roles_are_at_hand() -> None:
    async with Chat(bot()) as chat:
        assert await chat.say("/me") == ("admin boss",)
        assert await chat.say("/me", by="2") == ("boss",)
        assert await chat.say("/me", by="3") == ("nobody",)


async def test_a_step_sees_the_same_roles_in_each_run() -> None:
    held = ["admin"]
    flow = FlowBuilder("one", One, Names)

    @flow.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        if "admin" in turn.roles:
            turn.reply(await turn.ask("Secret?"))
        turn.reply("bye")
        return turn.complete()

    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow.build(initial=One.ONLY))
    router = Router("bot")
    registry.apply_to_router(router)
    app = App(router, roles=Roles(resolver=lambda update, deps: held))
    async with Chat(app) as chat:
        assert await chat.say("/start") == ("Secret?",)
        held.clear()
        assert await chat.say("sesame") == ("sesame", "bye")
        assert await chat.say("/start") == ("bye",)


# --- resolvers --------------------------------------------------------------------------


async def test_a_resolver_is_asked_with_the_update_and_the_dependencies() -> None:
    async def from_table(update: Update, deps: dict[str, list[str]]) -> list[str]:
        return deps.get(update.user.id if update.user else "", [])

    app = bot(Roles({"admin": {2}}, resolver=from_table), deps={"2": ["owner"]})
    async with Chat(app) as chat:
        assert await chat.say("/me", by="2") == ("admin owner",)
        assert await chat.say("/me") == ("nobody",)


async def test_its_answer_is_remembered_for_a_person_in_a_chat() -> None:
    asked: list[str] = []

    def resolve(update: Update, deps: Any) -> set[str]:
        asked.append(str(update.address))
        return {"admin"}

    app = bot(Roles(resolver=resolve, keep=timedelta(minutes=5)))
    async with Chat(app, clock=VirtualClock()) as chat:
        for _ in range(2):
            await chat.say("/me")
            await chat.say("/me", chat="-5")
        assert len(asked) == 2
        await chat.advance(300)
        await chat.say("/me")
    assert len(asked) == 3


async def test_unless_said_it_is_asked_each_time() -> None:
    asked: list[str] = []

    def resolve(update: Update, deps: Any) -> set[str]:
        asked.append("x")
        return set()

    async with Chat(bot(Roles(resolver=resolve))) as chat:
        await chat.say("/me")
        await chat.say("/me")
    assert len(asked) == 2


async def test_where_it_fails_nobody_has_a_role_of_it(caplog: pytest.LogCaptureFixture) -> None:
    def broken(update: Update, deps: Any) -> set[str]:
        raise OSError("no directory")

    async with Chat(bot(Roles({"boss": {1}}, resolver=broken))) as chat:
        assert await chat.say("/me") == ("boss",)
        assert await chat.say("/stop") == (REFUSED,)
    assert "the roles cannot be resolved: no directory" in caplog.text


# --- mistakes ---------------------------------------------------------------------------


async def test_where_its_work_was_cancelled_nobody_has_a_role_of_it() -> None:
    async def resolve(update: Update, deps: Any) -> list[str]:
        await cancelled()
        return ["admin"]

    async with Chat(bot(Roles(resolver=resolve))) as chat:
        assert await chat.say("/me") == ("nobody",)


def test_a_requirement_that_nobody_can_meet_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"requires\('admin'\) is for nobody"):
        bot(None)


async def test_one_that_came_later_is_refused_at_the_start() -> None:
    router = Router("bot")
    app = App(router)

    @router.command("stop")
    @requires("owner")
    async def stop(ctx: Context) -> None:
        ctx.reply("stopped")

    with pytest.raises(DefinitionError, match=r"requires\('owner'\) is for nobody"):
        async with Chat(app):
            pytest.fail("it runs")


def test_a_flow_with_a_back_door_is_refused() -> None:
    flow = FlowBuilder("ban", One, Names).ask(One.ONLY, "Whom?", Text(), into="first")
    built, registry = flow.build(initial=One.ONLY), FlowRegistry()
    registry.register(OnCommand("ban"), built, requires="admin")
    with pytest.raises(DefinitionError, match="back door"):
        registry.register(OnCallback("ban"), built)


def test_a_requirement_above_the_router_is_refused() -> None:
    router = Router("bot")
    with pytest.raises(DefinitionError, match="Write it beneath"):

        @requires("admin")
        @router.command("stop")
        async def stop(ctx: Context) -> None: ...


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: requires(), "needs the names of roles"),
        (lambda: requires(""), "needs the names of roles"),
        (lambda: requires(min), "needs the names of roles"),  # type: ignore[arg-type]
        (lambda: requires("admin")(print), "it is not async"),  # type: ignore[arg-type]
        (lambda: Roles(), "knows nobody"),
        (lambda: Roles({"admin": "12"}), "is one text"),
        (lambda: Roles(["admin"]), "write {'admin'"),  # type: ignore[arg-type]
        (lambda: Roles(resolver="me"), "resolver of roles must be"),  # type: ignore[arg-type]
        (lambda: Roles({"admin": {1}}, keep=timedelta(-1)), "must be nothing or more"),
    ],
)
def test_what_makes_no_roles_is_refused(wrong: Any, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        wrong()


def test_a_guarded_handler_keeps_its_name() -> None:
    @requires("admin")
    async def stop(ctx: Context) -> None:
        """Stops it."""

    assert (stop.__name__, stop.__doc__) == ("stop", "Stops it.")


async def test_a_guarded_handler_may_ask_and_who_has_lost_the_role_goes_on() -> None:
    held = ["admin"]
    router = Router("bot")

    @router.command("ban")
    @requires("admin")
    async def ban(ctx: Context) -> None:
        whom = await ctx.ask("Whom?")
        ctx.reply(f"{whom} is banned, says the {' '.join(ctx.roles)}.")

    app = App(router, roles=Roles(resolver=lambda update, deps: held))
    async with Chat(app) as chat:
        assert await chat.say("/ban") == ("Whom?",)
        held.clear()
        await chat.restart()
        assert await chat.say("Bob") == ("Bob is banned, says the admin.",)
        assert await chat.say("/ban") == (REFUSED,)
