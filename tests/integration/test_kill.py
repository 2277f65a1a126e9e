"""A bot on Telegram that is killed at any point: nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import pytest

from engine.testing.transcript import read_transcript
from tests.botapi import Control, background_server

ROOT = Path(__file__).parents[2]
ADA = 4242


@pytest.fixture
def server() -> Iterator[Control]:
    """A Bot API server on loopback; at the end no judge may have refused a request."""
    with background_server() as control:
        yield control


@contextmanager
def bot(server: Control, folder: Path, app: str, **extra: str) -> Iterator[subprocess.Popen[str]]:
    """``handrail run`` against the server; killed at the end unless it is over by then."""
    env = {
        **os.environ,
        "HANDRAIL_TELEGRAM_TOKEN": server.token,
        "HANDRAIL_TELEGRAM_API_URL": server.url,
        "HANDRAIL_TELEGRAM_LIMITS": "off",
        "HANDRAIL_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'bot.db'}",
        "PYTHONPATH": str(ROOT),
        **extra,
    }
    command = [sys.executable, "-m", "engine.cli", "run", app]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stderr=log, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_signup_transcript_with_a_kill_before_every_line(
    server: Control, tmp_path: Path
) -> None:
    transcript = read_transcript(ROOT / "examples/signup/transcript.txt")
    for exchange in transcript.exchanges:
        if exchange.kind == "press":
            server.post("press", user=ADA, label=exchange.text)
        else:
            server.post("text", user=ADA, text=exchange.text)
        wanted = [expected.words.lower() for expected in exchange.expected]
        with bot(server, tmp_path, "examples.signup:app"):
            wait_for(lambda wanted=wanted: all(words in last(server) for words in wanted))
    server.post("text", user=ADA, text="/whoami")
    with bot(server, tmp_path, "examples.signup:app"):
        wait_for(lambda: last(server) == "you have sent 5 messages.")
    said = [reply for reply, _ in groupby(server.post("replies", chat=ADA))]
    assert len(said) == len(transcript.exchanges) + 1


def last(server: Control) -> str:
    """What the bot said last, in lower case."""
    replies = server.post("replies", chat=ADA)
    return replies[-1].lower() if replies else ""


def test_a_press_on_an_old_button_after_a_restart_is_answered_and_changes_nothing(
    server: Control, tmp_path: Path
) -> None:
    with bot(server, tmp_path, "examples.signup:app"):
        for text, count in (("/start", 1), ("Ada", 2), ("ada@example.com", 3)):
            server.post("text", user=ADA, text=text)
            server.post("until", chat=ADA, count=count)
        server.post("press", user=ADA, label="Pro")
        server.post("until", chat=ADA, count=4)
    server.post("press", user=ADA, label="Free")
    with bot(server, tmp_path, "examples.signup:app"):
        replies = server.post("until", chat=ADA, count=5)
        assert "Plan: Pro" in replies[-1]
        wait_for(lambda: "This button has expired." in server.post("answers", chat=ADA))


def said(server: Control) -> list[str]:
    """What the bot said; what a kill in flight made it say twice, once."""
    return [reply for reply, _ in groupby(server.post("replies", chat=ADA))]


RAN_DOWN = ["question", "reminder", "question", "too late", "and now?"]


def test_a_timeout_and_a_reminder_set_before_a_kill_come_after_the_restart_once_each(
    server: Control, tmp_path: Path
) -> None:
    """Lesson 23, and python-telegram-bot #3522: a timer outlives the process that set it."""
    app = "tests.bots.clockwork:app"
    server.post("text", user=ADA, text="/start")
    with bot(server, tmp_path, app):
        wait_for(lambda: said(server) == ["question"])
    time.sleep(1)  # all of it falls due while nothing runs
    with bot(server, tmp_path, app):
        wait_for(lambda: said(server) == RAN_DOWN)
    server.post("text", user=ADA, text="on")
    with bot(server, tmp_path, app):
        wait_for(lambda: said(server) == [*RAN_DOWN, "so: on"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_bot_with_exit_code_0(
    server: Control, tmp_path: Path, number: signal.Signals
) -> None:
    with bot(server, tmp_path, "tests.bots.counter:app") as process:
        server.post("text", user=ADA, text="/start")
        server.post("until", chat=ADA, count=2)
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_the_token_is_never_in_the_log(server: Control, tmp_path: Path) -> None:
    server.post("fail", method="getUpdates", status=500, html=True)
    server.post("fail", method="sendMessage", status=403, description="Forbidden: bot was blocked")
    server.post("text", user=ADA, text="/start")
    with bot(server, tmp_path, "tests.bots.counter:app", HANDRAIL_LOG_LEVEL="DEBUG"):
        wait_for(lambda: "is parked" in (tmp_path / "log").read_text())
        server.post("text", user=ADA, text="/start")
        server.post("until", chat=ADA, count=1)
    log = (tmp_path / "log").read_text()
    assert log != ""
    assert server.token not in log
    assert server.token.partition(":")[2] not in log


def test_a_second_bot_on_the_same_database_is_refused_with_a_sentence(
    server: Control, tmp_path: Path
) -> None:
    with bot(server, tmp_path, "tests.bots.counter:app"):
        server.post("text", user=ADA, text="/start")
        server.post("until", chat=ADA, count=2)
        with bot(server, tmp_path, "tests.bots.counter:app") as second:
            assert second.wait(timeout=10) == 1
    log = (tmp_path / "log").read_text()
    assert "error: " in log
    assert "Traceback" not in log


def wait_for(condition: object, seconds: float = 30) -> None:
    """Returns when the condition is true; fails after so many seconds."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not become true"
        time.sleep(0.02)
