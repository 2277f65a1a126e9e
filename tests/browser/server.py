"""``handrail run MODULE:APP --web`` as a process that can be killed and started again."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEY = "k" * 42 + "A"
TOKEN = "look-at-the-pages"  # of processes that nobody else reaches
PATIENCE = 60.0
"""Seconds that a process may take to start, on a machine that is busy with other things."""


class ChatServer:
    """A bot's process with its chat page, always on the same port and database.

    Attributes:
        url: of the page.
    """

    def __init__(self, target: str, folder: Path, *, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self._target = target
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    @property
    def log(self) -> str:
        """What all its processes have logged."""
        return (self._folder / "log").read_text()

    def start(self) -> None:
        """Starts it, and waits until it says where the page is."""
        place = self.url.removeprefix("http://").rstrip("/")
        command = [sys.executable, "-m", "engine.cli", "run", self._target, "--web", "--at", place]
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=_environment(self._folder),
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert re.search(re.escape(self.url), said), f"it said {said!r}\n{self.log}"

    def kill(self) -> None:
        """Ends it in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ends it in good order; answers its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        assert process.stdout is not None
        process.stdout.close()
        return process.wait(timeout=PATIENCE)


def _environment(folder: Path) -> dict[str, str]:
    """That of the processes whose database is in that folder."""
    ours = {
        "HANDRAIL_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'bot.db'}",
        "HANDRAIL_SECRET_KEY": KEY,
        "HANDRAIL_WEB_TOKEN": TOKEN,
        "CHECKOUT_PORT": "0",
        "SURVEY_RESULTS": str(folder / "results.db"),
        "PYTHONPATH": str(ROOT),
    }
    theirs = {name: text for name, text in os.environ.items() if "HANDRAIL" not in name}
    return theirs | ours


@contextmanager
def chat_server(target: str, folder: Path) -> Iterator[ChatServer]:
    """A server that runs; killed at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    server = ChatServer(target, folder, port=port)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def inspector_beside(target: str, folder: Path) -> Iterator[str]:
    """``handrail web`` as a process of its own, on the database of a bot in that folder; the link
    that lets one in, as ``eve``.
    """
    command = [sys.executable, "-u", "-m", "engine.cli", "web", target, "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = iter(process.stdout.readline, "")
        address = next(word for line in said for word in line.split() if word.startswith("http"))
        yield f"{address.partition('login')[0]}login?token={TOKEN}&name=eve"
    finally:
        process.terminate()
        process.communicate()


def wait_for(condition: object, what: str, *, seconds: float = PATIENCE) -> None:
    """Returns when calling ``condition`` answers something true; fails after so many seconds."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it has not come true: {what}"
        time.sleep(0.02)
