"""Running an app until a signal stops it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import cast

import pytest

from engine import App
from engine.channels.console import ConsoleChannel
from engine.channels.telegram import TelegramChannel
from engine.cli import running
from engine.settings import Settings
from flows.ports import Channel, FlowStorage


class Waiting:
    """An app that runs until it is stopped, and reports how that went."""

    def __init__(self, *, obeys: bool = True) -> None:
        self.ended = ""
        self._obeys = obeys

    async def run(self, *, channel: Channel, storage: FlowStorage, stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        self.ended = "stopped"
        if not self._obeys:
            self.ended = "cancelled"
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(("obeys", "ended"), [(True, "stopped"), (False, "cancelled")])
def test_a_signal_stops_the_app_and_a_second_one_cancels_it(obeys: bool, ended: str) -> None:
    app = Waiting(obeys=obeys)
    running.run(cast(App, app), ConsoleChannel(), Settings(), "memory://")
    assert app.ended == ended


def test_an_error_of_the_app_comes_out() -> None:
    class Failing:
        async def run(self, **_: object) -> None:
            raise RuntimeError("no luck")

    with pytest.raises(RuntimeError, match="no luck"):
        running.run(cast(App, Failing()), ConsoleChannel(), Settings(), "memory://")


def test_with_a_token_an_app_runs_on_telegram(monkeypatch: pytest.MonkeyPatch) -> None:
    channels: list[Channel] = []
    monkeypatch.setattr(running, "run", lambda app, channel, *_: channels.append(channel))
    settings = Settings.from_environment(
        {
            "HANDRAIL_TELEGRAM_TOKEN": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
            "HANDRAIL_TELEGRAM_API_URL": "http://127.0.0.1:8081",
        }
    )
    running.on_telegram(cast(App, Waiting()), settings)
    [channel] = channels
    assert isinstance(channel, TelegramChannel)
    assert channel.source == "telegram:110201543"


TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"HANDRAIL_DATABASE_URL": "memory://"},
            r"set HANDRAIL_TELEGRAM_TOKEN\. .* 'handrail chat'",
        ),
        (
            {"HANDRAIL_TELEGRAM_TOKEN": TOKEN, "HANDRAIL_DATABASE_URL": "memory://"},
            r"cannot share the memory of a process\. .* 'handrail run'",
        ),
        (
            {"HANDRAIL_TELEGRAM_TOKEN": TOKEN, "HANDRAIL_DATABASE_URL": "sqlite+aiosqlite:///x.db"},
            r"cannot share an SQLite file\. Name a database on a server",
        ),
    ],
)
def test_a_worker_is_refused_where_there_is_nothing_to_share(
    environment: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(running.CannotShare, match=sentence):
        running.worker(cast(App, Waiting()), Settings.from_environment(environment))
