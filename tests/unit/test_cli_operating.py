"""``ps``, ``show``, the orders and ``check --database``, inside this process, beside no bot."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.cli import main, operating
from engine.operate.words import span, who
from flows.ports import Query
from flows.turns.instance import FlowInstance
from flows.updates import Order, Update
from storage import EncryptedStorage, Keyring, SqlStorage
from tests.stored import at_step, awaiting, escalated, key_of, store

BOT = """
from enum import StrEnum, auto
from pydantic import BaseModel
from engine import App
from flows import FlowBuilder, FlowRegistry, OnCommand, Router, Sensitive, Text

class Step(StrEnum):
    NAME = auto()
    CITY = auto()

class Data(BaseModel):
    name: str = ""
    city: str = ""
    phone: Sensitive[str] = ""

flow = FlowBuilder("signup", Step, Data)
flow.ask(Step.NAME, "What's your name?", Text(), into="name")
flow.ask(Step.CITY, "Which city?", Text(), into="city")
registry = FlowRegistry()
registry.register(OnCommand("start"), flow.build(initial=Step.NAME))
app = App(Router("bot"), registry=registry)
"""
APP = "cityguide:app"
URL = "sqlite+aiosqlite:///bot.db"
KEY = "k" * 42 + "A"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs a command in a folder with a bot; answers exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", URL)
    monkeypatch.setenv("HANDRAIL_SECRET_KEY", KEY)
    monkeypatch.delenv("HANDRAIL_TELEGRAM_TOKEN", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(operating, "PATIENCE", 0.0)
    monkeypatch.setattr(operating, "LAST_WORDS", 0.0)
    Path("cityguide.py").write_text(BOT)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leaving:
            main(arguments)
        code = leaving.value.code
        out, err = capsys.readouterr()
        return code if isinstance(code, int) else 0, out, err

    yield run
    sys.modules.pop("cityguide", None)


def stored(user: str, *stack: FlowInstance) -> str:
    """Puts a conversation into the database; answers its key."""

    async def put() -> str:
        storage = EncryptedStorage(SqlStorage(URL), Keyring.parse(KEY))
        await storage.open()
        key = await store(storage, user, *stack)
        await storage.close()
        return key

    return asyncio.run(put())


def orders() -> list[Order]:
    """The orders in the inbox, but for the scope that each is looked up in."""

    async def look() -> list[Order]:
        storage = EncryptedStorage(SqlStorage(URL), Keyring.parse(KEY))
        await storage.open()
        rows = (await storage.inspect(Query(what="inbox"))).rows
        await storage.close()
        contents = [Update.from_json(row["body"]).content for row in rows]
        found = (content for content in contents if isinstance(content, Order))
        return [replace(order, scope="") for order in found]

    return asyncio.run(look())


def at(step: str, *, id: str = "1-0", name: str = "") -> FlowInstance:
    return at_step(step, id=id, flow="signup", name=name)


COMMANDS = (
    "ps", "show", "start", "resume", "goto", "repeat", "cancel", "erase", "dead", "replay", "web",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(run: Run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "Example: " in out


# --- looking --------------------------------------------------------------------------------


def test_a_pipe_gets_a_line_an_instance_with_tabs(run: Run) -> None:
    stored("7", at("NAME"), at("CITY", id="1-1"))
    code, out, err = run("ps", APP)
    lines = [line.split("\t") for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert lines[0] == ["id", "flow", "step", "status", "who", "idle"]
    assert [line[:5] for line in lines[1:]] == [
        ["1-1", "signup", "CITY", "active", "7"],
        ["1-0", "signup", "NAME", "active", "7"],
    ]


def test_ps_can_be_filtered(run: Run) -> None:
    stored("7", at("NAME"), at_step("GONE", id="2-0", flow="old"))
    assert "2-0" not in run("ps", APP, "--flow", "signup")[1]
    assert "2-0" in run("ps", APP, "--flow", "old")[1]
    assert run("ps", APP, "--status", "completed")[1] == "Nothing to list.\n"
    code, _, err = run("ps", APP, "--flow", "singup")
    assert (code, "Did you mean 'signup'?" in err) == (1, True)
    assert run("ps", APP, "--status", "odd")[0] == 2


def test_ps_says_that_there_is_more(run: Run) -> None:
    stored("7", at("NAME"), at("CITY", id="1-1"))
    out = run("ps", APP, "--limit", "1")[1]
    assert "These are the newest 1. There are more" in out
    assert "1-0" not in out


def test_nothing_running_is_said(run: Run) -> None:
    stored("7")
    assert run("ps", APP) == (0, "Nothing runs.\n", "")


def test_show_tells_step_wait_and_data(run: Run) -> None:
    stored("7", at("NAME", name="Ada\x1b]0;"))
    code, out, _ = run("show", APP, "1-0")
    assert code == 0
    assert "step       NAME\n" in out
    assert 'data       name = "Ada\\u001b]0;"\n' in out
    assert f"in         {key_of('7')}\n" in out


def test_show_hides_what_is_sensitive(run: Run) -> None:
    stored("7", at_step("NAME", id="1-0", flow="signup", name="Ada", phone="555-1234"))
    stored("8", at_step("NAME", id="2-0", flow="gone", phone="555-1234"))
    for instance in ("1-0", "2-0"):
        out = run("show", APP, instance)[1]
        assert 'phone = "***"' in out
        assert "555-1234" not in out


def test_show_says_how_to_resume(run: Run) -> None:
    stored("7", escalated("NAME", id="1-0", flow="signup"))
    stored("8", awaiting("NAME", "2-0.secret", id="2-0", flow="signup"))
    assert f"answer: handrail resume {APP} 1-0 PAYLOAD" in run("show", APP, "1-0")[1]
    assert f"handrail resume {APP} 2-0.secret PAYLOAD" in run("show", APP, "2-0")[1]


def test_an_unknown_instance_is_a_sentence(run: Run) -> None:
    stored("7", at("NAME", id="abc-0"))
    code, _, err = run("show", APP, "abd-0")
    assert (code, err) == (1, "error: no instance 'abd-0' runs. Did you mean 'abc-0'?\n")


# --- databases ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("ps", APP),
        ("show", APP, "1-0"),
        ("cancel", APP, "1-0"),
        ("erase", APP, "console/7", "--yes"),
        ("check", APP, "--database", URL),
    ],
)
def test_what_looks_makes_no_database(run: Run, command: tuple[str, ...]) -> None:
    code, _, err = run(*command)
    assert code == 1
    assert err.startswith(f"error: there is no database {URL} yet")
    assert not Path("bot.db").exists()


def test_memory_is_no_database_of_another_process(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", "memory://")
    assert "which no other process can look into" in run("ps", APP)[2]
    assert "which no other process can look into" in run("check", APP, "--database", "memory://")[2]


def test_the_schema_is_not_changed_under_a_bot(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stored("7", at("NAME"))
    monkeypatch.setattr("storage.sql.migrate.head", lambda: "9999")
    code, _, err = run("cancel", APP, "1-0")
    assert (code, "this version needs 9999" in err) == (1, True)


# --- orders ---------------------------------------------------------------------------------


def test_an_order_waits_for_the_bot_and_says_so(run: Run) -> None:
    stored("7", at("NAME"))
    code, out, err = run("goto", APP, "1-0", "CITY")
    assert (code, err) == (0, "")
    assert "it is done when the bot runs next" in out
    assert orders() == [Order(order="goto", instance="1-0", step="CITY")]


def test_a_start_may_come_before_the_first_run(run: Run) -> None:
    assert run("start", APP, "signup", "--user", "7", "--data", '{"name": "Ada"}')[0] == 0
    assert orders() == [Order(order="start", flow="signup", data={"name": "Ada"})]


@pytest.mark.parametrize("data", ["[1]", "{", "name=Ada"])
def test_data_that_is_no_object_is_wrongly_called(run: Run, data: str) -> None:
    code, _, err = run("start", APP, "signup", "--user", "7", "--data", data)
    assert (code, "--data is no JSON" in err) == (2, True)


def test_what_cannot_be_done_is_a_sentence(run: Run) -> None:
    stored("7", at("NAME"))
    assert "Did you mean 'signup'?" in run("start", APP, "singup", "--user", "7")[2]
    assert "has no step 'CITTY'" in run("goto", APP, "1-0", "CITTY")[2]
    assert "waits for no operator" in run("resume", APP, "1-0", "yes")[2]
    assert "nothing waits for the ticket" in run("resume", APP, "1-0.abc", "yes")[2]
    assert orders() == []


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        ((), None),
        (("yes, go on",), "yes, go on"),
        (("5",), 5),
        (('{"ok": true}',), {"ok": True}),
        (('"5"',), "5"),
        (("{half",), "{half"),
    ],
)
def test_a_payload_is_json_or_plain_text(run: Run, payload: tuple[str, ...], value: object) -> None:
    stored("7", escalated("NAME", id="1-0", flow="signup"))
    assert run("resume", APP, "1-0", *payload)[0] == 0
    assert orders() == [Order(order="resume", instance="1-0", payload=value)]


def test_an_instance_or_a_conversation_is_cancelled(run: Run) -> None:
    key = stored("7", at("NAME"))
    run("cancel", APP, "1-0", "--reason", "by phone")
    run("cancel", APP, "--conversation", key)
    assert orders() == [
        Order(order="cancel", instance="1-0", reason="by phone"),
        Order(order="cancel_all"),
    ]
    for wrong in ((), ("1-0", "--conversation", key)):
        assert run("cancel", APP, *wrong)[0] == 2


def test_erasing_asks_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stored("7", at("NAME"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert run("erase", APP, "test/7")[0] == 1
    assert "1-0" in run("ps", APP)[1]
    code, out, _ = run("erase", APP, "test/7", "--yes")
    assert (code, "test/7 is erased. Conversations removed: 1." in out) == (0, True)
    assert "its hooks did not run" in out
    assert run("ps", APP)[1] == "Nothing runs.\n"
    assert "Nothing was kept of test/7" in run("erase", APP, "test/7", "-y")[1]


# --- before a deploy --------------------------------------------------------------------------


def test_check_tells_that_all_goes_on(run: Run) -> None:
    stored("7", at("NAME"), at("CITY", id="1-1"))
    code, out, _ = run("check", APP, "--database", URL)
    assert code == 0
    assert "signup, step CITY: 1 fit\nsignup, step NAME: 1 fit\n" in out
    assert out.endswith("Everything that runs in the database (2) goes on.\n")


def test_check_names_what_would_be_set_aside_and_fails(run: Run) -> None:
    for number in range(5):
        stored(str(number), at("TOWN", id=f"{number}-0"))
    stored("7", at("NAME", id="7-0"))
    before = Path("bot.db").read_bytes()
    code, out, _ = run("check", APP, "--database", URL)
    assert code == 1
    assert "signup, step TOWN: 5 would be set aside\n" in out
    assert "    5: it is at step TOWN, which version 1 does not have (4-0, 3-0, 2-0, ...)\n" in out
    assert "Of 6 instances, 5 would be set aside" in out
    assert Path("bot.db").read_bytes() == before


def test_check_says_over_which_versions_instances_migrate(run: Run) -> None:
    migrating = """
from dataclasses import replace
from flows.definition.migrations import Migration
built = FlowBuilder("moving", Step, Data, version=3)
built.ask(Step.NAME, "?", Text(), into="name")
built.ask(Step.CITY, "?", Text(), into="city")
moves = {1: Migration(1, renamed={"TOWN": "PLACE"}), 2: Migration(2, renamed={"PLACE": "CITY"})}
registry.register_callable(replace(built.build(initial=Step.NAME), migrations=moves))
"""
    Path("cityguide.py").write_text(BOT + migrating)
    stored("7", at_step("TOWN", flow="moving"))
    code, out, _ = run("check", APP, "--database", URL)
    assert code == 0
    assert "moving, step TOWN: 1 would migrate (1 -> 2 -> 3)\n" in out


# --- how things are written -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(-5, "0s"), (999, "0s"), (59_999, "59s"), (60_000, "1m"), (7_200_000, "2h"), (9**10, "40d")],
)
def test_times_are_told_in_their_largest_unit(milliseconds: int, text: str) -> None:
    assert span(milliseconds) == text


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("telegram/1/42//42", "42"),
        ("telegram/1/-100//42", "42 in -100"),
        ("telegram/1/-100/7/42", "42 in -100, topic 7"),
        ("chat:telegram/1/-100", "chat:telegram/1/-100"),
    ],
)
def test_who_it_is_is_told_briefly(key: str, text: str) -> None:
    assert who(key) == text
