"""Plain handlers: what calls them, and routers inside routers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing import Chat
from flows import (
    CallNext,
    ChatMember,
    Context,
    Continue,
    DefinitionError,
    FlowRegistry,
    Membership,
    OnCommand,
    Person,
    Press,
    Router,
    UnboundedPattern,
    Update,
    filters,
)
from tests.integration.test_router_order import says

pytestmark = pytest.mark.anyio

SORRY = "Sorry, something went wrong. Please try that again."


class Seen(BaseModel):
    """A session that counts."""

    count: int = 0
    names: list[str] = []


def reply(text: str) -> Any:
    """A handler that says this."""

    async def handler(ctx: Context) -> None:
        ctx.reply(text)

    return handler


async def groups(ctx: Context) -> None:
    """Says what the pattern has found."""
    ctx.reply(str(ctx.match.groups() if ctx.match is not None else None))


async def fails(ctx: Context) -> None:
    ctx.reply("never seen")
    raise ValueError("broken")


# --- what calls a handler -------------------------------------------------------------------


async def test_several_commands_call_one_handler() -> None:
    router = Router("bot")
    router.command(("help", "info"), "what I can do")(reply("help"))
    async with Chat(App(router)) as chat:
        assert (await chat.say("/help"), await chat.say("/info")) == (("help",), ("help",))
    assert router.commands() == [("help", "what I can do"), ("info", "what I can do")]


async def test_texts_are_heard_exactly() -> None:
    router = Router("bot")
    router.hears("yes", "ok")(reply("heard"))
    router.fallback(reply("not heard"))
    async with Chat(App(router)) as chat:
        assert await chat.say(" ok ") == ("heard",)
        assert await chat.say("okay") == ("not heard",)


async def test_patterns_are_heard_with_their_groups_at_hand() -> None:
    router = Router("bot")
    router.hears("none", pattern=[r"(\d+) nights?", r"room (\w+)"])(groups)
    async with Chat(App(router)) as chat:
        assert await chat.say("for 3 nights") == ("('3',)",)
        assert await chat.say("room B2, please") == ("('B2',)",)
        assert await chat.say("none") == ("None",)


async def test_the_groups_of_a_text_and_of_a_press_are_at_hand() -> None:
    router = Router("bot")
    router.text(r"^my (\w+)")(groups)
    router.callback(regex=r"^buy:(\d+)$")(groups)
    router.callback("buy:*")(reply("a glob"))
    async with Chat(App(router)) as chat:
        assert await chat.say("my order") == ("('order',)",)
        assert await chat.send(Press(id="1", data="buy:17")) == ("('17',)",)
        assert await chat.send(Press(id="2", data="buy:book")) == ("a glob",)


@pytest.mark.parametrize("kind", ["voice", "audio", "video", "document", "photo"])
async def test_each_kind_has_its_handler(kind: str) -> None:
    router = Router("bot")
    for name in ("voice", "audio", "video", "document"):
        getattr(router, name)()(reply(name))
    router.photos()(reply("photo"))
    async with Chat(App(router)) as chat:
        assert await chat.send_file(kind) == (kind,)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("edited", "edited_message"),
        ("channel_post", "channel_post"),
        ("inline_query", "inline_query"),
        ("chat_member", "chat_member"),
        ("join_request", "chat_join_request"),
        ("reaction", "message_reaction"),
        ("poll_answer", "poll_answer"),
        ("pre_checkout", "pre_checkout_query"),
        ("payment", "payment"),
        ("web_app_data", "web_app"),
    ],
)
def test_decorators_of_other_kinds_name_kinds_that_there_are(name: str, kind: str) -> None:
    router = Router("bot")
    getattr(router, name)()(reply(name))
    assert router.kinds() == {kind}


def test_the_kinds_of_a_bot_are_those_of_its_handlers_and_triggers() -> None:
    router, inner, registry = Router("bot"), Router("inner"), FlowRegistry()
    assert router.kinds() == frozenset()
    router.include(inner)
    registry.register(OnCommand("go"), says("go"))
    registry.apply_to_router(router)
    router.hears("hi")(reply("hi"))
    inner.callback("x")(reply("x"))
    inner.photos()(reply("photo"))
    assert router.kinds() >= {"command", "text", "press", "photo"}
    assert "voice" not in router.kinds()
    router.text(where=filters.PRIVATE)(reply("text"))
    assert "voice" not in router.kinds()
    router.all()(reply("all"))
    assert router.kinds() == set(Update.kinds)


async def test_the_data_of_a_web_app_has_a_handler() -> None:
    router = Router("bot")
    router.web_app_data()(reply("data"))
    async with Chat(App(router)) as chat:
        assert await chat.send_file("webapp", "{}") == ("data",)


async def test_who_comes_to_a_chat_and_who_goes_has_a_handler() -> None:
    router = Router("bot")

    @router.chat_member()
    async def moved(ctx: Context) -> None:
        assert isinstance(ctx.update.content, ChatMember)
        ctx.reply(
            f"{ctx.update.content.member.name} {'in' if ctx.update.content.joined else 'out'}"
        )

    away, there = (
        Membership(status="left", present=False),
        Membership(status="member", present=True),
    )
    ada = Person(id="7", name="Ada")
    async with Chat(App(router)) as chat:
        assert await chat.send(ChatMember(member=ada, old=away, new=there)) == ("Ada in",)
        assert await chat.send(ChatMember(member=ada, old=there, new=away)) == ("Ada out",)


async def test_a_handler_of_messages_takes_every_message_and_no_press() -> None:
    router = Router("bot")
    router.message()(reply("message"))
    router.all()(reply("anything"))
    async with Chat(App(router)) as chat:
        for words in ("hello", "/hello"):
            assert await chat.say(words) == ("message",)
        assert await chat.send_file("location", "48.85 2.35") == ("message",)
        assert await chat.send(Press(id="1", data="x")) == ("anything",)


async def test_a_filter_leaves_the_update_to_the_next_handler() -> None:
    router = Router("bot")
    router.command("rules", where=filters.users("2"))(reply("for the second"))
    router.command("rules")(reply("for all"))
    async with Chat(App(router)) as chat:
        assert await chat.say("/rules", by="2") == ("for the second",)
        assert await chat.say("/rules") == ("for all",)


async def test_a_flow_starts_where_its_filter_passes() -> None:
    registry = FlowRegistry()
    registry.register(OnCommand("go"), says("first"), where=filters.users("2"))
    registry.register(OnCommand("go"), says("second"))
    async with Chat(App(Router("bot"), registry=registry)) as chat:
        assert await chat.say("/go", by="2") == ("flow first",)
        assert await chat.say("/go") == ("flow second",)


async def test_a_filter_that_fails_fails_the_turn_and_no_more() -> None:
    router = Router("bot")
    router.text(where=lambda update: 1 // int(update.at < 0) > 0)(reply("never"))
    router.command("ok")(reply("fine"))
    async with Chat(App(router)) as chat:
        assert await chat.say("hello") == (SORRY,)
        assert await chat.say("/ok") == ("fine",)


async def test_a_handler_may_answer_its_context() -> None:
    router = Router("bot")

    @router.text()
    async def handler(ctx: Context[Seen]) -> Context[Seen]:
        ctx.session.count += 1
        ctx.reply(str(ctx.session.count))
        return ctx

    async with Chat(App(router, session=Seen)) as chat:
        assert (await chat.say("a"), await chat.say("b")) == (("1",), ("2",))


async def test_a_handler_that_answers_something_else_is_told_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    router = Router("bot")

    async def handler(ctx: Context) -> Any:
        return "waiting"

    router.text()(handler)
    async with Chat(App(router)) as chat:
        assert await chat.say("a") == (SORRY,)
    assert "A handler answers nothing, its context, transition(...) or stay(...)" in caplog.text


# --- nesting --------------------------------------------------------------------------------


async def test_included_handlers_stand_where_their_router_was_included() -> None:
    outer, inner = Router("outer"), Router("inner")
    outer.text("a")(reply("before"))
    outer.include(inner)
    outer.text("b")(reply("after"))
    inner.text("[abc]")(reply("inner"))
    async with Chat(App(outer)) as chat:
        assert [await chat.say(text) for text in "abc"] == [("before",), ("inner",), ("inner",)]


async def test_what_an_included_router_gets_later_counts_too() -> None:
    outer, middle, inner = Router("outer"), Router("middle"), Router("inner")
    outer.include(middle)
    middle.include(inner)
    async with Chat(App(outer)) as chat:
        await chat.say("a")
        inner.text("a")(reply("late"))
        assert await chat.say("a") == ("late",)


async def test_the_middleware_of_an_included_router_runs_around_its_own_handlers() -> None:
    outer, middle, inner = Router("outer"), Router("middle"), Router("inner")
    outer.include(middle)
    middle.include(inner)
    outer.text("outer")(reply("outer"))
    middle.text("middle")(reply("middle"))
    inner.text("inner")(reply("inner"))
    for router in (middle, inner):

        async def around(ctx: Context, call_next: CallNext, name: str = router.name) -> None:
            ctx.reply(f"<{name}>")
            await call_next()
            ctx.reply(f"</{name}>")

        router.middleware(around)
    async with Chat(App(outer)) as chat:
        assert await chat.say("outer") == ("outer",)
        assert await chat.say("middle") == ("<middle>", "middle", "</middle>")
        assert await chat.say("inner") == (
            "<middle>", "<inner>", "inner", "</inner>", "</middle>",
        )  # fmt: skip


async def test_a_middleware_that_does_not_go_on_keeps_the_update_from_the_handler() -> None:
    outer, inner = Router("outer"), Router("inner")
    outer.include(inner)
    inner.text()(reply("inner"))

    @inner.middleware
    async def stops(ctx: Context, call_next: CallNext) -> None:
        ctx.reply("no")

    async with Chat(App(outer)) as chat:
        assert await chat.say("a") == ("no",)


async def test_a_middleware_that_goes_on_twice_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    outer, inner = Router("outer"), Router("inner")
    outer.include(inner)
    inner.text()(reply("inner"))

    @inner.middleware
    async def twice(ctx: Context, call_next: CallNext) -> None:
        await call_next()
        await call_next()

    async with Chat(App(outer)) as chat:
        assert await chat.say("a") == (SORRY,)
    assert "a middleware called call_next() twice" in caplog.text


async def test_middleware_handler_and_session_are_in_one_mind() -> None:
    outer, inner = Router("outer"), Router("inner")
    outer.include(inner)

    @inner.middleware
    async def around(ctx: Context[Seen], call_next: CallNext) -> None:
        ctx.session.names.append("before")
        await call_next()
        ctx.session.names.append("after")

    @inner.text()
    async def handler(ctx: Context[Seen]) -> None:
        ctx.session.names.append("handler")
        ctx.session.count += 1

    outer.command("show")(_show)
    async with Chat(App(outer, session=Seen)) as chat:
        await chat.say("a")
        assert await chat.say("/show") == ("1 before handler after",)


async def _show(ctx: Context[Seen]) -> None:
    ctx.reply(f"{ctx.session.count} {' '.join(ctx.session.names)}")


# --- errors ---------------------------------------------------------------------------------


async def test_what_fails_goes_to_the_innermost_catch_with_all_undone() -> None:
    outer, middle, inner = Router("outer"), Router("middle"), Router("inner")
    outer.include(middle)
    middle.include(inner)
    inner.text()(fails)

    @middle.catch
    async def outside(ctx: Context, error: Exception) -> None:
        ctx.reply("outside")

    @inner.catch
    async def inside(ctx: Context, error: Exception) -> None:
        ctx.reply(f"inside: {error}")

    async with Chat(App(outer)) as chat:
        assert await chat.say("a") == ("inside: broken",)


async def test_what_would_end_the_process_goes_to_the_catch_too() -> None:
    outer, inner = Router("outer"), Router("inner")

    @inner.command("leave")
    async def leave(ctx: Context) -> None:
        raise SystemExit("bye")

    @inner.catch
    async def tell(ctx: Context, error: Exception) -> None:
        ctx.reply(f"{error}")

    outer.include(inner)
    async with Chat(App(outer)) as chat:
        assert await chat.say("/leave") == ("a handler raised SystemExit: bye",)


async def test_what_a_catch_raises_goes_outwards() -> None:
    outer, middle, inner = Router("outer"), Router("middle"), Router("inner")
    outer.include(middle)
    middle.include(inner)
    inner.text()(fails)

    @middle.catch
    async def outside(ctx: Context, error: Exception) -> None:
        ctx.reply(f"outside: {error}")

    @inner.catch
    async def inside(ctx: Context, error: Exception) -> None:
        ctx.reply("never seen")
        raise LookupError("worse") from error

    async with Chat(App(outer)) as chat:
        assert await chat.say("a") == ("outside: worse",)


async def test_what_included_routers_do_not_catch_goes_to_the_outermost() -> None:
    outer, inner = Router("outer"), Router("inner")
    outer.include(inner)
    inner.text("a")(fails)
    inner.text("b")(reply("b"))

    @outer.catch
    async def outermost(ctx: Context, error: Exception) -> None:
        ctx.reply(f"outermost: {error}")

    async with Chat(App(outer)) as chat:
        assert await chat.say("a") == ("outermost: broken",)
        assert await chat.say("b") == ("b",)


async def test_what_was_caught_is_logged_with_the_router(caplog: pytest.LogCaptureFixture) -> None:
    outer, inner = Router("outer"), Router("inner")
    outer.include(inner)
    inner.text()(fails)

    @inner.catch
    async def inside(ctx: Context, error: Exception) -> None: ...

    async with Chat(App(outer)) as chat:
        assert await chat.say("a") == ()
    assert "a handler of router 'inner' failed and is left to its catch handler" in caplog.text


async def test_what_nobody_catches_is_apologised_for() -> None:
    outer, inner = Router("outer"), Router("inner")
    outer.include(inner)
    inner.text()(fails)
    async with Chat(App(outer)) as chat:
        assert await chat.say("a") == (SORRY,)


async def test_a_failure_takes_back_the_session_of_the_handler_and_not_of_who_is_around() -> None:
    outer, middle, inner = Router("outer"), Router("middle"), Router("inner")
    outer.include(middle)
    middle.include(inner)
    outer.command("show")(_show)

    @middle.middleware
    async def around(ctx: Context[Seen], call_next: CallNext) -> None:
        ctx.session.names.append("around")
        await call_next()

    @inner.text()
    async def handler(ctx: Context[Seen]) -> None:
        ctx.session.count += 1
        raise ValueError

    @inner.catch
    async def catch(ctx: Context[Seen], error: Exception) -> None:
        ctx.session.names.append("caught")

    async with Chat(App(outer, session=Seen)) as chat:
        await chat.say("a")
        assert await chat.say("/show") == ("0 around caught",)


# --- definitions ----------------------------------------------------------------------------


def refused(action: Any, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        action()


def test_a_router_is_included_once_and_never_in_itself() -> None:
    outer, inner = Router("outer"), Router("inner")
    outer.include(inner)
    refused(lambda: outer.include(inner), "router 'inner' is included already")
    refused(lambda: inner.include(outer), "would be in itself")
    refused(lambda: inner.include(inner), "would be in itself")


def test_commands_are_unique_over_all_routers() -> None:
    outer, inner, other = Router("outer"), Router("inner"), Router("other")
    outer.include(inner)
    inner.command("go")(reply("inner"))
    other.command("go")(reply("other"))
    refused(lambda: outer.command("go"), "the command /go is registered twice")
    refused(lambda: outer.include(other), "the command /go is registered twice")
    registry = FlowRegistry()
    registry.register(OnCommand("go"), says("go"))
    refused(lambda: registry.apply_to_router(outer), "the command /go has a flow and a handler")


def test_a_flow_whose_command_has_a_filter_leaves_the_command_to_a_handler() -> None:
    registry, router = FlowRegistry(), Router("bot")
    registry.apply_to_router(router)
    router.command("go")(reply("go"))
    registry.register(OnCommand("go"), says("go"), where=filters.GROUP)
    refused(lambda: registry.help_command("go"), "registered twice")


def test_what_is_for_all_belongs_to_the_outermost_router() -> None:
    for spoil in ("fallback", "stale_press"):
        inner = Router("inner")
        getattr(inner, spoil)(reply("x"))
        refused(lambda inner=inner: Router("outer").include(inner), "only the outermost router")
    outer, inner = Router("outer"), Router("inner")
    outer.include(inner)
    refused(lambda: inner.fallback(reply("x")), "belongs to the outermost router")
    refused(lambda: FlowRegistry().apply_to_router(inner), "is included in 'outer'")


def test_an_included_router_with_flows_is_refused() -> None:
    inner, other = Router("inner"), Router("other")
    FlowRegistry().apply_to_router(inner)
    refused(lambda: Router("outer").include(inner), "router 'inner' has flows")
    other.registry.back_command("back")
    refused(lambda: Router("outer").include(other), "router 'other' has flows")


def test_pre_handlers_belong_to_the_outermost_router() -> None:
    async def lets_in(ctx: Any) -> Continue:
        return Continue()

    outer, inner, other = Router("outer"), Router("inner"), Router("other")
    outer.include(inner)
    refused(lambda: inner.pre_handler(lets_in), "belongs to the outermost router")
    other.pre_handler(lets_in)
    refused(lambda: outer.include(other), "router 'other' has pre-handlers")


def test_a_second_catch_is_refused() -> None:
    async def catch(ctx: Context, error: Exception) -> None: ...

    router = Router("bot")
    router.catch(catch)
    refused(lambda: router.catch(catch), "would take the place of")
    wrong: Any = reply("x")
    refused(lambda: Router("bot").catch(wrong), "must be 'async def")


def test_decorators_that_name_nothing_are_refused() -> None:
    router = Router("bot")
    refused(lambda: router.command(()), "needs a name")
    refused(lambda: router.hears(), "needs a text")
    refused(lambda: router.state(), "needs the name of a state")
    refused(lambda: router.callback(), "needs a pattern")
    refused(lambda: router.callback("a", regex="a"), "and not both")
    refused(lambda: router.text(where="private"), "is no filter")  # type: ignore[arg-type]


def test_patterns_that_cannot_run_in_bounded_time_are_refused_everywhere() -> None:
    router = Router("bot")
    for make in (
        lambda: router.hears(pattern=r"(a)\1"),
        lambda: router.callback(regex=r"(a)\1"),
        lambda: filters.matches(r"(a)\1"),
    ):
        with pytest.raises(UnboundedPattern):
            make()
