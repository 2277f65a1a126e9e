"""What people confide is nowhere to be found but in the bot's own hands."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from enum import StrEnum, auto
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine import App
from engine.cli.logs import set_up
from engine.testing import Chat
from examples.kyc import app as kyc
from flows import (
    Action,
    Context,
    FileRef,
    FlowBuilder,
    FlowRegistry,
    OnCommand,
    Phone,
    PhotoMessage,
    Router,
    Sensitive,
    Text,
    Turn,
)
from flows.errors import SecretKeyMissing
from flows.ports import Query
from storage import EncryptedStorage, Keyring, MemoryStorage, SqlStorage
from storage.crypto.keys import new_key

pytestmark = pytest.mark.anyio

PASSPORT = "canary-P4711-XY"
PHONE = "+44 20 7946 0958"
DIGITS = "442079460958"
CODE = "canary-derived-9"


class Step(StrEnum):
    PASSPORT = auto()
    PHONE = auto()
    CHECK = auto()


class Person(BaseModel):
    passport: Sensitive[str] = ""
    phone: Sensitive[str] | None = None
    code: Sensitive[str] = ""
    city: str = ""


class Session(BaseModel):
    nick: Sensitive[str] = ""


def confiding() -> App:
    """A bot that is told secrets, and fails over each of them in its own way."""
    flow = FlowBuilder("papers", Step, Person)

    @flow.step(Step.PASSPORT)
    async def passport(turn: Turn[Step, Person]) -> Action[Step]:
        turn.data.passport = await turn.ask("Passport?", Text())
        city = await turn.ask("City?", Text())
        if city == "fail":
            try:
                int(turn.data.passport)
            except ValueError as error:
                raise LookupError(f"no such passport: {turn.data.passport}") from error
        turn.log("has a passport", number=turn.data.passport, city="Rome")
        return turn.next()

    @flow.step(Step.PHONE)
    async def phone(turn: Turn[Step, Person]) -> Action[Step]:
        number = await turn.ask("Phone?", Phone())
        logging.getLogger("mybot").warning("calling %s", number)
        turn.data.code = CODE
        if await turn.ask("Sure?", Text()) == "fail":
            raise RuntimeError(f"cannot call {number} with {turn.data.code}")
        turn.data.phone = number
        return turn.next()

    @flow.step(Step.CHECK)
    async def check(turn: Turn[Step, Person]) -> Action[Step]:
        await turn.ask("Done?", Text())
        return turn.complete()

    @flow.on_cancel
    async def cancelled(turn: Turn[Step, Person]) -> None:
        raise ValueError(f"who has {turn.data.passport}?")

    registry = FlowRegistry()
    registry.register(OnCommand("papers"), flow.build(initial=Step.PASSPORT))
    registry.cancel_command("cancel")
    return App(Router("confiding"), registry=registry)


async def tell_all(chat: Chat) -> None:
    await chat.say("/papers")
    await chat.say(PASSPORT)
    await chat.say("fail")
    await chat.say("Paris")
    await chat.say(PHONE)
    await chat.say("fail")
    await chat.say("yes")
    await chat.say("/cancel")
    await chat.say("/papers")
    await chat.say(PASSPORT)


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.usefixtures("restored")
async def test_nothing_that_was_confided_is_logged_or_listed_or_in_a_file(
    database: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    keys = Keyring.parse(new_key())
    set_up(level="DEBUG", format="json" if form == "json" else "text")
    storage = EncryptedStorage(SqlStorage(f"sqlite:///{database}"), keys)
    async with Chat(confiding(), storage=storage) as chat:
        await tell_all(chat)
        for file in database.parent.iterdir():
            assert not traces(file.read_bytes().decode("utf-8", "replace")), file.name
    log = capsys.readouterr()
    assert not traces(log.err), log.err
    for said in ("no such passport: ***", "cannot call *** with ***", "calling ***", "who has ***"):
        assert said in log.err
    assert "has a passport" in log.err
    assert "Rome" in log.err
    plain = SqlStorage(f"sqlite:///{database}")
    await plain.open()
    try:
        for what in ("instances", "transitions", "dead_letters", "inbox", "outbox", "timers"):
            page = await plain.inspect(Query(what=what))
            assert not traces(repr(page.rows)), what
    finally:
        await plain.close()


async def test_the_identity_check_leaves_nothing_to_be_read_in_its_file(database: Path) -> None:
    storage = EncryptedStorage(SqlStorage(f"sqlite:///{database}"), Keyring.parse(new_key()))
    said = ("+44 20 7946 0958", "442079460958", "ada@example.com", "passport-1")
    async with Chat(kyc, storage=storage) as chat:
        await chat.say("/kyc")
        await chat.send(PhotoMessage(FileRef(id="passport-1")))
        await chat.say("+44 20 7946 0958")
        await chat.say("ada@example.com")
        await chat.say("yes")
        assert "ada@example.com" in chat.replies()[-1]
        for file in database.parent.iterdir():
            found = file.read_bytes()
            assert not any(word.encode() in found for word in said), file.name


def traces(text: str) -> list[str]:
    return [word for word in (PASSPORT, PHONE, DIGITS, CODE) if word in text]


async def test_a_flow_with_sensitive_fields_is_not_run_where_everybody_can_read_them(
    database: Path,
) -> None:
    with pytest.raises(SecretKeyMissing, match=r"flow 'papers' \(code, passport, phone\)") as no:
        async with Chat(confiding(), storage=SqlStorage(f"sqlite:///{database}")):
            pass
    assert "handrail key new" in str(no.value)


async def test_in_memory_it_needs_no_key() -> None:
    async with Chat(confiding(), storage=MemoryStorage()) as chat:
        assert await chat.say("/papers") == ("Passport?",)


async def test_a_session_with_sensitive_fields_needs_a_key_too(database: Path) -> None:
    app = App(Router("nick"), session=Session)
    with pytest.raises(SecretKeyMissing, match=r"session Session \(nick\)"):
        async with app.operator(SqlStorage(f"sqlite:///{database}")):
            pass


@pytest.mark.parametrize("where", ["answers", "payload", "session"])
async def test_what_a_handler_without_a_flow_was_told_is_not_logged(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    router = Router("nick")
    nick = "-".join(("canary", "nick"))  # the log quotes the source

    @router.command("answers")
    async def answers(ctx: Context[Session]) -> None:
        told = await ctx.ask("Nick?")
        await ctx.ask("Sure?")
        raise LookupError(f"no such nick: {told}")

    @router.command("payload")
    async def payload(ctx: Context[Session]) -> None:
        await ctx.ask("Sure?")
        raise LookupError(f"no such nick: {ctx.payload}")

    @router.command("session")
    async def session(ctx: Context[Session]) -> None:
        await ctx.ask("Sure?")
        ctx.session.nick = nick
        raise LookupError(f"no such nick: {ctx.session.nick}")

    async with Chat(App(router, session=Session)) as chat:
        for text in (f"/{where} {nick}" if where == "payload" else f"/{where}", nick, "yes"):
            await chat.say(text)
    assert "no such nick: ***" in caplog.text
    assert nick not in caplog.text


async def test_what_a_handler_writes_into_the_session_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    router = Router("nick")
    nick = "-".join(("canary", "nick"))

    @router.command("nick")
    async def fail(ctx: Context[Session]) -> None:
        ctx.session.nick = nick
        raise LookupError(f"no such nick: {nick}")

    @router.catch
    async def tell(ctx: Context[Session], error: Exception) -> None:
        ctx.reply("Sorry.")

    async with Chat(App(router, session=Session)) as chat:
        assert await chat.say("/nick") == ("Sorry.",)
    assert "no such nick: ***" in caplog.text
    assert nick not in caplog.text
