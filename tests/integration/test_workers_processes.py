"""Workers as processes, on a real server: one is killed, one stands still past its lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.botapi import Control, background_server
from tests.redis_server import redis_database
from tests.servers import database

ROOT = Path(__file__).parents[2]
PEOPLE = range(4201, 4213)
WORDS = [f"w{n}" for n in range(15)]
PARTITIONS = 64


@pytest.fixture
def server() -> Iterator[Control]:
    """A Bot API server on loopback; at the end no judge may have refused a request."""
    with background_server() as control:
        yield control


@pytest.fixture(params=["redis", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of our own on a server that answers."""
    if request.param == "redis":
        with redis_database(tmp_path) as redis:
            yield redis.url
        return
    with database(request.param) as url:
        upgrade = [sys.executable, "-m", "engine.cli", "db", "upgrade"]
        env = {**os.environ, "HANDRAIL_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
        subprocess.run(upgrade, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
        yield url


class Workers:
    """Processes of ``handrail worker``, each with a log of its own."""

    def __init__(self, server: Control, folder: Path, url: str) -> None:
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._server = server
        self._folder = folder
        self._url = url

    def start(self, *names: str) -> None:
        """Starts some."""
        for name in names:
            env = {
                **os.environ,
                "HANDRAIL_TELEGRAM_TOKEN": self._server.token,
                "HANDRAIL_TELEGRAM_API_URL": self._server.url,
                "HANDRAIL_TELEGRAM_LIMITS": "off",
                "HANDRAIL_DATABASE_URL": self._url,
                "PYTHONPATH": str(ROOT),
            }
            command = [sys.executable, "-m", "tests.bots.short_lease", "worker"]
            with (self._folder / name).open("ab") as log:
                self.running[name] = subprocess.Popen(
                    [*command, "tests.bots.counter:app"], cwd=self._folder, env=env, stderr=log
                )

    def log(self, name: str) -> str:
        """What a worker has said."""
        return (self._folder / name).read_text()

    def share(self, name: str) -> int:
        """How many partitions a worker has said last that it holds."""
        told = [line for line in self.log(name).splitlines() if "this worker holds" in line]
        return int(told[-1].split("holds ")[1].split()[0]) if told else 0

    def wait_for_shares(self, *names: str) -> None:
        """Returns when these hold all partitions, and each of them some."""
        wait_for(
            lambda: (
                all(self.share(name) for name in names)
                and sum(self.share(name) for name in names) == PARTITIONS
            )
        )

    def signal(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to one."""
        self.running[name].send_signal(number)

    def stop(self, name: str) -> int:
        """Ends one in good order; answers its exit code."""
        self.signal(name, signal.SIGTERM)
        return self.running[name].wait(timeout=30)

    def close(self) -> None:
        """Kills what is left."""
        for process in self.running.values():
            process.kill()
            process.wait()


@pytest.fixture
def workers(server: Control, tmp_path: Path, url: str) -> Iterator[Workers]:
    """None runs yet."""
    with ExitStack() as stack:
        made = Workers(server, tmp_path, url)
        stack.callback(made.close)
        yield made


def test_kills_and_a_stop_past_the_lease_lose_double_and_disorder_nothing(
    server: Control, workers: Workers
) -> None:
    """204 updates of 12 people, four workers: one is killed, one stands still, one ends."""
    workers.start("a", "b", "c")
    everybody_says(server, "/start", *WORDS[:4])
    workers.wait_for_shares("a", "b", "c")
    everybody_says(server, *WORDS[4:8])
    workers.signal("a", signal.SIGKILL)
    workers.wait_for_shares("b", "c")
    everybody_says(server, *WORDS[8:12])
    workers.signal("b", signal.SIGSTOP)
    workers.start("d")
    workers.wait_for_shares("c", "d")
    everybody_says(server, *WORDS[12:], "report")
    workers.signal("b", signal.SIGCONT)
    wait_for(lambda: "partitions were lost" in workers.log("b"))
    assert workers.stop("c") == 0
    for person in PEOPLE:
        wait_for(partial(has_report, server, person))
    sent = sum(len(server.post("replies", chat=person)) for person in PEOPLE)
    assert {person: told for person in PEOPLE if (told := heard(server, person)) != TOLD} == {}
    assert sent - len(TOLD) * len(PEOPLE) <= 2 * 32
    wait_for(lambda: workers.share("b") == workers.share("d") == PARTITIONS // 2)
    for name in "abcd":
        assert "Traceback" not in workers.log(name)
        assert "ERROR" not in workers.log(name)


REPORT = ",".join(WORDS)
TOLD = ["counting", *(f"{number} so far" for number in range(len(WORDS) + 1)), REPORT]


def everybody_says(server: Control, *texts: str) -> None:
    """All of them, one text after the other."""
    for text in texts:
        for person in PEOPLE:
            server.post("text", user=person, text=text)


def has_report(server: Control, person: int) -> bool:
    """Whether a person was told the report. A message that a worker was about to send when it was
    stopped may come after it, once more.
    """
    return REPORT in server.post("replies", chat=person)


def heard(server: Control, person: int) -> list[str]:
    """What a person was told, each at its first arrival: the last few come once more where they
    were not marked when their worker was killed.
    """
    return list(dict.fromkeys(server.post("replies", chat=person)))


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Returns when the condition is true; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not become true"
        time.sleep(0.1)
