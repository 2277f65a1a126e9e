"""``handrail web`` as a process: what it says, who is let in, and what it refuses to begin with."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.processes import COMMAND, environment

APP = "examples.signup:app"
OPERATE, READ = "operate-operate-operate", "read-read-read-read-read"


@pytest.fixture
def talked(tmp_path: Path) -> Path:
    """A folder with the database of a bot that has asked for a name."""
    subprocess.run(
        [*COMMAND, "chat", APP], cwd=tmp_path, env=environment(tmp_path), input="/start\n",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return tmp_path


@contextmanager
def inspector(folder: Path, *options: str, **variables: str) -> Iterator[tuple[str, str]]:
    """The inspector while it runs: its link, and all that it has said so far."""
    process = subprocess.Popen(
        [*COMMAND, "web", APP, "--listen", "127.0.0.1:0", *options],
        cwd=folder, env=environment(folder, **variables),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.readline()
    link = re.search(r"http://\S+", said)
    try:
        assert link, said + process.stdout.read()
        yield link[0], said
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0


def refused(folder: Path, *options: str, **variables: str) -> str:
    """What it says where it does not begin."""
    done = subprocess.run(
        [*COMMAND, "web", APP, *options], cwd=folder, env=environment(folder, **variables),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_the_link_lets_in_who_may_act(talked: Path) -> None:
    with inspector(talked) as (link, _), httpx.Client(follow_redirects=True) as browser:
        page = browser.get(link)
        assert page.status_code == 200
        assert "token" not in str(page.url)
        found = browser.get(page.url.join("/instances")).text
        one = re.search(r'href="(/instances/[^"/?]+)"', found)
        assert one
        assert "Go to a step" in browser.get(page.url.join(one[1])).text


def test_nobody_may_act_where_it_is_read_only(talked: Path) -> None:
    with inspector(talked, "--read-only") as (link, _), httpx.Client(follow_redirects=True) as who:
        page = who.get(link)
        assert page.status_code == 200
        assert who.get(page.url.join("/erase")).status_code == 403


def test_tokens_of_the_settings_are_not_printed(talked: Path) -> None:
    variables = {"HANDRAIL_WEB_TOKEN": OPERATE, "HANDRAIL_WEB_READ_TOKEN": READ}
    with inspector(talked, **variables) as (link, said), httpx.Client() as who:
        assert OPERATE not in said
        assert READ not in said
        for token, answer in ((OPERATE, 303), (READ, 303), ("wrong-wrong-wrong-wrong", 403)):
            asked = who.get(f"{link}login", params={"token": token})
            assert asked.status_code == answer


def test_a_place_that_is_taken_is_told(talked: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        assert f"cannot listen at {place}" in refused(talked, "--listen", place)


def test_what_is_no_place_is_told(talked: Path) -> None:
    assert "nowhere" in refused(talked, "--listen", "nowhere")


def test_a_token_that_could_be_guessed_is_refused(talked: Path) -> None:
    assert "could be guessed" in refused(talked, HANDRAIL_WEB_TOKEN="short")


def test_a_database_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    assert "bot.db" in refused(tmp_path)
    assert not (tmp_path / "bot.db").exists()
