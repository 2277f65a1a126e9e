"""The examples: every transcript on every channel, and what each bot promises besides."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from engine import App
from engine.channels.console.made_up import KINDS, made_up
from engine.channels.telegram import TelegramChannel, Webhook
from engine.testing import parse_transcript, play, read_transcript
from engine.testing.chat import Chat
from engine.testing.transcript import Exchange
from examples.signup import app as signup
from flows import FlowStorage
from flows.definition.graph import mermaid
from flows.updates import (
    AudioMessage,
    ContactMessage,
    Content,
    DocumentMessage,
    LocationMessage,
    PhotoMessage,
    VideoMessage,
    VoiceMessage,
    WebAppMessage,
)
from storage import EncryptedStorage, Keyring, MemoryStorage, SqlStorage
from tests.botapi import BotApiServer

ROOT = Path(__file__).parents[2]
TRANSCRIPTS = sorted((ROOT / "examples").rglob("transcript*.txt"))
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/__init__.py"))

KEY = "k" * 42 + "A"
STARTS = {"signup": "/start", "kyc": "/kyc", "survey": "/survey", "checkout": "/buy",
          "dropin_aiogram": "/book", "dropin_ptb": "/feedback"}  # fmt: skip

ADA = 1001

every_transcript = pytest.mark.parametrize(
    "path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}"
)
every_example = pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)


@pytest.fixture(autouse=True)
def _on_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Examples must not clash with what runs beside the tests."""
    monkeypatch.setenv("CHECKOUT_PORT", "0")
    monkeypatch.setenv("SURVEY_RESULTS", str(tmp_path / "results.db"))


def module_of(folder: Path) -> str:
    """The name that an example is imported by."""
    return ".".join(folder.relative_to(ROOT).parts)


def app_of(folder: Path) -> App:
    """The app of an example."""
    app: App = importlib.import_module(module_of(folder)).app
    return app


def in_order(exchange: Exchange, said: str) -> bool:
    """Whether the expected words occur in what was said, one after the other."""
    position = 0
    heard = " ".join(said.split()).casefold()
    for expectation in exchange.expected:
        words = " ".join(expectation.words.split()).casefold()
        found = heard.find(words, position)
        if found < 0:
            return False
        position = found + len(words)
    return True


# --- every example ----------------------------------------------------------------------


@every_example
def test_an_example_is_a_package_with_readme_transcript_and_app(folder: Path) -> None:
    assert (folder / "README.md").is_file()
    assert (folder / "transcript.txt").is_file()
    assert app_of(folder).check()


@every_example
def test_no_file_of_an_example_bears_a_reserved_name(folder: Path) -> None:
    reserved = {"flows", "engine", "storage"}
    assert [path for path in folder.rglob("*") if path.stem in reserved] == []


@every_example
def test_the_pictures_of_an_example_are_those_of_its_flows(folder: Path) -> None:
    readme = (folder / "README.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^```mermaid\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert drawn == [mermaid(flow) for flow in app_of(folder).registry.flows.values()]


@pytest.mark.anyio
@every_example
async def test_every_example_has_a_hint_a_help_a_way_back_and_a_way_out(folder: Path) -> None:
    start = STARTS[folder.name]
    async with Chat(app_of(folder)) as chat:
        (hint,) = await chat.say("what is this?")
        asked = (await chat.say(start))[-1]
        listed, again = await chat.say("/help")
        notice, same = await chat.say("/back")
        assert await chat.say("/cancel") == ("Cancelled.",)
    assert (again, same, "the start" in notice) == (asked, asked, True)
    for command in (start, "/help", "/back", "/cancel"):
        assert command in hint
        assert f"{command} - " in listed


@pytest.mark.anyio
@every_transcript
async def test_a_transcript_plays_on_the_scripted_channel(path: Path) -> None:
    await play(app_of(path.parent), read_transcript(path))


@pytest.mark.anyio
@every_transcript
async def test_a_transcript_holds_through_a_kill_after_every_turn_and_updates_that_come_twice(
    path: Path, tmp_path: Path
) -> None:
    storage = on_file(tmp_path)
    await play(
        app_of(path.parent), read_transcript(path), storage=storage, restart=True, twice=True
    )


@every_transcript
def test_a_transcript_plays_when_it_is_piped_into_the_console(path: Path, tmp_path: Path) -> None:
    transcript = read_transcript(path)
    lines = [typed(one) for one in transcript.exchanges]
    greeting, *said = talk(module_of(path.parent), lines, tmp_path)
    assert greeting == ""
    assert len(said) == len(transcript.exchanges)
    for exchange, replies in zip(transcript.exchanges, said, strict=True):
        assert in_order(exchange, replies), f"line {exchange.line}: the bot said {replies!r}"


def on_file(folder: Path) -> FlowStorage:
    """A file, with a key: some of the examples have fields that are not kept without one."""
    file = SqlStorage(f"sqlite+aiosqlite:///{folder / 'test.db'}")
    return EncryptedStorage(file, Keyring.parse(KEY))


def typed(exchange: Exchange) -> str:
    """What a person types at a terminal for it."""
    return {"say": "", "press": "!", "file": "@"}[exchange.kind] + exchange.text


def talk(module: str, lines: list[str], folder: Path) -> list[str]:
    """What the bot said at its start and to each line, in a process that ends with the input."""
    environment = {
        **os.environ,
        "HANDRAIL_SECRET_KEY": KEY,
        "HANDRAIL_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'test.db'}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", "chat", f"{module}:app"],
        input="".join(f"{line}\n" for line in lines),
        cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    greeting, *turns = done.stdout.split("you> ")
    return [greeting, *(turn.partition("\n")[2] for turn in turns)]


@pytest.mark.anyio
@every_transcript
async def test_a_transcript_plays_through_telegram(path: Path) -> None:
    async with BotApiServer() as server, on_telegram(app_of(path.parent), server):
        for exchange in read_transcript(path).exchanges:
            before = len(server.replies(ADA))
            happen(server, exchange)
            await until_expected(server, exchange, before)


@pytest.mark.anyio
@every_transcript
async def test_a_transcript_holds_on_telegram_through_restarts_and_updates_that_come_twice(
    path: Path, tmp_path: Path
) -> None:
    async with BotApiServer() as server:
        for exchange in read_transcript(path).exchanges:
            before = len(server.replies(ADA))
            happen(server, exchange)
            server.raw_update(server.updates[-1])
            async with on_telegram(app_of(path.parent), server, on_file(tmp_path)):
                await until_expected(server, exchange, before)


@pytest.mark.anyio
@every_transcript
async def test_a_transcript_plays_through_the_webhook(path: Path) -> None:
    async with BotApiServer() as server, on_telegram(app_of(path.parent), server, webhook=True):
        for exchange in read_transcript(path).exchanges:
            before = len(server.replies(ADA))
            happen(server, exchange)
            await until_expected(server, exchange, before)
    assert server.calls("getUpdates") == []


@pytest.mark.anyio
@every_transcript
async def test_a_transcript_holds_through_the_webhook_with_restarts_and_posts_that_come_twice(
    path: Path, tmp_path: Path
) -> None:
    async with BotApiServer() as server:
        for exchange in read_transcript(path).exchanges:
            before = len(server.replies(ADA))
            happen(server, exchange)
            server.raw_update(dict(server.updates[-1]))
            async with on_telegram(app_of(path.parent), server, on_file(tmp_path), webhook=True):
                await until_expected(server, exchange, before)


@asynccontextmanager
async def on_telegram(
    app: App, server: BotApiServer, storage: FlowStorage | None = None, *, webhook: bool = False
) -> AsyncIterator[None]:
    """Runs an app against a Bot API server, which it polls or which posts to it."""
    stop = asyncio.Event()
    hook = Webhook("https://bot.example.org/", secret="secret") if webhook else None
    if hook is not None:
        server.posting.through = lambda: httpx.ASGITransport(hook)
    channel = TelegramChannel(server.token, api_url=server.url, limits=False, webhook=hook)
    running = asyncio.create_task(
        app.run(channel=channel, storage=storage or MemoryStorage(), stop=stop)
    )
    try:
        yield
    finally:
        stop.set()
        await running


def happen(server: BotApiServer, exchange: Exchange) -> None:
    """What a person does on Telegram for it."""
    match exchange.kind:
        case "say":
            server.text(ADA, exchange.text)
        case "press":
            server.press(ADA, exchange.text)
        case "file":
            share(server, made_up(*exchange.text.split(maxsplit=1)))


def share(server: BotApiServer, content: Content) -> None:
    """Sends the like of it on Telegram."""
    match content:
        case LocationMessage(latitude=latitude, longitude=longitude):
            server.location(ADA, latitude, longitude)
        case ContactMessage(phone=phone):
            server.contact(ADA, phone)
        case WebAppMessage(data=data):
            server.web_app(ADA, data)
        case PhotoMessage() | DocumentMessage() | VoiceMessage() | AudioMessage() | VideoMessage():
            getattr(server, content.kind)(ADA)


async def until_expected(server: BotApiServer, exchange: Exchange, before: int) -> None:
    """Returns when the replies say what is expected, and at least one has come."""

    def said() -> list[str]:
        return server.replies(ADA)[before:]

    try:
        await server.until(lambda: said() and in_order(exchange, "\n".join(said())))
    except TimeoutError:
        pytest.fail(f"line {exchange.line}: the bot said {said()}")


# --- signup -----------------------------------------------------------------------------

SUMMARY = ("Name: Ada\nE-mail: ada@example.com\nPlan: Pro\n\nIs everything right?",)


async def at_summary(chat: Chat) -> None:
    """Answers all questions."""
    for line in ("/start", "Ada", "ada@example.com"):
        await chat.say(line)
    assert await chat.press("Pro") == SUMMARY


@pytest.mark.anyio
async def test_start_during_the_flow_shows_the_current_question_again() -> None:
    async with Chat(signup) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        assert await chat.say("/start") == ("What's your e-mail?",)


@pytest.mark.anyio
async def test_help_lists_what_the_bot_can_do_and_shows_the_question_again() -> None:
    async with Chat(signup) as chat:
        await chat.say("/start")
        listed, asked = await chat.say("/help")
    assert [line.split(" ")[0] for line in listed.splitlines()[1:]] == [
        "/start", "/back", "/cancel", "/help", "/whoami",
    ]  # fmt: skip
    assert asked == "What's your name?"


@pytest.mark.anyio
async def test_help_outside_of_a_flow_only_lists() -> None:
    async with Chat(signup) as chat:
        (listed,) = await chat.say("/help")
    assert "/whoami - how many messages you have sent" in listed


@pytest.mark.anyio
async def test_cancel_ends_the_flow_and_says_so() -> None:
    async with Chat(signup) as chat:
        await chat.say("/start")
        assert await chat.say("/cancel") == ("Cancelled.",)
        (hint,) = await chat.say("Ada")
    assert "/start" in hint


@pytest.mark.anyio
async def test_back_goes_back_a_question_with_the_old_answer_on_a_button() -> None:
    async with Chat(signup) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        assert await chat.say("/back") == ("What's your name?",)
        assert await chat.press("Keep: Ada") == ("What's your e-mail?",)


@pytest.mark.anyio
async def test_back_at_the_first_question_asks_it_again_and_says_why() -> None:
    async with Chat(signup) as chat:
        await chat.say("/start")
        notice, asked = await chat.say("/back")
    assert "the start" in notice
    assert asked == "What's your name?"


@pytest.mark.anyio
async def test_back_from_the_summary_asks_for_the_plan() -> None:
    async with Chat(signup) as chat:
        await at_summary(chat)
        assert await chat.say("/back") == ("Which plan do you want?",)
        assert await chat.press("Keep: Pro") == SUMMARY


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("label", "question", "answer", "line"),
    [
        ("Name", "What's your name?", "Grace", "Name: Grace"),
        ("E-mail", "What's your e-mail?", "grace@example.com", "E-mail: grace@example.com"),
        ("Plan", "Which plan do you want?", "Team", "Plan: Team"),
    ],
)
async def test_a_field_is_edited_from_the_summary_and_only_that(
    label: str, question: str, answer: str, line: str
) -> None:
    async with Chat(signup) as chat:
        await at_summary(chat)
        assert await chat.press(label) == (question,)
        (summary,) = await chat.say(answer)
        done = await chat.press("Confirm")
    before, after = SUMMARY[0].splitlines(), summary.splitlines()
    assert [new for old, new in zip(before, after, strict=True) if old != new] == [line]
    assert "all set" in done[0]


@pytest.mark.anyio
async def test_back_in_an_edit_returns_to_the_summary_unchanged() -> None:
    async with Chat(signup) as chat:
        await at_summary(chat)
        await chat.press("Name")
        assert await chat.say("/back") == SUMMARY


@pytest.mark.anyio
async def test_whoami_counts_messages_in_flows_and_outside_and_no_presses() -> None:
    async with Chat(signup) as chat:
        assert await chat.say("/whoami") == ("You have sent 1 messages.",)
        await at_summary(chat)
        await chat.send_file("photo")
        assert await chat.say("/whoami") == ("You have sent 6 messages.",)


@pytest.mark.anyio
async def test_whoami_counts_whatever_is_sent() -> None:
    async with Chat(signup) as chat:
        for kind in KINDS:
            await chat.send_file(kind)
        assert await chat.say("/whoami") == (f"You have sent {len(KINDS) + 1} messages.",)


@pytest.mark.anyio
async def test_whoami_counts_every_person_apart() -> None:
    async with Chat(signup) as chat:
        await chat.say("hello", by="ada")
        assert await chat.say("/whoami", by="grace") == ("You have sent 1 messages.",)


@pytest.mark.anyio
async def test_an_unknown_text_with_nothing_running_gets_a_hint_with_the_commands() -> None:
    async with Chat(signup) as chat:
        (hint,) = await chat.say("what is this?")
    assert "/start, /back, /cancel, /help, /whoami" in hint


@pytest.mark.anyio
async def test_a_photo_where_a_name_is_expected_is_asked_again() -> None:
    async with Chat(signup) as chat:
        await chat.say("/start")
        (again,) = await chat.send_file("photo")
        assert "What's your name?" in again
        assert await chat.say("Ada") == ("What's your e-mail?",)


def test_a_piped_conversation_goes_on_where_it_was_left(tmp_path: Path) -> None:
    module = module_of(ROOT / "examples" / "signup")
    assert "What's your e-mail?" in talk(module, ["/start", "Ada"], tmp_path)[-1]
    question, summary = talk(module, ["ada@example.com", "2"], tmp_path)[::2]
    assert "What's your e-mail?" in question
    assert "Plan: Pro" in summary
    again, done = talk(module, ["Confirm"], tmp_path)
    assert "Is everything right?" in again
    assert "all set" in done


def test_a_piped_fork_holds_through_a_process_for_every_two_lines(tmp_path: Path) -> None:
    """For every single one the transcripts are played in one process, which is quicker."""
    folder = ROOT / "examples" / "kyc"
    exchanges = read_transcript(folder / "transcript.txt").exchanges
    for two in (exchanges[start : start + 2] for start in range(0, len(exchanges), 2)):
        said = talk(module_of(folder), [typed(one) for one in two], tmp_path)[-len(two) :]
        for exchange, replies in zip(two, said, strict=True):
            assert in_order(exchange, replies), f"line {exchange.line}: the bot said {replies!r}"


def test_a_reply_without_the_expected_words_is_told() -> None:
    (exchange,) = parse_transcript("> /start\n< What's your name?").exchanges
    assert in_order(exchange, "Hello! WHAT'S  your\nname?")
    assert not in_order(exchange, "What is your name?")
