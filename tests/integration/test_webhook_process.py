"""``handrail run --webhook`` as a process, and ``handrail webhook`` beside it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import httpx
import pytest

from tests.botapi import Control, background_server

ROOT = Path(__file__).parents[2]
ADA = 4242
SECRET = "not_to-be-shown"
WORDS = [f"w{n}" for n in range(12)]


@pytest.fixture
def server() -> Iterator[Control]:
    """A Bot API server on loopback; at the end no judge may have refused a request."""
    with background_server() as control:
        yield control


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def environment(server: Control, folder: Path, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "HANDRAIL_TELEGRAM_TOKEN": server.token,
        "HANDRAIL_TELEGRAM_API_URL": server.url,
        "HANDRAIL_TELEGRAM_LIMITS": "off",
        "HANDRAIL_TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
        "HANDRAIL_TELEGRAM_WEBHOOK_SECRET": SECRET,
        "HANDRAIL_TELEGRAM_WEBHOOK_LISTEN": f"127.0.0.1:{port}",
        "HANDRAIL_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'bot.db'}",
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def bot(server: Control, folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """``handrail run --webhook``; killed at the end unless it is over by then."""
    command = [sys.executable, "-m", "engine.cli", "run", "tests.bots.counter:app", "--webhook"]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(server, folder, port), stderr=log, text=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def handrail(server: Control, folder: Path, port: int, *words: str) -> str:
    """What a command says on its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", *words],
        cwd=folder, env=environment(server, folder, port),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_kills_between_posts_lose_nothing_and_do_nothing_twice(
    server: Control, tmp_path: Path, port: int
) -> None:
    server.post("text", user=ADA, text="/start")
    for word in WORDS:
        server.post("text", user=ADA, text=word)
    for count in (5, 10):
        with bot(server, tmp_path, port):
            server.post("until", chat=ADA, count=count, seconds=30)
    server.post("text", user=ADA, text="report")
    with bot(server, tmp_path, port):
        wait_for(lambda: ",".join(WORDS) in server.post("replies", chat=ADA))
    told = [reply for reply, _ in groupby(server.post("replies", chat=ADA))]
    assert told == ["counting", *(f"{n} so far" for n in range(len(WORDS) + 1)), ",".join(WORDS)]


def test_a_signal_drains_says_so_and_leaves_the_webhook_set(
    server: Control, tmp_path: Path, port: int
) -> None:
    with bot(server, tmp_path, port) as process:
        server.post("text", user=ADA, text="/start")
        server.post("until", chat=ADA, count=1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    log = (tmp_path / "log").read_text()
    assert log.count("draining: 0 turns in flight") == 1
    assert "Traceback" not in log
    assert f"http://127.0.0.1:{port}/telegram" in handrail(
        server, tmp_path, port, "webhook", "info"
    )


def test_the_webhook_is_shown_and_removed_and_what_waits_is_polled(
    server: Control, tmp_path: Path, port: int
) -> None:
    with bot(server, tmp_path, port):
        server.post("text", user=ADA, text="/start")
        server.post("until", chat=ADA, count=1)
    server.post("text", user=ADA, text="hello")
    told = handrail(server, tmp_path, port, "webhook", "info").splitlines()
    assert told[0] == f"Telegram posts updates to http://127.0.0.1:{port}/telegram"
    assert "waiting: 1" in told
    assert "removed" in handrail(server, tmp_path, port, "webhook", "delete")
    assert handrail(server, tmp_path, port, "webhook", "info").splitlines()[:2] == [
        "No webhook is set: the bot gets its updates by polling.",
        "waiting: 1",
    ]


def test_neither_the_secret_nor_the_token_is_in_the_log(
    server: Control, tmp_path: Path, port: int
) -> None:
    with bot(server, tmp_path, port):
        wait_for(lambda: "posts updates to" in (tmp_path / "log").read_text())
        wrong = httpx.post(f"http://127.0.0.1:{port}/telegram", json={"private": "words"},
                           headers={"x-telegram-bot-api-secret-token": "guess"},
                           trust_env=False)  # fmt: skip
        assert wrong.status_code == 401
    log = (tmp_path / "log").read_text()
    assert [word for word in (SECRET, server.token, "guess", "private") if word in log] == []


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Returns when the condition is true; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not become true"
        time.sleep(0.02)
