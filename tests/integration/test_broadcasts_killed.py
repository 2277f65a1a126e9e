"""A broadcast whose bot is killed, on Telegram: everybody gets it all the same."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.cli.following import follow
from engine.clock import SystemClock
from engine.delivery.recording import AT_ONCE
from engine.operate import BroadcastView
from storage import SqlStorage
from tests.botapi import Control, background_server
from tests.bots.counter import app

ROOT = Path(__file__).parents[2]
PEOPLE = range(10_001, 10_801)
RATE = 500


@pytest.fixture
def server() -> Iterator[Control]:
    """A Bot API server on loopback; at the end no judge may have refused a request."""
    with background_server() as control:
        yield control


class Bot:
    """A bot on a file, and an operator beside it."""

    def __init__(self, server: Control, folder: Path) -> None:
        self.url = f"sqlite+aiosqlite:///{folder / 'bot.db'}"
        self._source = f"telegram:{server.token.partition(':')[0]}"
        self._folder = folder
        self._env = {
            **os.environ,
            "HANDRAIL_TELEGRAM_TOKEN": server.token,
            "HANDRAIL_TELEGRAM_API_URL": server.url,
            "HANDRAIL_TELEGRAM_LIMITS": "off",
            "HANDRAIL_DATABASE_URL": self.url,
            "HANDRAIL_LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(ROOT),
        }

    def begin(self, text: str, to: Iterable[int]) -> str:
        """Begins a broadcast; answers its id."""

        async def send() -> str:
            async with app.operator(SqlStorage(self.url), sources=[self._source]) as operator:
                return await operator.broadcasts.send(text, to=to, rate=RATE)

        return asyncio.run(send())

    def end_of(self, broadcast: str) -> BroadcastView:
        """Waits until a broadcast is over."""

        async def wait() -> BroadcastView:
            async with app.operator(SqlStorage(self.url), sources=[self._source]) as operator:
                return await follow(operator.broadcasts, broadcast, SystemClock())

        return asyncio.run(asyncio.wait_for(wait(), 30))

    @contextmanager
    def running(self) -> Iterator[None]:
        """The bot runs; it is killed at the end."""
        command = [sys.executable, "-m", "engine.cli", "run", "tests.bots.counter:app"]
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self._folder, env=self._env, stderr=log)
        try:
            yield
        finally:
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, "it has ended by itself"


def test_killed_twice_among_many_people_it_reaches_everybody(
    server: Control, tmp_path: Path
) -> None:
    server.post("chats", chats=list(PEOPLE))
    bot = Bot(server, tmp_path)
    broadcast = bot.begin("news", PEOPLE)
    kills = 0
    for place in (200, 500):
        with bot.running():
            server.post("until", chat=PEOPLE[place], count=1, seconds=30)
        kills += 1
        assert len(server.post("events")) < len(PEOPLE), "it was killed too late"
    with bot.running():
        server.post("until", chat=PEOPLE[-1], count=1, seconds=30)
        shown = bot.end_of(broadcast)
    times = Counter(event["chat"] for event in server.post("events"))
    assert times.keys() == set(PEOPLE)
    assert times.total() - len(PEOPLE) <= kills * AT_ONCE
    assert (shown.state, shown.sent, shown.settled) == ("done", len(PEOPLE), len(PEOPLE))
    assert "Traceback" not in (tmp_path / "log").read_text()
