"""What earlier engines got wrong, where no other file is the place for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.testing import Chat, VirtualClock
from flows import (
    Action,
    Contact,
    Context,
    Document,
    Flow,
    FlowBuilder,
    Integer,
    Location,
    Photo,
    Text,
    Turn,
    Video,
    Voice,
    WebAppData,
)
from flows.inputs import Audio, Input
from storage import MemoryStorage
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

OneTurn = Turn[One, Names]


async def test_hooks_of_an_entry_run_on_entry_only() -> None:
    """Lesson 8: never on a resume, a re-run, a refused answer, a reminder or a restart."""
    seen: list[str] = []
    builder = FlowBuilder("one", One, Names)

    async def step(turn: OneTurn) -> Action[One]:
        await turn.ask("First?", Integer(), remind=timedelta(minutes=1))
        await turn.ask("Second?")
        return turn.complete()

    async def entered(turn: OneTurn) -> None:
        seen.append("entered")

    builder.step(One.ONLY, step, on_enter=entered)
    builder.on_enter(entered)
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = app_of(builder.build(initial=One.ONLY), rerun_every_step=True)
    async with Chat(app, clock=clock, storage=storage) as chat:
        for text in ("/start", "none", "/help", "/start"):
            await chat.say(text)
        await chat.advance(60)
    async with Chat(app, clock=clock, storage=storage) as chat:
        for text in ("1", "/back", "2", "b"):
            await chat.say(text)
    assert seen == ["entered", "entered"]


@pytest.mark.parametrize(
    ("accept", "kind", "caption"),
    [
        (Photo(), "photo", ""),
        (Document(), "document", ""),
        (Voice(), "voice", ""),
        (Audio(), "audio", ""),
        (Video(), "video", ""),
        (Location(), "location", "48.85 2.35"),
        (Contact(), "contact", "+442079460958 Ada"),
        (WebAppData(), "webapp", '{"a": 1}'),
    ],
)
async def test_whatever_people_send_can_be_asked_for(
    accept: Input[Any], kind: str, caption: str
) -> None:
    """Lesson 13: every kind resumes the wait that asks for it."""

    async def step(turn: OneTurn) -> Action[One]:
        answer = await turn.ask("Send it.", accept)
        turn.reply(f"got a {type(answer).__name__}")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        await chat.say("/start")
        assert (await chat.say("a text"))[-1] != "got a str"
        (said,) = await chat.send_file(kind, caption)
        assert said.startswith("got a ")


def three() -> Flow[Three, Names]:
    builder = FlowBuilder("three", Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")
    builder.ask(
        Three.SECOND, "Second?", Photo(), save=lambda data, photo: setattr(data, "second", photo.id)
    )
    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    return builder.build(initial=Three.FIRST)


async def test_what_waits_comes_before_the_routes_and_after_the_commands() -> None:
    """Lesson 19: the order is documented: what is accepted is an answer, all else is routed."""
    app = app_of(three())

    @app.router.text("hello")
    async def greet(ctx: Context[Any, Any]) -> None:
        ctx.reply("Hello to you.")

    @app.router.command("status")
    async def status(ctx: Context[Any, Any]) -> None:
        ctx.reply("All is well.")

    async with Chat(app) as chat:
        assert await chat.say("hello") == ("Hello to you.",)
        await chat.say("/start")
        assert await chat.say("/status") == ("All is well.",), "a command is no text"
        assert await chat.say("hello") == ("Second?",), "what is accepted is an answer"
        assert await chat.say("hello") == ("Hello to you.",), "what is not accepted is routed"
        assert await chat.send_file("photo") == ("Third?",)
