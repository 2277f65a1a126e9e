"""The bots of other libraries among the examples, as processes: killed, stopped, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import pytest

from engine.testing import read_transcript
from engine.testing.transcript import Exchange
from tests.botapi import Control, background_server

ROOT = Path(__file__).parents[2]
ADA = 4242

every_bot = pytest.mark.parametrize("name", ["dropin_aiogram", "dropin_ptb"])

OWN = {
    "dropin_aiogram": ("/hours", "We are open from 18 to 23.", "Ada will call you back."),
    "dropin_ptb": ("/dates", "The next course begins on Monday.", "A teacher will write to you."),
}


@pytest.fixture
def server() -> Iterator[Control]:
    with background_server() as control:
        yield control


@contextmanager
def bot(server: Control, folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """The bot's own program; killed at the end unless it is over by then."""
    env = {
        **os.environ,
        "BOT_TOKEN": server.token,
        "BOT_API_URL": server.url,
        "HANDRAIL_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'bot.db'}",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", f"examples.{name}.bot"]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stderr=log, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said(server: Control) -> list[str]:
    """What the bot said; what a kill in flight made it say twice, once."""
    return [reply for reply, _ in groupby(server.post("replies", chat=ADA))]


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Returns when the condition is true; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not become true"
        time.sleep(0.02)


@every_bot
def test_the_transcript_with_a_kill_in_the_middle(
    server: Control, tmp_path: Path, name: str
) -> None:
    exchanges = read_transcript(ROOT / "examples" / name / "transcript.txt").exchanges
    middle = len(exchanges) // 2
    with bot(server, tmp_path, name):
        play(server, exchanges[:middle])
    do(server, exchanges[middle])  # while nothing runs
    with bot(server, tmp_path, name):
        expect(server, exchanges[middle])
        play(server, exchanges[middle + 1 :])
    assert len(said(server)) == len(exchanges)


def play(server: Control, exchanges: Sequence[Exchange]) -> None:
    """Says each line once the one before is answered."""
    for exchange in exchanges:
        do(server, exchange)
        expect(server, exchange)


def do(server: Control, exchange: Exchange) -> None:
    """What the person does."""
    if exchange.kind == "press":
        server.post("press", user=ADA, label=exchange.text)
    else:
        server.post("text", user=ADA, text=exchange.text)


def expect(server: Control, exchange: Exchange) -> None:
    """Waits until the last message has all that it should."""
    words = [expected.words for expected in exchange.expected]
    wait_for(lambda: all(word in (said(server) or [""])[-1] for word in words))


@every_bot
def test_its_own_handlers_answer_beside_the_flow(
    server: Control, tmp_path: Path, name: str
) -> None:
    command, shown, answer = OWN[name]
    begin = read_transcript(ROOT / "examples" / name / "transcript.txt").exchanges[0]
    with bot(server, tmp_path, name):
        for count, text in enumerate(("what is this?", begin.text, command), start=1):
            server.post("text", user=ADA, text=text)
            server.post("until", chat=ADA, count=count, seconds=60)
    first, asked, last = said(server)
    assert (first, last) == (answer, shown)
    assert begin.expected[0].words in asked


@every_bot
def test_a_signal_stops_it_with_everything_kept(server: Control, tmp_path: Path, name: str) -> None:
    begin = read_transcript(ROOT / "examples" / name / "transcript.txt").exchanges[0]
    with bot(server, tmp_path, name) as process:
        server.post("text", user=ADA, text=begin.text)
        server.post("until", chat=ADA, count=1, seconds=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert server.token not in log
