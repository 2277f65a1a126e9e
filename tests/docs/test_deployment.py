"""The page on deployment: its unit is one that systemd takes, and its backups are whole."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from anyio import to_thread

from engine.testing import Chat
from engine.workers.worker import DRAIN
from examples.signup import app
from storage import open_storage
from tests.docs.tables import ROOT

TEXT = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")


def block_from(first_line: str) -> str:
    """The indented block that begins with this line, without its indent."""
    found = re.search(rf"^    {re.escape(first_line)}\n(?:(?:    .*)?\n)*", TEXT, re.MULTILINE)
    assert found is not None, f"the page has no block that begins with {first_line}"
    return re.sub(r"^    ", "", found[0], flags=re.MULTILINE)


def unit() -> str:
    return block_from("[Unit]")


def test_the_unit_leaves_time_for_turns_and_for_sends() -> None:
    given = re.search(r"^TimeoutStopSec=(\d+)$", unit(), re.MULTILINE)
    assert given is not None
    assert int(given[1]) > 2 * DRAIN


def test_the_unit_starts_a_bot_again_whenever_it_ends() -> None:
    assert "\nRestart=always\n" in unit()
    assert "\nStartLimitIntervalSec=0\n" in unit()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    file = tmp_path / "bot.service"
    started = re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", unit(), flags=re.MULTILINE)
    file.write_text(started, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_container_runs_what_it_has_built_and_not_as_root() -> None:
    containerfile = block_from("FROM docker.io/library/python:3.13-slim AS build")
    assert re.findall(r"^COPY --from=(\w+)", containerfile, re.MULTILINE) == ["build", "build"]
    assert "\nUSER bot\n" in containerfile
    assert "\nSTOPSIGNAL SIGTERM\n" in containerfile


@pytest.mark.anyio
async def test_a_copy_that_was_taken_while_the_bot_ran_goes_on_where_it_was(tmp_path: Path) -> None:
    live, copy = tmp_path / "live.db", tmp_path / "copy.db"
    async with Chat(app, storage=open_storage(f"sqlite+aiosqlite:///{live}")) as chat:
        await chat.say("/start")
        await to_thread.run_sync(vacuum_into, live, copy)
        await chat.say("Ada")
    async with Chat(app, storage=open_storage(f"sqlite+aiosqlite:///{copy}")) as chat:
        assert await chat.say("Grace") == ("What's your e-mail?",)


def vacuum_into(live: Path, copy: Path) -> None:
    """What the page says, by another connection than the bot's."""
    connection = sqlite3.connect(live)
    connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()
