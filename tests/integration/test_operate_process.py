"""The command line beside a bot that runs in another process, on one SQLite file."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flows.conversation import Address, ConversationKey
from flows.messages.replies import Reply, send_to_json
from tests.processes import COMMAND, environment

APP = "examples.signup:app"


class Bot:
    """``handrail chat``, whose lines come from the test."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "chat", APP],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def say(self, line: str, *, until: str) -> None:
        """Says a line, and reads on until these words are shown."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.read(until=until)

    def read(self, *, until: str) -> None:
        """Reads on until these words are shown."""
        assert self.process.stdout is not None
        for shown in self.process.stdout:
            if until in shown:
                return
        raise AssertionError(f"the bot ended and never said {until!r}")

    def leave(self) -> int:
        """Ends its input; answers its exit code."""
        self.process.communicate("", timeout=30)
        return self.process.returncode


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    """A bot that has asked for a name."""
    running = Bot(tmp_path)
    running.say("/start", until="What's your name?")
    yield running
    running.process.kill()
    running.process.communicate()


def handrail(folder: Path, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a command beside it."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(folder),
        input=answer,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def instance(folder: Path) -> str:
    """The id of the one that runs."""
    (_, row) = handrail(folder, "ps", APP).stdout.splitlines()
    return row.split("\t")[0]


def test_looking_does_not_disturb_the_bot(bot: Bot, tmp_path: Path) -> None:
    shown = handrail(tmp_path, "show", APP, instance(tmp_path))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "waits for  its person (NAME): What's your name?" in shown.stdout
    checked = handrail(tmp_path, "check", APP, "--database", f"sqlite:///{tmp_path / 'bot.db'}")
    assert "signup, step NAME: 1 fit" in checked.stdout
    bot.say("Ada", until="e-mail")
    assert bot.leave() == 0


def test_a_running_bot_takes_an_order(bot: Bot, tmp_path: Path) -> None:
    done = handrail(tmp_path, "goto", APP, instance(tmp_path), "EMAIL")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The bot has taken it. ")


def test_a_question_is_asked_again(bot: Bot, tmp_path: Path) -> None:
    done = handrail(tmp_path, "repeat", APP, instance(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    bot.read(until="What's your name?")
    assert bot.leave() == 0


def test_an_order_is_carried_out_by_the_bot(bot: Bot, tmp_path: Path) -> None:
    name = instance(tmp_path)
    moved = handrail(tmp_path, "goto", APP, name, "EMAIL")
    assert f"{name}: signup at EMAIL, active" in moved.stdout
    bot.read(until="e-mail")
    ended = handrail(tmp_path, "cancel", APP, name)
    assert "cancelled" in ended.stdout
    assert handrail(tmp_path, "ps", APP).stdout == "Nothing runs.\n"


def test_an_order_given_to_a_bot_that_is_down_is_done_when_it_comes(tmp_path: Path) -> None:
    queued = handrail(tmp_path, "start", APP, "signup", "--user", "local")
    assert "it is done when the bot runs next" in queued.stdout
    later = Bot(tmp_path)
    later.read(until="What's your name?")
    assert later.leave() == 0


def test_a_message_that_was_given_up_is_put_back_beside_the_bot_that_sends_it(
    bot: Bot, tmp_path: Path
) -> None:
    give_up(tmp_path, "from the dead")
    listed = handrail(tmp_path, "dead", APP).stdout.splitlines()
    assert [line.split("\t")[:3] for line in listed[1:]] == [["1", "local", "outbox"]]
    done = handrail(tmp_path, "replay", APP, "1")
    assert (done.stdout, done.stderr) == ("Put back: 1.\n", "")
    bot.read(until="from the dead")
    assert bot.leave() == 0


def give_up(folder: Path, text: str) -> None:
    """A message to the person at the terminal could not be sent, long ago."""
    key = ConversationKey(Address("console:local", "local"), "local")
    row = {
        "conv": str(key), "part": key.address.partition, "chat": str(key.address), "turn": 999,
        "n": 0, "origin": "outbox", "error": "gone", "tries": 1, "at": 0,
        "body": send_to_json(Reply(text=text)),
    }  # fmt: skip
    with closing(sqlite3.connect(folder / "bot.db", timeout=10)) as connection, connection:
        columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        connection.execute(f"INSERT INTO dead_letters ({columns}) VALUES ({values})", row)  # noqa: S608 - these columns


def test_erasing_beside_a_bot_leaves_it_running(bot: Bot, tmp_path: Path) -> None:
    assert handrail(tmp_path, "erase", APP, "console/local", answer="n\n").returncode == 1
    erased = handrail(tmp_path, "erase", APP, "console/local", "--yes")
    assert (erased.returncode, erased.stderr) == (0, "")
    assert "console/local is erased" in erased.stdout
    bot.say("/start", until="What's your name?")
    bot.say("Ada", until="e-mail")
    assert bot.leave() == 0
