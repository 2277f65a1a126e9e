"""What comes of updates that are no answer, and of answers that are no text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine import App
from engine.testing import Chat, CrashPoint
from flows import (
    Action,
    AnyOf,
    Context,
    Edited,
    FlowBuilder,
    Input,
    OnCommand,
    Photo,
    Photos,
    Text,
    Turn,
)
from flows.routing.registry import FlowRegistry
from flows.routing.router import Router
from flows.updates import (
    AlbumMessage,
    ChannelPost,
    Content,
    EditedChannelPost,
    EditedMessage,
    FileRef,
    InlineQuery,
    Membership,
    MessageReaction,
    MessageReactionCount,
    MyChatMember,
    Person,
    PhotoMessage,
    PollAnswer,
    PollState,
    PreCheckoutQuery,
    Press,
    TextMessage,
)
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

PHOTO = PhotoMessage(FileRef(id="p1"))
ALBUM = AlbumMessage((PHOTO, PhotoMessage(FileRef(id="p2"))))
BLOCKED = MyChatMember(
    member=Person(id="42"),
    old=Membership(status="member", present=True),
    new=Membership(status="kicked", present=False),
)
SILENT: list[Content] = [
    EditedMessage(TextMessage("Bob")),
    EditedMessage(PHOTO),
    ChannelPost(TextMessage("x")),
    EditedChannelPost(TextMessage("x")),
    BLOCKED,
    MessageReaction(new=("x",)),
    MessageReactionCount(),
    InlineQuery(id="1", query="cats"),
    PreCheckoutQuery(id="1", currency="EUR", amount=1, payload="x"),
    PollAnswer(poll="1", options=(0,)),
    PollState(id="1", question="?"),
]


def asking(wanted: Input[Any]) -> tuple[App, list[Any]]:
    answers: list[Any] = []
    builder = FlowBuilder("ask", One, Names)

    @builder.step(One.ONLY)
    async def ask(turn: Turn[One, Names]) -> Action[One]:
        answers.append(await turn.ask("Well?", wanted))
        return turn.complete()

    return app_of(builder.build(initial=One.ONLY)), answers


@pytest.mark.parametrize("content", SILENT, ids=lambda content: content.kind)
async def test_what_is_no_answer_is_passed_over_and_the_question_stays(content: Content) -> None:
    app, answers = asking(Text())
    async with Chat(app) as chat:
        await chat.say("/start")
        assert await chat.send(content) == ()
        await chat.say("Ada")
    assert answers == ["Ada"]


@pytest.mark.parametrize("content", SILENT, ids=lambda content: content.kind)
async def test_where_nothing_runs_it_is_passed_over_too(content: Content) -> None:
    app, _ = asking(Text())
    async with Chat(app) as chat:
        assert await chat.send(content) == ()


@pytest.mark.parametrize("content", SILENT, ids=lambda content: content.kind)
async def test_a_handler_of_its_kind_takes_it_and_the_question_stays(content: Content) -> None:
    taken: list[Content] = []
    builder = FlowBuilder("ask", One, Names)

    @builder.step(One.ONLY)
    async def ask(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Well?", Text())
        turn.reply("Thanks.")
        return turn.complete()

    router, registry = Router("kinds"), FlowRegistry()
    registry.register(OnCommand("start"), builder.build(initial=One.ONLY))

    @router.kind(content.kind)
    async def take(ctx: Context[Any, Any]) -> None:
        taken.append(ctx.update.content)

    async with Chat(App(router, registry=registry)) as chat:
        await chat.say("/start")
        assert await chat.send(content) == ()
        assert await chat.say("Ada") == ("Thanks.",)
    assert taken == [content]


async def test_an_edit_is_an_answer_where_one_is_asked_for() -> None:
    app, answers = asking(AnyOf(Text(), Edited(Text())))
    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.send(EditedMessage(TextMessage("Ada")))
    assert answers == ["Ada"]


async def test_a_question_for_a_photo_takes_the_first_of_an_album() -> None:
    app, answers = asking(Photo())
    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.send(ALBUM)
    assert answers == [FileRef(id="p1")]


@pytest.mark.parametrize(("content", "count"), [(ALBUM, 2), (PHOTO, 1)])
async def test_a_question_for_photos_takes_an_album_and_a_photo_alone(
    content: Content, count: int
) -> None:
    app, answers = asking(Photos())
    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.send(content)
    assert [len(files) for files in answers] == [count]


@pytest.mark.parametrize("kind", ["animation", "sticker", "poll", "dice", "album", "payment"])
async def test_what_the_console_makes_up_reaches_the_handler_of_its_kind(kind: str) -> None:
    router = Router("kinds")

    @router.kind(kind)
    async def take(ctx: Context[Any, Any]) -> None:
        ctx.reply(f"took {ctx.update.content.kind}")

    async with Chat(App(router)) as chat:
        assert await chat.send_file(kind) == (f"took {kind}",)


async def test_the_raw_object_is_at_hand_after_a_crash_too() -> None:
    raws: list[Any] = []
    router = Router("raw")

    @router.fallback
    async def keep(ctx: Context[Any, Any]) -> None:
        raws.append(ctx.update.raw)

    raw = {"update_id": 7, "message": {"entities": [{"type": "bold"}]}}
    async with Chat(App(router)) as chat:
        chat.crash_at(CrashPoint("commit"))
        await chat.deliver(replace(chat.update(TextMessage("hi")), raw=raw))
        assert chat.crashed
        await chat.restart()
    assert raws == [raw, raw]


async def test_a_press_under_a_message_that_was_sent_inline_gets_its_notice() -> None:
    router = Router("inline")

    @router.callback("like")
    async def like(ctx: Context) -> None:
        ctx.notice("Thank you!")

    async with Chat(App(router)) as chat:
        await chat.hand_in([replace(chat.update(Press(id="p1", data="like")), address=None)])
        await chat.settle()
        assert chat.notices == [("p1", "Thank you!")]
