"""Waiting in a plain handler: by what is waited for, what else comes, and for how long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing import Chat, VirtualClock
from flows import AskTimeout, Button, Context, DefinitionError, Integer, Router, Update, keyboard
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

Ctx = Context[Any, Any]
Handler = Callable[[Ctx], Awaitable[None]]
HOUR = timedelta(hours=1)


class Colour(Enum):
    RED = 1
    BLUE = 2


def bot(handler: Handler, **more: Any) -> App:
    """A bot whose command /go calls the handler."""
    router = Router("shop")
    router.command("go")(handler)
    return App(router, rerun_every_step=True, **more)


# --- by kind --------------------------------------------------------------------------------


async def test_a_text() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply(await ctx.wait_text("Name?", max_length=3))

    async with Chat(bot(handler)) as chat:
        assert await chat.say("/go") == ("Name?",)
        assert "too long" in (await chat.say("Augusta"))[0]
        assert await chat.say("Ada") == ("Ada",)


async def test_a_command_comes_to_the_wait_and_not_to_its_handler() -> None:
    router = Router("shop")

    @router.command("go")
    async def go(ctx: Ctx) -> None:
        command = await ctx.wait_command("done", "more", prompt="/done or /more?")
        ctx.reply(f"{command.name}: {command.args}")

    @router.command("done")
    async def done(ctx: Ctx) -> None:
        ctx.reply("the handler")

    async with Chat(App(router)) as chat:
        await chat.say("/go")
        assert await chat.say("/done now") == ("done: now",)
        assert await chat.say("/done") == ("the handler",)


async def test_a_phrase() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply(await ctx.wait_hears("(?i)tea|coffee", "Tea or coffee?", wanted="tea or coffee"))

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("milk") == (
            "I did not expect that now. Please send tea or coffee.\n\nTea or coffee?",
        )
        assert await chat.say("Some TEA, please") == ("Some TEA, please",)


async def test_a_number() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply(str(2 * await ctx.wait_number("How much?", ge=0, places=2)))

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert "at least 0" in (await chat.say("-1"))[0]
        assert await chat.say("1.25") == ("2.50",)


async def test_an_email() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply(await ctx.wait_email("Address?"))

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("ada@EXAMPLE.com") == ("ada@example.com",)


async def test_a_choice() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply((await ctx.wait_choice("Colour?", Colour)).name)

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.press("Blue") == ("BLUE",)


async def test_several_photos() -> None:
    async def handler(ctx: Ctx) -> None:
        photos = await ctx.wait_photos("Two photos, please.", count=2)
        ctx.reply(f"{len(photos)} photos")

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.send_file("photo") == ()
        assert await chat.say("One moment.") == ("I did not expect that now. Please send a photo.",)
        assert await chat.send_file("photo") == ("2 photos",)


async def test_the_photos_of_an_album_are_several() -> None:
    async def handler(ctx: Ctx) -> None:
        photos = await ctx.wait_photos("Two photos, please.", count=2)
        ctx.reply(f"{len(photos)} photos")

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.send_file("album", "3") == ("3 photos",)


async def test_something_spoken() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply(f"{bool((await ctx.wait_voice('Say it.')).id)}")

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.send_file("voice") == ("True",)


async def test_the_press_of_a_button_of_its_own() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply("Which size?", keyboard=keyboard([Button("S", "size:s"), Button("L", "size:l")]))
        press = await ctx.wait_callback("size:*")
        ctx.reply(press.data)

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.press("L") == ("size:l",)


async def test_the_question_of_such_a_wait_is_shown_again_with_its_buttons() -> None:
    async def handler(ctx: Ctx) -> None:
        ctx.reply("Which size?", keyboard=keyboard([Button("S", "size:s")]))
        ctx.reply((await ctx.wait_callback("size:*")).data)

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("what?") == (
            "I did not expect that now. Please press one of the buttons.\n\nWhich size?",
        )
        assert await chat.press("S") == ("size:s",)


async def test_anything_and_it_is_the_whole_update() -> None:
    async def handler(ctx: Ctx) -> None:
        update = await ctx.wait_any(prompt="Send me something.")
        await ctx.ask("Sure?")
        ctx.reply(f"{update.content.kind} of {update.user.id if update.user else None}")

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        await chat.send_file("photo")
        assert await chat.say("yes") == ("photo of 1",)


async def test_some_kinds_of_update() -> None:
    async def handler(ctx: Ctx) -> None:
        update = await ctx.wait_any("photo", "document", prompt="A picture?", otherwise="No.")
        ctx.reply(update.content.kind)

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("later") == ("No.",)
        assert await chat.send_file("document") == ("document",)


async def test_only_updates_that_are_meant() -> None:
    async def short(update: Update) -> bool:
        return len(getattr(update.content, "text", "")) == 1

    async def handler(ctx: Ctx) -> None:
        update = await ctx.wait_any(prompt="A letter?", where=short)
        ctx.reply(getattr(update.content, "text", ""))

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("abc") == ("That is not what I am waiting for.",)
        assert await chat.say("a") == ("a",)


async def test_a_kind_that_there_is_not_is_refused() -> None:
    refusals: list[str] = []

    async def handler(ctx: Ctx) -> None:
        try:
            await ctx.wait_any("sticker-pack")
        except DefinitionError as error:
            refusals.append(str(error))

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
    assert "there is no kind 'sticker-pack' of update" in refusals[0]


# --- otherwise ------------------------------------------------------------------------------


async def test_a_text_for_what_does_not_fit() -> None:
    async def handler(ctx: Ctx) -> None:
        years = await ctx.ask("Your age?", Integer(), otherwise="Digits, please.")
        ctx.reply(str(years))

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("old") == ("Digits, please.",)
        assert await chat.send_file("photo") == ("Digits, please.",)
        assert await chat.say("36") == ("36",)


async def test_a_handler_for_what_does_not_fit_sees_what_came() -> None:
    async def otherwise(ctx: Ctx) -> None:
        ctx.reply(f"No {ctx.update.content.kind}.")

    async def handler(ctx: Ctx) -> None:
        ctx.reply("Hello.")
        years = await ctx.ask("Your age?", Integer(), otherwise=otherwise)
        ctx.reply(str(years))

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("old") == ("No text.",)
        assert await chat.send_file("photo") == ("No photo.",)
        assert await chat.say("36") == ("36",)


async def test_a_handler_for_what_is_not_meant() -> None:
    async def otherwise(ctx: Ctx) -> None:
        ctx.reply("Not that.")

    async def handler(ctx: Ctx) -> None:
        where = lambda update: getattr(update.content, "text", "") == "x"  # noqa: E731
        await ctx.wait_any(prompt="x?", where=where, otherwise=otherwise)
        ctx.reply("Thanks.")

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("y") == ("Not that.",)
        assert await chat.say("x") == ("Thanks.",)


async def test_what_another_handler_takes_is_none_of_its_business() -> None:
    router = Router("shop")

    @router.command("go")
    async def go(ctx: Ctx) -> None:
        await ctx.ask("Your age?", Integer(), otherwise="Digits, please.")

    @router.kind("photo")
    async def photo(ctx: Ctx) -> None:
        ctx.reply("Nice.")

    async with Chat(App(router)) as chat:
        await chat.say("/go")
        assert await chat.send_file("photo") == ("Nice.",)


async def test_a_refused_answer_counts_as_a_try_and_what_is_none_does_not() -> None:
    async def otherwise(ctx: Ctx) -> None:
        ctx.reply("Digits.")

    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Your age?", Integer(tries=2), otherwise=otherwise)

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("old") == ("Digits.",)
        assert await chat.send_file("photo") == ("Digits.",)
        assert await chat.say("old") == ("That did not work out, so I have stopped here.",)


async def test_buttons_still_work_after_something_that_did_not_fit() -> None:
    async def otherwise(ctx: Ctx) -> None:
        ctx.reply("One of the two.")

    async def handler(ctx: Ctx) -> None:
        ctx.reply((await ctx.wait_choice("Colour?", Colour, otherwise=otherwise)).name)

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        await chat.say("green")
        assert await chat.press("Red") == ("RED",)


async def test_a_function_beside_the_question_cannot_ask() -> None:
    async def otherwise(ctx: Ctx) -> None:
        await ctx.ask("What, then?")

    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Your age?", Integer(), otherwise=otherwise)
        ctx.reply("Thanks.")

    async with Chat(bot(handler)) as chat:
        await chat.say("/go")
        assert await chat.say("old") == ("Sorry, something went wrong. Please try that again.",)
        assert await chat.say("36") == ("Thanks.",)


# --- timeouts -------------------------------------------------------------------------------


class Session(BaseModel):
    late: bool = False


async def timed(handler: Handler, **more: Any) -> list[str]:
    """What is said when the time of the question is up."""
    clock = VirtualClock()
    app = bot(handler, **more)
    async with Chat(app, clock=clock, storage=MemoryStorage(clock.now)) as chat:
        await chat.say("/go")
        return list(await chat.advance(HOUR))


async def test_lost_time_can_be_caught() -> None:
    async def handler(ctx: Ctx) -> None:
        try:
            await ctx.ask("Name?", timeout=HOUR)
        except AskTimeout:
            ctx.reply("Never mind.")

    assert await timed(handler) == ["Never mind."]


async def test_lost_time_ends_the_conversation() -> None:
    async def handler(ctx: Ctx) -> None:
        await ctx.wait_email("Address?", timeout=HOUR)

    assert await timed(handler) == ["That took too long, so I have stopped here."]


async def test_a_text_for_lost_time() -> None:
    async def handler(ctx: Ctx) -> None:
        await ctx.wait_text("Name?", timeout=HOUR, on_timeout="Another time, then.")

    assert await timed(handler) == ["Another time, then."]


async def test_a_handler_for_lost_time_writes_into_the_session() -> None:
    async def late(ctx: Ctx) -> None:
        ctx.session.late = True
        ctx.reply("Too late.")

    async def handler(ctx: Ctx) -> None:
        if ctx.session.late:
            ctx.reply("You were late.")
            return
        await ctx.ask("Name?", timeout=HOUR, on_timeout=late)

    clock = VirtualClock()
    app = bot(handler, session=Session)
    async with Chat(app, clock=clock, storage=MemoryStorage(clock.now)) as chat:
        await chat.say("/go")
        assert await chat.advance(HOUR) == ("Too late.",)
        assert await chat.say("/go") == ("You were late.",)


async def test_a_person_is_reminded() -> None:
    async def handler(ctx: Ctx) -> None:
        await ctx.ask("Name?", remind=HOUR)

    assert await timed(handler) == ["This is a reminder.", "Name?"]
