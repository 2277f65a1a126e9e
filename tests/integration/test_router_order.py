"""Who gets an update, rank by rank: the list of docs/router.md, from its top to its bottom.

At each rank everything beneath it would take the update too.
"""

from __future__ import annotations

import pytest

from engine import App
from engine.testing import Chat
from flows import (
    Action,
    AnyOf,
    Choice,
    Context,
    DeepLink,
    Flow,
    FlowBuilder,
    FlowRegistry,
    OnAnswer,
    OnAny,
    OnCommand,
    OnDeepLink,
    Press,
    Router,
    Text,
    Turn,
    transition,
)
from flows.fsm import Transition
from tests.support import Names, One

pytestmark = pytest.mark.anyio

OneTurn = Turn[One, Names]
LINK = DeepLink("ref")


def says(name: str) -> Flow[One, Names]:
    return FlowBuilder(name, One, Names).say(One.ONLY, f"flow {name}").build(initial=One.ONLY)


def asks(name: str) -> Flow[One, Names]:
    async def step(turn: OneTurn) -> Action[One]:
        answer = await turn.ask(f"{name}?", AnyOf(Choice(["red"]), Text(max_length=5)))
        turn.reply(f"{name}: {answer}")
        return turn.complete()

    return FlowBuilder(name, One, Names).step(One.ONLY, step).build(initial=One.ONLY)


def bot(*, state: bool = True, link: bool = True, triggers: bool = True, handlers: bool = True,
        fallback: bool = True) -> App:  # fmt: skip
    """A bot that has something at each rank, but for those that are left out."""
    registry, router = FlowRegistry(), Router("bot")
    registry.register(OnCommand("asks"), asks("asks"))
    registry.cancel_command("cancel")
    if link:
        registry.register(OnDeepLink(LINK), says("linked"))
    if triggers:
        registry.register(OnCommand("start"), says("started"))
        registry.register(OnAnswer(), says("triggered"))

    @router.command("enter")
    async def enter(ctx: Context) -> Transition:
        return transition("waiting")

    if state:

        @router.state("waiting")
        async def waiting(ctx: Context) -> None:
            ctx.reply("state")

    if handlers:

        @router.on(OnAny())
        async def handler(ctx: Context) -> None:
            ctx.reply("handler")

    if fallback:

        @router.fallback
        async def nothing_else(ctx: Context) -> None:
            ctx.reply("fallback")

    return App(router, registry=registry)


async def in_the_flow(chat: Chat) -> None:
    await chat.say("/enter")
    await chat.say("/asks")


async def test_1_a_button_of_the_engine() -> None:
    async with Chat(bot()) as chat:
        await in_the_flow(chat)
        assert await chat.press("red") == ("asks: red",)


async def test_1_an_expired_button_of_the_engine_is_nobody_elses() -> None:
    async with Chat(bot()) as chat:
        await in_the_flow(chat)
        await chat.press("red")
        assert await chat.send(chat.button("red", back=1).press()) == ("This button has expired.",)


async def test_2_the_cancel_back_and_help_commands() -> None:
    async with Chat(bot()) as chat:
        await in_the_flow(chat)
        assert await chat.say("/cancel") == ("Cancelled.",)


async def test_3_what_a_running_flow_waits_for() -> None:
    async with Chat(bot()) as chat:
        await in_the_flow(chat)
        assert await chat.say("blue") == ("asks: blue",)


async def test_3_an_answer_that_is_refused_stays_with_the_question() -> None:
    async with Chat(bot()) as chat:
        await in_the_flow(chat)
        (refusal,) = await chat.say("turquoise")
        assert "5" in refusal


async def test_4_a_handler_for_the_state_that_the_person_is_in() -> None:
    async with Chat(bot()) as chat:
        await chat.say("/enter")
        assert await chat.say("hello") == ("state",)


async def test_5_a_deep_link_before_what_takes_start() -> None:
    async with Chat(bot()) as chat:
        assert await chat.say(f"/start {LINK.payload('x')}") == ("flow linked",)


async def test_5_a_deep_link_of_a_handler_before_the_flow_of_start() -> None:
    app = bot(link=False)

    @app.router.deep_link(LINK)
    async def linked(ctx: Context) -> None:
        ctx.reply(f"handler {ctx.payload}")

    async with Chat(app) as chat:
        assert await chat.say(f"/start {LINK.payload('x')}") == ("handler x",)


async def test_6_a_trigger_of_a_flow() -> None:
    async with Chat(bot(state=False)) as chat:
        await chat.say("/enter")
        assert await chat.say("hello") == ("flow triggered",)
        assert await chat.say("/start ref-made-up") == ("flow started",)


async def test_7_a_handler_in_the_order_of_registration() -> None:
    app = bot(triggers=False)

    @app.router.text("hello")
    async def later(ctx: Context) -> None:
        ctx.reply("later")

    async with Chat(app) as chat:
        assert await chat.say("hello") == ("handler",)


async def test_7_a_handler_before_the_question_is_shown_again() -> None:
    async with Chat(bot(triggers=False)) as chat:
        await in_the_flow(chat)
        assert await chat.send(Press(id="1", data="their own")) == ("handler",)


async def test_8_the_question_again_with_a_hint() -> None:
    async with Chat(bot(state=False, triggers=False, handlers=False)) as chat:
        await in_the_flow(chat)
        (again,) = await chat.say("/unknown")
        assert again.startswith("I did not expect that now.")
        assert again.endswith("asks?")


async def test_9_the_fallback() -> None:
    async with Chat(bot(state=False, triggers=False, handlers=False)) as chat:
        assert await chat.say("/unknown") == ("fallback",)


async def test_10_without_a_fallback_a_hint_names_the_commands() -> None:
    app = bot(state=False, triggers=False, handlers=False, fallback=False)
    async with Chat(app) as chat:
        assert await chat.say("hello") == (
            "I did not understand that. Try /asks, /cancel, /enter.",
        )
