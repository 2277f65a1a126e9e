"""What handlers send, seen from the chat."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing import Chat, TestChannel, VirtualClock
from flows import (
    Action,
    Button,
    CallRefused,
    Choice,
    Context,
    DefinitionError,
    FlowBuilder,
    FlowRegistry,
    Key,
    Media,
    Message,
    NoApi,
    OnCallback,
    OnCommand,
    Place,
    PollQuestion,
    Reply,
    Router,
    Turn,
    keyboard,
    prompt,
    reply_keyboard,
)
from flows.formatting import bold, link
from flows.ports import Delivery
from flows.updates import Command

pytestmark = pytest.mark.anyio


class Step(Enum):
    ONLY = auto()


class Nothing(BaseModel):
    seen: int = 0


def plain(handler: Callable[[Context], Awaitable[None]], *, on: str = "go") -> App:
    router = Router("messages")
    router.on(OnCommand(on))(handler)
    return App(router)


def stepwise(step: Callable[[Turn[Step, Nothing]], Awaitable[Action[Step]]]) -> App:
    registry = FlowRegistry()
    flow = FlowBuilder("messages", Step, Nothing).step(Step.ONLY, step)
    registry.register(OnCommand("go"), flow.build(initial=Step.ONLY))
    return App(Router("messages"), registry=registry)


async def test_a_message_of_each_kind_is_a_line() -> None:
    async def go(ctx: Context) -> None:
        ctx.reply_photo(Path("/tmp/cat.jpg"), bold("a <cat>"))
        ctx.reply_video("v1")
        ctx.reply_animation("g1")
        ctx.reply_audio("a1")
        ctx.reply_voice("o1")
        ctx.reply_document(b"ab", name="a.pdf")
        ctx.reply_sticker("s1")
        ctx.reply_album([Media.of("photo", "p1", caption="one"), Media.of("photo", "p2")])
        ctx.reply_location(Place(latitude=1.5, longitude=2, title="Home"))
        ctx.reply_contact("+1", "Ada")
        ctx.reply_poll(PollQuestion(question="Tea?", options=("Yes", "No")))
        ctx.reply_dice()

    async with Chat(plain(go)) as chat:
        assert await chat.say("/go") == (
            "[photo cat.jpg]\na <cat>",
            "[video v1]",
            "[animation g1]",
            "[audio a1]",
            "[voice o1]",
            "[document a.pdf]",
            "[sticker s1]",
            "[photo p1] one\n[photo p2]",
            "[location 1.5 2 Home]",
            "[contact Ada +1]",
            "[poll] Tea?\n( ) Yes\n( ) No",
            "[dice 🎲]",
        )


async def test_the_caption_of_a_file_alone_is_the_text_of_its_message() -> None:
    async def go(ctx: Context) -> None:
        ctx.reply_with(Media.of("photo", "p1", caption=bold("its own")))
        ctx.reply_with(Media.of("photo", "p2", caption="its own"), "the message's")
        ctx.post("board", prompt(attachment=Media.of("photo", "p3", caption="asked")))
        ctx.edit_media(Message.named("board"), Media.of("photo", "p4", caption="edited"))

    async with Chat(plain(go)) as chat:
        await chat.say("/go")
        texts = [sent.text for sent in chat.deliveries]
    assert texts == ["<b>its own</b>", "the message's", "asked", "edited"]


async def test_a_message_is_sent_as_it_was_wanted() -> None:
    async def go(ctx: Context) -> None:
        ctx.reply("hello", silent=True, protect=True, reply_to="m7", preview=False)

    async with Chat(plain(go)) as chat:
        await chat.say("/go")
        (sent,) = chat.deliveries
    assert sent.reply_to == "m7"
    assert sent.options is not None
    assert (sent.options.silent, sent.options.protect) == (True, True)
    assert sent.options.preview is not None
    assert sent.options.preview.disabled


async def test_a_keyboard_for_the_person_is_shown() -> None:
    async def go(ctx: Context) -> None:
        ctx.reply("Who?", keyboard=reply_keyboard(["Me", Key("My card", "contact")]))

    async with Chat(plain(go)) as chat:
        assert await chat.say("/go") == ("Who?\n(Me)  (My card: send @contact)",)


async def test_a_prompt_may_be_formatted_and_bring_a_photo() -> None:
    async def step(turn: Turn[Step, Nothing]) -> Action[Step]:
        question = Reply(text=bold("Which") + " one?", attachment=Media.of("photo", "p1"))
        kind = await turn.ask(question, Choice(["A", "B"]))
        turn.reply(link(kind, "https://x.y"))
        return turn.complete()

    async with Chat(stepwise(step)) as chat:
        assert await chat.say("/go") == ("[photo p1]\nWhich one?",)
        assert chat.buttons() == ("A", "B")
        await chat.restart()
        assert await chat.press("A") == ("A (https://x.y)",)
        assert chat.deliveries[-1].text == '<a href="https://x.y">A</a>'


async def test_a_question_with_a_photo_is_asked_again_with_it() -> None:
    async def step(turn: Turn[Step, Nothing]) -> Action[Step]:
        question = Reply(text="", attachment=Media.of("photo", "p1"))
        kind = await turn.ask(question, Choice(["A", "B"]))
        turn.reply(kind)
        return turn.complete()

    async with Chat(stepwise(step)) as chat:
        await chat.say("/go")
        await chat.restart()
        replies = await chat.say("none of them")
        assert "[photo p1]" in replies[-1]
        assert chat.buttons() == ("A", "B")


async def test_a_step_edits_and_deletes_what_it_has_sent() -> None:
    async def step(turn: Turn[Step, Nothing]) -> Action[Step]:
        first = turn.reply("first", keyboard=keyboard(Button("A", "a")))
        second = turn.reply("second")
        await turn.ask("Go on?", Choice(["Yes"]))
        turn.edit(first, bold("1st"))
        turn.edit_keyboard(first, keyboard(Button("B", "b")))
        turn.edit_media(first, Media.of("photo", "p1"), "now a photo")
        turn.delete(second)
        return turn.complete()

    async with Chat(stepwise(step)) as chat:
        await chat.say("/go")
        one, two, _ = references(chat)
        assert await chat.press("Yes") == (
            "1st",
            "[buttons]",
            "[photo p1]\nnow a photo",
            "[deleted]",
        )
        assert [each.edit for each in chat.deliveries[3:]] == [one, one, one, two]


async def test_what_was_never_sent_is_neither_deleted_nor_edited() -> None:
    async def go(ctx: Context) -> None:
        ctx.delete(Message("no.such.message"))
        ctx.edit_keyboard(Message("no.such.message"))
        ctx.reply("done")

    async with Chat(plain(go)) as chat:
        assert await chat.say("/go") == ("done",)


async def test_a_plain_handler_edits_the_message_whose_button_was_pressed() -> None:
    router = Router("menu")

    @router.on(OnCommand("go"))
    async def show(ctx: Context) -> None:
        ctx.reply("menu", keyboard=keyboard(Button("On", "on")))

    @router.on(OnCallback("on"))
    async def pressed(ctx: Context) -> None:
        assert ctx.message is not None
        ctx.edit(ctx.message, "menu", keyboard=keyboard(Button("Off", "off")))

    async with Chat(App(router)) as chat:
        await chat.say("/go")
        await chat.press("On")
        assert chat.labels() == ("Off",)
        assert len({delivery.edit for delivery in chat.deliveries}) == 2


async def test_a_message_is_found_by_its_name_after_a_restart() -> None:
    router = Router("board")

    @router.on(OnCommand("post"))
    async def post(ctx: Context) -> None:
        ctx.post("board", "new")

    @router.on(OnCommand("edit"))
    async def edit(ctx: Context) -> None:
        ctx.edit(Message.named("board"), "edited")
        ctx.reply("answer", reply_to=Message.named("board"))

    async with Chat(App(router)) as chat:
        await chat.say("/post")
        await chat.say("/post")
        await chat.restart()
        assert await chat.say("/edit") == ("edited", "answer")
        _, _, edited, answer = chat.deliveries
        assert (edited.edit, answer.reply_to) == ("m2", "m2")
        await chat.say("/edit", by="2")  # somebody else has none, and gets a new one
        assert [one.edit for one in chat.deliveries[4:]] == [None, None]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 65])
def test_what_is_no_name_of_a_message_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError, match="no name of a message"):
        Message.named(name)


async def test_an_earlier_run_of_a_step_is_muted() -> None:
    async def step(turn: Turn[Step, Nothing]) -> Action[Step]:
        turn.reply_photo("p1")
        turn.delete("m9")
        await turn.ask("Go on?", Choice(["Yes"]))
        return turn.complete()

    async with Chat(stepwise(step)) as chat:
        assert await chat.say("/go") == ("[photo p1]", "[deleted]", "Go on?")
        assert await chat.press("Yes") == ()


async def test_an_earlier_run_of_a_plain_handler_is_muted() -> None:
    async def go(ctx: Context) -> None:
        ctx.reply_photo("p1")
        ctx.delete("m9")
        kind = await ctx.ask(prompt("Which?", attachment=Media.of("photo", "p2")), Choice(["A"]))
        ctx.reply(bold(kind))

    async with Chat(plain(go)) as chat:
        assert await chat.say("/go") == ("[photo p1]", "[deleted]", "[photo p2]\nWhich?")
        await chat.restart()
        assert await chat.press("A") == ("A",)


async def test_a_plain_handler_that_asks_calls_the_api_once() -> None:
    async def go(ctx: Context) -> None:
        await ctx.once("pin", lambda: ctx.bot.call("pinChatMessage", chat_id=1, message_id=2))
        await ctx.ask("Go on?", Choice(["Yes"]))

    async with Chat(plain(go)) as chat:
        await chat.say("/go")
        await chat.press("Yes")
        assert len(chat.api.calls) == 1


async def test_what_no_channel_could_send_fails_the_turn() -> None:
    async def go(ctx: Context) -> None:
        ctx.reply("a", keyboard=reply_keyboard("A"))
        ctx.reply_photo(" ")

    async with Chat(plain(go)) as chat:
        (apology,) = await chat.say("/go")
        assert "wrong" in apology


@pytest.mark.parametrize(
    "rows", [[Button("A", "a")], [[Button("A", "a")]], (Button("A", "a"),), Button("A", "a")]
)
async def test_what_is_no_keyboard_is_refused_where_it_is_given(rows: Any) -> None:
    async def go(ctx: Context) -> None:
        for say in (
            lambda: ctx.reply("text", keyboard=rows),
            lambda: prompt("text", keyboard=rows),
            lambda: ctx.edit("m1", "text", keyboard=rows),
            lambda: ctx.edit_keyboard("m1", rows),
            lambda: ctx.edit_media("m1", Media.of("photo", "p1"), keyboard=rows),
        ):
            with pytest.raises(DefinitionError, match=r"is no keyboard. Write keyboard\(\[Button"):
                say()
        ctx.reply("all refused")

    async with Chat(plain(go)) as chat:
        assert await chat.say("/go") == ("all refused",)


# --- the API of the service -------------------------------------------------------------


async def test_a_handler_calls_the_api() -> None:
    async def go(ctx: Context) -> None:
        count = await ctx.bot.call("getChatMemberCount", chat_id=-5)
        ctx.reply(f"{count} people")

    async with Chat(plain(go)) as chat:
        chat.api.answers["getChatMemberCount"] = 12
        assert await chat.say("/go") == ("12 people",)
        assert chat.api.calls == [("getChatMemberCount", {"chat_id": -5})]


async def test_a_step_calls_the_api_once() -> None:
    async def step(turn: Turn[Step, Nothing]) -> Action[Step]:
        await turn.once("pin", lambda: turn.bot.call("pinChatMessage", chat_id=1, message_id=2))
        await turn.ask("Go on?", Choice(["Yes"]))
        return turn.complete()

    async with Chat(stepwise(step)) as chat:
        await chat.say("/go")
        await chat.press("Yes")
        assert len(chat.api.calls) == 1


async def test_a_refused_call_is_caught() -> None:
    async def go(ctx: Context) -> None:
        try:
            await ctx.bot.call("getChat", chat_id=1)
        except CallRefused as refused:
            ctx.reply(refused.reason)

    async with Chat(plain(go)) as chat:
        chat.api.answers["getChat"] = CallRefused("getChat", 400, "chat not found")
        assert await chat.say("/go") == ("chat not found",)


async def test_the_app_calls_the_api_while_it_runs() -> None:
    async def go(ctx: Context) -> None:
        ctx.reply("hello")

    app = plain(go)
    async with Chat(app) as chat:
        chat.api.answers["getMe"] = {"id": 42}
        assert await app.bot.call("getMe") == {"id": 42}


async def test_a_channel_without_an_api_says_so() -> None:
    class Mute(TestChannel):
        api = None  # type: ignore[assignment]

    async def go(ctx: Context) -> None:
        async with ctx.typing():
            try:
                await ctx.bot.call("getMe")
            except NoApi as error:
                ctx.reply(str(error))

    async with Chat(plain(go), channel=Mute) as chat:
        (said,) = await chat.say("/go")
        assert said.startswith("test:local has no API")


# --- what the bot is doing --------------------------------------------------------------


async def test_people_see_that_the_bot_is_at_work_while_the_block_runs() -> None:
    seen = asyncio.Event()

    async def go(ctx: Context) -> None:
        async with ctx.typing("upload_photo"):
            await asyncio.sleep(0)
            seen.set()
        ctx.reply("done")

    async with Chat(plain(go)) as chat:
        assert await chat.say("/go") == ("done",)
        assert seen.is_set()
        assert chat.api.actions == [("1", "upload_photo")]


async def test_a_question_within_the_block_ends_it() -> None:
    async def step(turn: Turn[Step, Nothing]) -> Action[Step]:
        async with turn.typing():
            await turn.ask("Go on?", Choice(["Yes"]))
        turn.reply("done")
        return turn.complete()

    async with Chat(stepwise(step)) as chat:
        assert await chat.say("/go") == ("Go on?",)
        assert await chat.press("Yes") == ("done",)


def references(chat: Chat) -> list[str]:
    """What the channel calls the messages so far."""
    return [f"m{n}" for n, _ in enumerate(chat.deliveries, 1)]


def test_a_delivery_is_the_same_whoever_asks() -> None:
    one: dict[str, Any] = {"chat": "1", "topic": None, "text": "a", "format": "plain"}
    assert Delivery(**one, keyboard=(), go_on=bool) == Delivery(**one, keyboard=())


class Waiting:
    """A plain handler that works until it is told to stop."""

    def __init__(self) -> None:
        self.done = asyncio.Event()

    async def quietly(self, ctx: Context) -> None:
        await self.done.wait()
        ctx.reply("done")

    async def visibly(self, ctx: Context) -> None:
        async with ctx.typing("upload_photo"):
            await self.done.wait()


async def actions_of_two_seconds(app: App, waiting: Waiting) -> list[tuple[str, str]]:
    """What people see of a handler that takes two seconds."""
    clock = VirtualClock()
    async with Chat(app, clock=clock) as chat:
        await chat.hand_in([chat.update(Command("go"))])
        await clock.advance(2.5)
        seen = list(chat.api.actions)
        waiting.done.set()
        await chat.settle()
        await clock.advance(5)
        assert chat.api.actions == seen
    return seen


async def test_a_handler_that_takes_long_is_shown_as_typing() -> None:
    waiting = Waiting()
    seen = await actions_of_two_seconds(plain(waiting.quietly), waiting)
    assert seen == [("1", "typing")]


async def test_a_handler_that_shows_something_itself_is_not_shown_as_typing() -> None:
    waiting = Waiting()
    seen = await actions_of_two_seconds(plain(waiting.visibly), waiting)
    assert seen == [("1", "upload_photo")]


async def test_an_app_may_show_nothing_by_itself() -> None:
    waiting, router = Waiting(), Router("quiet")
    router.on(OnCommand("go"))(waiting.quietly)
    assert await actions_of_two_seconds(App(router, typing=False), waiting) == []
