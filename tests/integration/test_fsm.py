"""The state machine of plain handlers: a state and some data, stored with the turn."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.state.conversation import Conversation
from engine.testing import Chat
from engine.testing.failures import watched_failures
from flows import (
    CallNext,
    Context,
    DefinitionError,
    Fsm,
    NoState,
    OnCommand,
    OnKind,
    Press,
    Roles,
    Router,
    Sensitive,
    filters,
    requires,
    stay,
    transition,
)
from flows.errors import SecretKeyMissing
from flows.fsm import Stay, Transition
from flows.updates import Update
from storage import MemoryStorage, SqlStorage

pytestmark = pytest.mark.anyio

SORRY = "Sorry, something went wrong. Please try that again."


class Where(StrEnum):
    """States may be an enum of texts."""

    NAME = "waiting_name"
    AGE = "waiting_age"


class Form(BaseModel):
    """Typed data."""

    name: str = ""
    age: int = 0


async def show(ctx: Context) -> None:
    ctx.reply(repr(ctx.fsm.get_state()))


def form(**more: Any) -> App:
    """Asks for a name and an age, and shows what is kept."""
    router = Router("bot")

    @router.command("start")
    async def start(ctx: Context) -> Transition:
        ctx.reply("Name?")
        return transition(Where.NAME)

    @router.state(Where.NAME)
    async def name(ctx: Context) -> Transition:
        ctx.reply("Age?")
        return transition(Where.AGE, {"name": ctx.payload})

    @router.state(Where.AGE, where=~filters.matches("^[0-9]+$"))
    async def no_age(ctx: Context) -> Stay:
        ctx.reply("A number, please.")
        return stay()

    @router.state(Where.AGE)
    async def age(ctx: Context) -> None:
        state = ctx.fsm.get_state()
        assert state is not None
        ctx.fsm.reset_state()
        ctx.reply(f"{state.data['name']}, {ctx.payload}")

    router.command("show")(show)
    return App(router, **more)


async def test_handlers_lead_from_state_to_state() -> None:
    async with Chat(form()) as chat:
        assert await chat.say("/start") == ("Name?",)
        assert await chat.say("Ada") == ("Age?",)
        assert await chat.say("old") == ("A number, please.",)
        assert await chat.say("36") == ("Ada, 36",)
        assert await chat.say("/show") == ("None",)


async def test_the_state_outlives_the_process() -> None:
    storage = MemoryStorage()
    async with Chat(form(), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("Ada")
    async with Chat(form(), storage=storage) as chat:
        assert await chat.say("36") == ("Ada, 36",)


async def test_each_person_has_their_own_state_in_each_chat() -> None:
    async with Chat(form()) as chat:
        await chat.say("/start", by="1", chat="-5")
        assert await chat.say("/show", by="1", chat="-5") != ("None",)
        assert await chat.say("/show", by="2", chat="-5") == ("None",)
        assert await chat.say("/show", by="1") == ("None",)


async def test_keyed_by_chat_all_people_of_a_chat_share_one() -> None:
    async with Chat(form(fsm=Fsm(key="chat"))) as chat:
        await chat.say("/start", by="1", chat="-5")
        assert await chat.say("Ada", by="2", chat="-5") == ("Age?",)
        assert await chat.say("36", by="1", chat="-5") == ("Ada, 36",)
        assert await chat.say("/show", by="1") == ("None",)


def acts(*actions: Any, **more: Any) -> App:
    """Does one of these with /0, /1 ..."""
    router = Router("bot")
    for number, action in enumerate(actions):

        async def handler(ctx: Context, action: Any = action) -> Any:
            return action(ctx)

        router.command(str(number))(handler)
    router.command("show")(show)
    return App(router, **more)


async def test_a_state_alone_keeps_the_data() -> None:
    app = acts(lambda ctx: transition("a", {"n": 1}), lambda ctx: ctx.fsm.set_state("b"))
    async with Chat(app) as chat:
        await chat.say("/0")
        await chat.say("/1")
        assert await chat.say("/show") == ("FsmState(state='b', data={'n': 1})",)


async def test_data_alone_keeps_the_state() -> None:
    app = acts(lambda ctx: transition("a", {"n": 1}), lambda ctx: stay({"n": 2}))
    async with Chat(app) as chat:
        await chat.say("/0")
        await chat.say("/1")
        assert await chat.say("/show") == ("FsmState(state='a', data={'n': 2})",)


async def test_there_is_no_staying_where_there_is_no_state() -> None:
    async with Chat(acts(lambda ctx: stay({"n": 2}))) as chat:
        assert await chat.say("/0") == (SORRY,)
        assert await chat.say("/show") == ("None",)


async def test_init_sets_a_state_where_there_is_none() -> None:
    def init(ctx: Context) -> None:
        ctx.reply(ctx.fsm.init_state("idle", {"n": 1}).state)

    async with Chat(acts(init, lambda ctx: transition("busy"))) as chat:
        assert await chat.say("/0") == ("idle",)
        await chat.say("/1")
        assert await chat.say("/0") == ("busy",)


async def test_data_that_was_handed_out_changes_nothing_until_it_is_set() -> None:
    def change(ctx: Context) -> None:
        state = ctx.fsm.get_state()
        assert state is not None
        state.data["n"] = 2

    async with Chat(acts(lambda ctx: transition("a", {"n": 1}), change)) as chat:
        await chat.say("/0")
        await chat.say("/1")
        assert await chat.say("/show") == ("FsmState(state='a', data={'n': 1})",)


async def test_typed_data_is_a_model() -> None:
    def grow(ctx: Context) -> Transition:
        state = ctx.fsm.get_state()
        assert state is not None
        return transition("b", state.data.model_copy(update={"age": 36}))

    app = acts(lambda ctx: transition("a", Form(name="Ada")), grow, fsm=Fsm(Form))
    async with Chat(app) as chat:
        await chat.say("/0")
        await chat.say("/1")
        shown = "FsmState(state='b', data=Form(name='Ada', age=36))"
        assert await chat.say("/show") == (shown,)


@pytest.mark.parametrize("data", [{"age": "old"}, {"name": object()}, 7, Form])
async def test_typed_data_that_does_not_validate_is_not_kept(data: Any) -> None:
    async with Chat(acts(lambda ctx: transition("a", data), fsm=Fsm(Form))) as chat:
        assert await chat.say("/0") == (SORRY,)
        assert await chat.say("/show") == ("None",)


@pytest.mark.parametrize("data", [object(), [1], {"x": object()}, {1: 2}, Form(), "text"])
async def test_data_that_is_no_json_is_not_kept(data: Any) -> None:
    async with Chat(acts(lambda ctx: transition("a", data))) as chat:
        assert await chat.say("/0") == (SORRY,)
        assert await chat.say("/show") == ("None",)


@pytest.mark.parametrize("state", ["", None, 7])
async def test_what_is_no_name_of_a_state_is_refused(state: Any) -> None:
    async with Chat(acts(lambda ctx: ctx.fsm.set_state(state))) as chat:
        assert await chat.say("/0") == (SORRY,)


async def test_data_that_fits_no_more_can_be_forgotten() -> None:
    storage = MemoryStorage()
    async with Chat(acts(lambda ctx: transition("a", {"age": "old"})), storage=storage) as chat:
        await chat.say("/0")
    app = acts(lambda ctx: ctx.fsm.reset_state(), fsm=Fsm(Form))
    async with Chat(app, storage=storage) as chat:
        assert await chat.say("/show") == (SORRY,)
        await chat.say("/0")
        assert await chat.say("/show") == ("None",)


async def test_a_turn_that_fails_leaves_the_state_as_it_was() -> None:
    def fail(ctx: Context) -> None:
        ctx.fsm.set_state("b")
        raise ValueError

    async with Chat(acts(lambda ctx: transition("a"), fail)) as chat:
        await chat.say("/0")
        assert await chat.say("/1") == (SORRY,)
        assert await chat.say("/show") == ("FsmState(state='a', data={})",)


async def test_what_a_caught_failure_had_set_is_undone() -> None:
    outer, inner = Router("outer"), Router("inner")
    outer.include(inner)
    outer.command("show")(show)

    @inner.command("fail")
    async def fail(ctx: Context) -> None:
        ctx.fsm.set_state("b")
        raise ValueError

    @inner.catch
    async def caught(ctx: Context, error: Exception) -> None:
        ctx.reply(repr(ctx.fsm.get_state()))

    async with Chat(App(outer)) as chat:
        assert await chat.say("/fail") == ("None",)
        assert await chat.say("/show") == ("None",)


# --- who is called --------------------------------------------------------------------------


async def test_a_state_takes_no_command_unless_it_says_so() -> None:
    router = Router("bot")

    @router.command("enter")
    async def enter(ctx: Context) -> Transition:
        return transition("in")

    @router.state("in")
    async def inside(ctx: Context) -> None:
        ctx.reply("inside")

    @router.state("in", on=OnCommand("skip"))
    async def skip(ctx: Context) -> None:
        ctx.reply("skipped")

    @router.state("in", on=OnKind("press"))
    async def press(ctx: Context) -> None:
        ctx.reply("pressed")

    async with Chat(App(router)) as chat:
        assert await chat.say("/skip") != ("skipped",)
        await chat.say("/enter")
        assert await chat.say("/skip") == ("skipped",)
        assert await chat.say("hello") == ("inside",)
        assert await chat.send(Press(id="1", data="x")) == ("pressed",)
        assert await chat.say("/enter") == ()
    assert router.commands() == [("enter", "")]


async def test_a_handler_that_not_everybody_may_call_moves_the_state_of_who_may() -> None:
    router = Router("bot")

    @router.command("enter")
    @requires("admin", refusal="no")
    async def enter(ctx: Context) -> Transition:
        return transition("in")

    router.command("show")(show)
    async with Chat(App(router, roles=Roles({"admin": ["1"]}))) as chat:
        assert (await chat.say("/enter"), await chat.say("/enter", by="2")) == ((), ("no",))
        assert await chat.say("/show") == ("FsmState(state='in', data={})",)
        assert await chat.say("/show", by="2") == ("None",)


async def test_a_filter_by_state_keeps_the_rank_of_its_handler() -> None:
    router = Router("bot")

    @router.command("enter")
    async def enter(ctx: Context) -> Transition:
        return transition("in")

    @router.text(where=filters.state("in"))
    async def inside(ctx: Context) -> None:
        ctx.reply("inside")

    @router.text(where=~filters.state())
    async def outside(ctx: Context) -> None:
        ctx.reply("outside")

    async with Chat(App(router)) as chat:
        assert await chat.say("hello") == ("outside",)
        await chat.say("/enter")
        assert await chat.say("hello") == ("inside",)


async def test_a_middleware_may_set_the_state_that_decides() -> None:
    router = Router("bot")

    @router.middleware
    async def enters(ctx: Context, call_next: CallNext) -> None:
        ctx.fsm.set_state("in")
        await call_next()

    @router.state("in")
    async def inside(ctx: Context) -> None:
        ctx.reply("inside")

    async with Chat(App(router)) as chat:
        assert await chat.say("hello") == ("inside",)


async def test_what_has_no_sender_has_no_state() -> None:
    seen: list[str] = []
    router = Router("bot")

    @router.all()
    async def handler(ctx: Context) -> None:
        seen.append(str(ctx.fsm.get_state()))
        ctx.fsm.reset_state()
        try:
            ctx.fsm.set_state("a")
        except LookupError as error:
            seen.append(str(error))

    async with Chat(App(router)) as chat:
        posted = Update(source="test:local", ext="77", content=Press(id="1", data="x"), at=0)
        await chat.deliver(posted)
    assert seen == ["None", "a state belongs to a person in a chat, which this update has not"]


class Secret(BaseModel):
    """Something that nobody else should read."""

    code: Sensitive[str] = ""


async def test_what_is_confided_needs_a_key_to_be_stored(tmp_path: Path) -> None:
    app = acts(fsm=Fsm(Secret))
    with pytest.raises(SecretKeyMissing, match=r"the state data Secret \(code\)"):
        async with app.operator(SqlStorage(f"sqlite:///{tmp_path / 'bot.db'}")):
            pass


async def test_what_was_confided_is_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def fail(ctx: Context) -> None:
        state = ctx.fsm.get_state()
        assert state is not None
        raise LookupError(f"no such code: {state.data.code}")

    code = "-".join(("canary", "7"))  # the log quotes the source
    app = acts(lambda ctx: transition("in", Secret(code=code)), fail, fsm=Fsm(Secret))
    async with Chat(app) as chat:
        await chat.say("/0")
        assert await chat.say("/1") == (SORRY,)
    assert "no such code: ***" in caplog.text
    assert code not in caplog.text


async def test_what_a_handler_sets_after_its_question_is_not_kept() -> None:
    router = Router("stubborn")
    router.command("show")(show)

    @router.command("go")
    async def go(ctx: Context) -> Any:
        await ctx.ask("First?")
        with suppress(asyncio.CancelledError):  # it must not, and goes on after its question
            await ctx.ask("Second?")
        ctx.fsm.set_state("set")
        return transition("answered")

    async with Chat(App(router)) as chat:
        await chat.say("/go")
        await chat.say("one")
        assert (await chat.say("/show"))[0] == "None"
        await chat.say("two")
        assert "answered" in (await chat.say("/show"))[0]


async def test_after_the_turn_a_context_moves_nothing() -> None:
    held: list[Context] = []

    def enter(ctx: Context) -> Any:
        held.append(ctx)
        return transition("in")

    async with Chat(acts(enter)) as chat:
        await chat.say("/0")
        with pytest.raises(NoState, match="the turn of this context is over"):
            held[0].fsm.set_state("late")
        assert "state='in'" in (await chat.say("/show"))[0]


async def test_a_state_that_is_too_large_is_named() -> None:
    large = {"text": "x" * 20_000}
    async with Chat(acts(lambda ctx: transition("in", large), max_state=16 << 10)) as chat:
        with watched_failures() as failures:
            assert await chat.say("/0") == (SORRY,)
    assert "the largest part of it is the state of plain handlers, with 20" in failures[0].what


async def test_what_was_confided_and_undone_is_not_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    code = "-".join(("canary", "8"))

    def fail(ctx: Context) -> None:
        ctx.fsm.set_state("in", Secret(code=code))
        raise LookupError(f"no such code: {code}")

    app = acts(fail, fsm=Fsm(Secret))

    @app.router.catch
    async def tell(ctx: Context, error: Exception) -> None:
        ctx.reply("Sorry.")

    async with Chat(app) as chat:
        assert await chat.say("/0") == ("Sorry.",)
    assert "no such code: ***" in caplog.text
    assert code not in caplog.text


# --- definitions and what is stored ---------------------------------------------------------


def test_a_data_field_without_default_is_refused_with_the_field() -> None:
    class Needy(BaseModel):
        order: int

    with pytest.raises(DefinitionError, match="Needy needs a default for its field 'order'"):
        Fsm(Needy)


def test_a_key_that_is_none_is_refused() -> None:
    wrong: Any = "user"
    with pytest.raises(DefinitionError, match="'user_in_chat' or 'chat'"):
        Fsm(key=wrong)


def test_a_conversation_without_a_state_is_stored_as_before() -> None:
    assert "fsm" not in Conversation().encode()


def test_a_state_comes_back_from_what_is_stored() -> None:
    kept = Conversation(fsm={"state": "a", "data": {"n": 1}})
    assert Conversation.decode("key", kept.encode()) == kept
