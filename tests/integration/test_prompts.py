"""Questions: how they are shown again, and which of their buttons count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from pydantic import BaseModel, Field

from engine.testing.chat import Chat, NoSuchButton
from flows import (
    Action,
    Choice,
    Flow,
    FlowBuilder,
    Integer,
    Photo,
    Reply,
    Text,
    TooManyTries,
    Turn,
)
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

EXPIRED = "This button has expired."


def one_step(step: Callable[[Turn[One, Names]], Awaitable[Action[One]]]) -> Flow[One, Names]:
    return FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


async def test_a_question_in_html_is_shown_again_as_html_after_the_hint() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask(Reply(text="<b>Name?</b>", format="html"))
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        hint, question = await chat.send_file("photo")
        assert "Please send a text." in hint
        assert question == "Name?"
        assert chat.deliveries[-1].format == "html"


async def test_a_wait_without_words_is_asked_again_with_a_hint_only() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        return turn.wait(Integer()) if turn.input is None else turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ()
        assert len(await chat.send_file("photo")) == 1
        assert len(await chat.say("/help")) == 1
        assert await chat.say("/start") == ()
        assert await chat.say("3") == ()


@pytest.mark.parametrize(
    ("prompt", "message"),
    [(None, "there is no message that could show them"), (" ", "which is blank")],
)
async def test_a_wait_whose_buttons_nobody_could_see_is_an_error(
    prompt: str | None, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        return turn.wait(Choice(["red", "blue"]), prompt=prompt)

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
    assert message in caplog.text


async def test_a_message_that_was_edited_cannot_bear_the_buttons_of_a_wait(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.edit(turn.reply("Colour"), "Colour?")
        return turn.wait(Choice(["red", "blue"]))

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
    assert "there is no message that could show them" in caplog.text


async def test_the_last_message_before_a_wait_bears_its_buttons() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        if turn.input is not None:
            turn.reply(f"got {turn.input}")
            return turn.complete()
        hello = turn.reply("Hello.")
        turn.reply("Colour?")
        turn.edit(hello, "Hello again.")
        return turn.wait(Choice(["red", "blue"]))

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ("Hello.", "Colour?", "Hello again.")
        assert await chat.press("red") == ("got red",)


async def test_back_at_the_start_says_what_an_explicit_step_says_at_its_start() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        if turn.input is None:
            turn.reply("Say something.")
            return turn.wait(Text())
        if turn.input == "back":
            return turn.back()
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        said = await chat.say("back")
        assert said == ("This is the start, there is no question before it.", "Say something.")
        assert (await chat.say("/help"))[-1] == "Say something."


async def test_a_button_of_a_question_that_was_undone_means_nothing() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        name = await turn.ask("Which file?")
        sure = await turn.ask(f"Delete {name}?", Choice(["Yes", "No"]))
        turn.reply(f"{name}: {sure}")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        await chat.say("notes")
        old = chat.button("Yes")
        await chat.say("/back")
        assert await chat.say("photos") == ("Delete photos?",)
        assert await chat.send(old.press()) == (EXPIRED, "Delete photos?")
        assert await chat.press("Yes") == ("photos: Yes",)


async def test_a_button_means_what_it_says_even_where_the_options_have_changed() -> None:
    free = ["nine", "ten", "eleven"]

    async def step(turn: Turn[One, Names]) -> Action[One]:
        at = await turn.ask("When?", Choice(list(free)), check=refuse_ten)
        turn.reply(f"at {at}")
        return turn.complete()

    def refuse_ten(at: str) -> str | None:
        return "Taken." if at == "ten" else None

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        eleven = chat.button("eleven")
        free[:] = ["ten", "eleven", "twelve"]
        assert await chat.press("ten") == ("Taken.",)
        assert await chat.send(eleven.press()) == (EXPIRED, "When?")
        assert await chat.press("eleven") == ("at eleven",)


async def test_buttons_of_a_question_stay_good_while_it_is_asked_again() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        colour = await turn.ask("Colour?", Choice(["red", "blue"]))
        turn.reply(colour)
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        red = chat.button("red")
        await chat.say("green")
        await chat.say("/help")
        await chat.say("/start")
        assert await chat.send(red.press()) == ("red",)


async def test_buttons_from_before_a_repeat_mean_nothing() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        colour = await turn.ask("Colour?", Choice(["red", "blue"]))
        if colour == "red":
            return turn.repeat("Not red.")
        turn.reply(colour)
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        old = chat.button("blue")
        assert await chat.press("red") == ("Not red.", "Colour?")
        assert await chat.send(old.press()) == (EXPIRED, "Colour?")
        assert await chat.press("blue") == ("blue",)


async def test_each_input_of_a_wait_has_its_own_tries() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        if turn.input is None:
            turn.reply("A photo, or a number?")
            return turn.wait(Photo(), Integer(tries=2))
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        assert "number" in (await chat.say("x"))[0]
        assert await chat.say("y") == ("That did not work out, so I have stopped here.",)


async def test_answers_that_a_check_refuses_use_up_the_tries_too() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        try:
            await turn.ask("PIN?", Integer(tries=2), check=lambda pin: "Wrong.")
        except TooManyTries as error:
            turn.reply(f"locked after {error.tries}")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        assert await chat.say("1") == ("Wrong.",)
        assert (await chat.send_file("photo"))[0].startswith("I did not expect that now.")
        assert await chat.say("2") == ("locked after 2",)


async def test_asks_after_a_wait_see_the_input_in_every_run() -> None:
    seen: list[object] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        if turn.input is None:
            turn.reply("Number?")
            return turn.wait(Integer())
        seen.append(turn.input)
        first = await turn.ask("First?")
        second = await turn.ask("Second?")
        turn.reply(f"{turn.input} {first} {second}")
        return turn.complete()

    async with Chat(app_of(one_step(step), rerun_every_step=True)) as chat:
        await chat.say("/start")
        assert await chat.say("7") == ("First?",)
        assert await chat.say("a") == ("Second?",)
        assert await chat.say("/back") == ("First?",)
        assert await chat.say("b") == ("Second?",)
        assert await chat.say("c") == ("7 b c",)
    assert set(seen) == {7}


async def test_repeat_after_a_wait_begins_the_step_anew_with_its_scene() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.scene["runs"] = turn.scene.get("runs", 0) + 1
        if turn.input is None:
            turn.reply(f"Run {turn.scene['runs']}?")
            return turn.wait(Integer())
        if turn.input == 1:
            return turn.repeat("Not one.")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        assert await chat.say("/start") == ("Run 1?",)
        assert await chat.say("1") == ("Not one.", "Run 3?")


class Made(BaseModel):
    """Data with a default that is made."""

    first: int = Field(default_factory=lambda: 0)


async def test_a_default_that_is_made_is_no_value_to_keep() -> None:
    builder = FlowBuilder("one", One, Made)
    builder.ask(One.ONLY, "First?", Integer(), into="first")
    async with Chat(app_of(builder.build(initial=One.ONLY))) as chat:
        await chat.say("/start")
        with pytest.raises(NoSuchButton, match="no button is shown"):
            chat.button("Keep: 0")


async def test_back_and_forth_over_a_detour_and_a_jump_keeps_every_place() -> None:
    builder = FlowBuilder("three", Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")

    @builder.step(Three.SECOND)
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        match await turn.ask(f"{turn.data.first}?", Choice(["edit", "on"])):
            case "edit":
                return turn.detour(Three.FIRST)
        return turn.next()

    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    async with Chat(app_of(builder.build(initial=Three.FIRST))) as chat:
        await chat.say("/start")
        await chat.say("a")
        await chat.press("edit")
        assert await chat.say("b") == ("b?",)
        await chat.press("on")
        assert await chat.say("/back") == ("b?",)
        assert await chat.say("/back") == ("First?",)
