"""``dead`` and ``replay``, inside this process, beside no bot."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from engine.cli import main
from flows.conversation import Address, ConversationKey
from flows.messages.replies import Reply, send_to_json
from flows.ports import DeadLetter, FlowStorage, InboxRow, OutboxRow, Query, SendResult, TurnCommit
from storage import SqlStorage

URL = "sqlite+aiosqlite:///bot.db"
APP = "bot:app"
BOT = """
from engine import App
from flows import Router
app = App(Router("bot"))
"""
ADA = ConversationKey(Address("telegram:1", "7"), "7")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs a command in a folder with a bot; answers exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", URL)
    monkeypatch.delenv("HANDRAIL_TELEGRAM_TOKEN", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    Path("bot.py").write_text(BOT)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leaving:
            main(arguments)
        code = leaving.value.code
        out, err = capsys.readouterr()
        return code if isinstance(code, int) else 0, out, err

    yield run
    sys.modules.pop("bot", None)


async def _bury(storage: FlowStorage, said: str, error: str, number: int) -> None:
    part = ADA.address.partition
    fence = await storage.lease("w", 64, 15_000)
    cause = InboxRow(
        source="t", ext=str(number), part=part, conv=str(ADA), kind="text", body="{}", at=0
    )
    (seq,) = await storage.accept([cause])
    assert seq is not None
    row = OutboxRow(
        part=part, chat=str(ADA.address), conv=str(ADA), turn=seq, n=0, slot=None,
        body=send_to_json(Reply(text=said)),
    )  # fmt: skip
    await storage.commit(fence, [TurnCommit(cause=seq, part=part, outbox=[row])])
    dead = SendResult(conv=row.conv, turn=seq, n=0, state="dead", error=error)
    await storage.sent(fence, [dead])
    await storage.release("w")


def buried(*errors: str) -> None:
    """Puts dead letters of messages to Ada into the database, one an error."""

    async def put() -> None:
        storage = SqlStorage(URL)
        await storage.open()
        for number, error in enumerate(errors):
            await _bury(storage, f"a secret {number}", error, number)
        await storage.close()

    asyncio.run(put())


def rows(query: Query) -> Sequence[object]:
    async def look() -> Sequence[object]:
        storage = SqlStorage(URL)
        await storage.open()
        found = (await storage.inspect(query)).rows
        await storage.close()
        return found

    return asyncio.run(look())


def test_a_pipe_gets_a_line_a_letter_the_newest_first_and_no_words_of_people(run: Run) -> None:
    buried("blocked", "x" * 100)
    code, out, err = run("dead", APP)
    lines = [line.split("\t") for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert lines[0] == ["id", "who", "origin", "tries", "age", "error"]
    assert [(line[:4], line[5]) for line in lines[1:]] == [
        (["2", "7", "outbox", "1"], "x" * 59 + "…"),
        (["1", "7", "outbox", "1"], "blocked"),
    ]
    assert "secret" not in out


def test_a_list_goes_on_where_a_page_has_ended(run: Run) -> None:
    buried("a", "b", "c")
    out = run("dead", APP, "--limit", "2")[1]
    assert "There are more: say --after '[2]', or --limit." in out
    out = run("dead", APP, "--limit", "2", "--after", "[2]")[1]
    assert [line.split("\t")[0] for line in out.splitlines()] == ["id", "1"]
    assert run("dead", APP, "--after", "[1]")[1] == "There are no more.\n"
    assert run("dead", APP, "--after", "nonsense")[0] == 1


def test_letters_of_one_conversation_are_listed(run: Run) -> None:
    buried("a")
    assert "outbox" in run("dead", APP, "--conversation", str(ADA))[1]
    none = run("dead", APP, "--conversation", "telegram/1/8//8")[1]
    assert none == "There are no dead letters.\n"


def test_one_letter_is_shown_closely_and_its_words_on_demand_only(run: Run) -> None:
    buried("bot was blocked by the user")
    code, out, _ = run("dead", APP, "1")
    assert code == 0
    for words in ("outbox: it could not be sent", str(ADA), "bot was blocked by the user"):
        assert words in out
    assert "secret" not in out
    assert "handrail replay bot:app 1" in out
    assert "a secret 0" in run("dead", APP, "1", "--body")[1]


def test_a_letter_that_is_not_there_is_told_in_a_sentence(run: Run) -> None:
    buried("a")
    for command in (("dead", APP, "9"), ("replay", APP, "9")):
        code, _, err = run(*command)
        assert code == 1
        assert "there is no dead letter 9" in err


def test_letters_are_put_back_by_their_ids_once(run: Run) -> None:
    buried("a", "b", "c")
    assert run("replay", APP, "1", "3")[:2] == (0, "Put back: 2.\n")
    assert len(rows(Query(what="outbox"))) == 2
    code, out, err = run("replay", APP, "3", "2")
    assert (code, out, "there is no dead letter 3" in err) == (1, "Put back: 1.\n", True)
    assert rows(Query(what="dead_letters")) == []


def test_all_letters_are_put_back(run: Run) -> None:
    buried("a", "b", "c")
    assert run("replay", APP, "--all")[:2] == (0, "Put back: 3.\n")
    assert run("replay", APP, "--all")[:2] == (0, "Put back: 0.\n")
    assert len(rows(Query(what="outbox"))) == 3


@pytest.mark.parametrize("arguments", [(), ("1", "--all"), ("one",)])
def test_what_is_to_be_put_back_is_named_one_way(run: Run, arguments: tuple[str, ...]) -> None:
    buried("a")
    assert run("replay", APP, *arguments)[0] == 2


def test_an_update_that_was_given_up_is_shown_and_put_back(run: Run) -> None:
    async def put() -> None:
        storage = SqlStorage(URL)
        await storage.open()
        part = ADA.address.partition
        row = InboxRow(source="t", ext="1", part=part, conv=None, kind="text", body="{}", at=0)
        (seq,) = await storage.accept([row])
        assert seq is not None
        fence = await storage.lease("w", 64, 15_000)
        dead = DeadLetter(conv=None, origin="inbox", body="{}", error="it died", tries=5, at=0)
        await storage.commit(fence, [TurnCommit(cause=seq, part=part, dead=dead)])
        await storage.close()

    asyncio.run(put())
    assert "inbox: it could not be handled" in run("dead", APP, "1")[1]
    assert "(nobody)" in run("dead", APP)[1]
    assert run("replay", APP, "1")[0] == 0
    assert len(rows(Query(what="inbox"))) == 1


def test_a_list_that_was_asked_for_bodies_left_them_out_without_a_word(run: Run) -> None:
    buried("a")
    code, out, err = run("dead", APP, "--body")
    assert (code, out) == (2, "")
    assert "name its ID" in err
