"""What people and their apps should not send, and what a bot on the whole makes of it.

docs/bad-input.md lists every kind; what one part does with it alone is tested with that part.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine import App
from engine.channels.telegram import TelegramChannel
from engine.testing.chat import Chat
from flows import (
    Action,
    AnyOf,
    Audio,
    Choice,
    Contact,
    ContactMessage,
    Context,
    Date,
    Document,
    Email,
    FlowBuilder,
    Input,
    Integer,
    Location,
    MultiChoice,
    Number,
    Pattern,
    Phone,
    Photo,
    Press,
    Router,
    Text,
    Time,
    Turn,
    Url,
    Video,
    Voice,
    WebAppData,
)
from flows.updates import TextMessage, WebAppMessage
from storage import MemoryStorage
from tests.botapi import BotApiServer
from tests.botapi.world import Event
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

ADA = 1001
APOLOGY = "Sorry, something went wrong. Please try that again."
EXPIRED = "This button has expired."


def asking(wanted: Input[Any]) -> App:
    """Asks for the input, and then for a text."""

    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Well?", wanted)
        await turn.ask("And then?", Text())
        return turn.complete()

    return app_of(FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY))


# --- answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "bad", "reason"),
    [
        (Integer(ge=0, le=150), "-5", "from 0 to 150"),
        (Integer(ge=0, le=150), "1" + 30 * "0", "from 0 to 150"),
        *((Integer(), text, "whole number") for text in ("١٢٣", "1_000", "²", "nan", "1e400")),
        (Number(), "nan", "number"),
        (Date(), "2025-02-31", "There is no such day."),
        (Email(), "ada@", "e-mail"),
        (Phone(), "12", "phone number"),
        (
            Pattern(r"[A-Z]{2}\d+", wanted="two capitals and a number"),
            "ab1",
            "two capitals and a number",
        ),
        (Choice(["tea", "coffee"]), "\u202ewater", "tea, coffee"),
        (Text(max_length=5), "e" + "\u0301" * 1000, "5"),
        (Time(), "\u0661\u0662:\u0660\u0660", "21:45"),
        (Time(), "25:00", "21:45"),
        (Url(), "javascript:alert(1)", "https://example.com"),
        (Url(), "<img src=x onerror=y>", "https://example.com"),
        (MultiChoice(["tea", "milk"]), "tea, water", "at least 1 of: tea, milk"),
        (MultiChoice(["tea", "milk"]), "Z" + "\u0351" * 4000, "at least 1 of: tea, milk"),
        (Date(picker=True), "2025-02-31", "There is no such day."),
        (AnyOf(Email(), Phone()), "\u0661\u0662\u0663", "Or: Please send a phone number"),
    ],
    ids=lambda value: ascii(value)[:20] if isinstance(value, str) else type(value).__name__,
)
async def test_an_answer_that_cannot_be_one_is_asked_for_again_with_the_reason(
    wanted: Input[Any], bad: str, reason: str
) -> None:
    async with Chat(asking(wanted)) as chat:
        assert await chat.say("/start") == ("Well?",)
        (told,) = await chat.say(bad)
        assert reason in told
        assert told != APOLOGY
        assert (await chat.say("/help"))[-1] == "Well?"


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        (Photo(), "photo"),
        (Document(), "document"),
        (Voice(), "voice"),
        (Audio(), "audio"),
        (Video(), "video"),
        (Location(), "location"),
        (Contact(), "contact"),
        (WebAppData(Names), "webapp"),
        (AnyOf(Photo(), Video()), "video"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_text_where_a_file_is_expected_is_asked_again_and_loses_nothing(
    wanted: Input[Any], kind: str
) -> None:
    """Lesson 11: only what a wait accepts resumes it."""
    async with Chat(asking(wanted)) as chat:
        await chat.say("/start")
        assert (await chat.say("here it is"))[-1].endswith("Well?")
        assert await chat.send_file(kind) == ("And then?",)


@pytest.mark.parametrize("kind", ["photo", "voice", "location", "contact", "webapp"])
async def test_anything_but_a_text_where_a_text_is_expected_is_asked_again(kind: str) -> None:
    async with Chat(asking(Text())) as chat:
        await chat.say("/start")
        assert (await chat.send_file(kind))[-1].endswith("Well?")
        assert await chat.say("Ada") == ("And then?",)


async def test_the_contact_of_somebody_else_is_refused_and_the_own_one_is_taken() -> None:
    async with Chat(asking(Contact())) as chat:
        await chat.say("/start")
        (told,) = await chat.send(ContactMessage(phone="+442079460958", name="Bob", user="8"))
        assert told == "That is somebody else's contact. Please share your own."
        assert await chat.send_file("contact", "+442079460958 Ada") == ("And then?",)


@pytest.mark.parametrize("data", ["{", "[" * 100_000, '{"first": 5}', '{"first": NaN}'])
async def test_a_web_app_that_sends_what_the_model_refuses_is_told_so(data: str) -> None:
    async with Chat(asking(WebAppData(Names))) as chat:
        await chat.say("/start")
        (told,) = await chat.send(WebAppMessage(data))
        assert told == "The app has sent something that cannot be used here. Please try again."
        assert await chat.send(WebAppMessage('{"first": "Ada"}')) == ("And then?",)


@pytest.mark.parametrize("name", ["<b>", "_", "*Ada*", "{x.__class__}", "%s", "[red]"])
async def test_a_name_with_markup_or_braces_is_said_as_it_is(name: str) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        who = await turn.ask("Who?", Text())
        turn.reply(f"Hello {who}!")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with BotApiServer() as server, on_telegram(app_of(flow), server):
        server.text(ADA, "/start")
        server.text(ADA, name)
        await server.until(lambda: len(server.replies(ADA)) == 2)
        assert [(event.text, event.parse_mode) for event in server.events] == [
            ("Who?", None),
            (f"Hello {name}!", None),
        ]


# --- handlers ---------------------------------------------------------------------------


async def test_a_step_that_raises_is_named_in_the_log_with_its_flow(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        raise RuntimeError("boom")

    flow = FlowBuilder("fragile", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        assert await chat.say("/start") == (APOLOGY,)
        assert "did not understand" in (await chat.say("x"))[0]
    assert "flow 'fragile', step ONLY" in caplog.text
    assert "RuntimeError: boom" in caplog.text


async def test_what_a_person_said_is_not_in_the_message_about_data_that_does_not_validate(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        turn.data.count = await turn.ask("How many?", Text())  # type: ignore[arg-type]  # a bug
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow)) as chat:
        await chat.say("/start")
        assert await chat.say("my private words") == (APOLOGY,)
    assert "field 'count'" in caplog.text
    assert "private" not in caplog.text


# --- buttons ----------------------------------------------------------------------------


async def test_a_button_of_another_bot_changes_nothing() -> None:
    async with Chat(asking(Choice(["red", "blue"]))) as other:
        await other.say("/start")
        theirs = other.button("red").data
    async with Chat(asking(Choice(["red", "blue"]))) as chat:
        await chat.say("/start")
        assert set(await chat.send(Press(id="p", data=theirs))) == {"Well?", EXPIRED}
        assert await chat.press("blue") == ("And then?",)


async def test_a_press_whose_message_is_inaccessible_is_answered_and_counts() -> None:
    app = asking(Choice(["red", "blue"]))
    async with BotApiServer() as server, on_telegram(app, server):
        server.text(ADA, "/start")
        await server.until(lambda: server.replies(ADA) == ["Well?"])
        press = server.press(ADA, "red")["callback_query"]
        press["message"] = {"chat": server.chat(ADA), "message_id": 5, "date": 0}
        await server.until(lambda: server.replies(ADA) == ["Well?", "And then?"])
        await server.until(lambda: server.answers(ADA) == [""])


async def test_fact_11_a_press_that_is_sent_again_under_a_new_id_changes_nothing() -> None:
    app = asking(Choice(["red", "blue"]))
    async with BotApiServer() as server, on_telegram(app, server):
        server.text(ADA, "/start")
        await server.until(lambda: server.replies(ADA) == ["Well?"])
        query = server.press(ADA, "red")["callback_query"]
        await server.until(lambda: "And then?" in server.replies(ADA))
        server.presses["again"] = Event(kind="answered", chat=ADA, message_id=1, text="")
        server.update(callback_query={**query, "id": "again"})
        await server.until(lambda: server.answers(ADA) == ["", EXPIRED])
        assert server.replies(ADA)[-1] == "And then?"


# --- what Telegram hands in -------------------------------------------------------------


async def test_what_is_no_message_of_a_person_is_no_turn_of_the_flow() -> None:
    app = asking(Text())
    async with BotApiServer() as server, on_telegram(app, server):
        server.text(ADA, "/start")
        await server.until(lambda: server.replies(ADA) == ["Well?"])
        said = server.text(ADA, "never mind")["message"]
        await server.until(lambda: server.replies(ADA)[1:] == ["And then?"])
        server.update(edited_message={**said, "text": "changed", "edit_date": 1_760_000_001})
        server.poll("?", "yes", "no")
        server.raw_update({"update_id": server.next_update_id, "brand_new": {"chat": 1}})
        server.raw_update({"message": {"text": "an update without an id"}})
        server.next_update_id += 1
        server.text(ADA, "/help")
        await server.until(lambda: len(server.replies(ADA)) == 4)
        assert server.replies(ADA)[-1] == "And then?"


async def test_an_album_of_ten_is_one_turn() -> None:
    app = asking(Photo())
    async with BotApiServer() as server, on_telegram(app, server):
        server.text(ADA, "/start")
        await server.until(lambda: server.replies(ADA) == ["Well?"])
        for _ in range(10):
            server.photo(ADA, media_group_id="7")
        server.text(ADA, "/help")
        await server.until(lambda: len(server.replies(ADA)) == 4)
        assert server.replies(ADA)[1::2] == ["And then?", "And then?"]


async def test_a_contact_is_no_answer_to_a_question_for_a_phone_number() -> None:
    app = asking(Phone())
    contact = {"phone_number": "+442079460958", "first_name": "Bob", "user_id": 2}
    async with BotApiServer() as server, on_telegram(app, server):
        server.text(ADA, "/start")
        server.message(ADA, contact=contact)
        await server.until(lambda: len(server.replies(ADA)) == 2)
        assert server.replies(ADA)[-1].endswith("Well?")
        server.text(ADA, "+44 20 7946 0958")
        await server.until(lambda: server.replies(ADA)[-1] == "And then?")


@pytest.mark.parametrize("junk", ["x" * 64, "../../etc/passwd", "<b>", "\u202e"])
async def test_a_start_with_junk_is_a_start_with_that_payload(junk: str) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask(f"Invited by {turn.payload}?")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with BotApiServer() as server, on_telegram(app_of(flow), server):
        server.text(ADA, f"/start {junk}")
        await server.until(lambda: server.replies(ADA) == [f"Invited by {junk}?"])


async def test_an_echo_of_4096_emoji_reaches_the_person_whole() -> None:
    router = Router("echo")

    @router.kind("text")
    async def echo(ctx: Context) -> None:
        assert isinstance(ctx.update.content, TextMessage)
        ctx.reply(ctx.update.content.text)

    flood = "😀" * 4096
    async with BotApiServer() as server, on_telegram(App(router), server):
        server.text(ADA, flood)
        await server.until(lambda: "".join(server.replies(ADA)) == flood)
        assert len(server.replies(ADA)) == 2


@asynccontextmanager
async def on_telegram(app: App, server: BotApiServer) -> AsyncIterator[None]:
    """Runs an app against a Bot API server."""
    stop = asyncio.Event()
    channel = TelegramChannel(server.token, api_url=server.url, limits=False)
    running = asyncio.create_task(app.run(channel=channel, storage=MemoryStorage(), stop=stop))
    try:
        yield
    finally:
        stop.set()
        await running


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")
