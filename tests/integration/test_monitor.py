"""Health checks and metrics over HTTP."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Mount

from engine.telemetry.monitor import Monitor
from engine.telemetry.prometheus import PrometheusMetrics
from engine.telemetry.standing import Standing
from engine.testing import Chat
from examples.signup.flow import signup
from flows.errors import StorageDown
from storage import MemoryStorage
from tests.faults import Fragile
from tests.support import app_of

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def asking(monitor: Monitor) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the monitor, mounted in another application."""
    web = Starlette(routes=[Mount("/bot", monitor)])
    transport = httpx.ASGITransport(web)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/bot") as client:
        yield client


async def test_a_bot_is_ready_while_it_runs() -> None:
    app = app_of(signup)
    async with asking(Monitor(app)) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        before = await client.get("/readyz")
        assert (before.status_code, before.json()["reason"]) == (
            503, "the bot does not run in this process",
        )  # fmt: skip
        async with Chat(app):
            during = await client.get("/readyz")
            assert during.status_code == 200
            assert during.json() == {"status": "ready", "partitions": 64, "workers": 1}
        assert (await client.get("/readyz")).status_code == 503


async def test_a_bot_that_is_drained_is_healthy_and_not_ready() -> None:
    app = app_of(signup)
    async with Chat(app), asking(Monitor(app)) as client:
        await app.drain()
        answer = await client.get("/readyz")
        assert (answer.status_code, "drained" in answer.json()["reason"]) == (503, True)
        assert (await client.get("/healthz")).status_code == 200


async def test_a_storage_that_does_not_answer_is_told_and_not_what_it_said() -> None:
    app, fragile = app_of(signup), Fragile(MemoryStorage())
    async with Chat(app, storage=fragile.storage), asking(Monitor(app)) as client:
        fragile.fail("load", StorageDown("connection to db.example:5432 refused"))
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reason"] == "the storage cannot be reached; the log says why"


async def test_many_checks_are_one_question_to_the_storage() -> None:
    app, fragile = app_of(signup), Fragile(MemoryStorage())
    async with Chat(app, storage=fragile.storage), asking(Monitor(app)) as client:
        assert (await client.get("/readyz")).status_code == 200
        fragile.fail("load", StorageDown("asked again"))
        assert (await client.get("/readyz")).status_code == 200


async def test_metrics_are_shown_and_what_is_stored_with_them() -> None:
    app, metrics = app_of(signup), PrometheusMetrics(CollectorRegistry())
    app.observe(metrics)
    async with Chat(app) as chat, asking(Monitor(app, metrics)) as client:
        await chat.say("/start")
        page = await client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    assert 'handrail_live_instances{flow="signup",status="active"} 1.0' in page.text
    assert "handrail_ready 1.0" in page.text


async def test_metrics_are_shown_where_the_storage_cannot_be_counted() -> None:
    app, metrics = app_of(signup), PrometheusMetrics(CollectorRegistry())
    fragile = Fragile(MemoryStorage())
    async with (
        Chat(app, storage=fragile.storage),
        asking(Monitor(app, metrics)) as client,
    ):
        fragile.fail("inspect", StorageDown("gone"))
        assert "handrail_ready 1.0" in (await client.get("/metrics")).text


async def test_without_metrics_it_says_how_to_have_some() -> None:
    async with asking(Monitor(app_of(signup))) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 404
    assert "handrail[prometheus]" in answer.text


READY = {"running": True, "open": True, "leased": True}


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing(), "does not run"),
        (Standing(running=True), "starting"),
        (Standing(running=True, open=True, workers=1), "lease"),
        (Standing(**READY, workers=1), "holds none"),
        (Standing(**READY, held=64, workers=1, draining=True), "drained"),
    ],
)
def test_what_is_in_the_way_is_said(standing: Standing, words: str) -> None:
    assert words in (standing.trouble or "")


def test_a_worker_that_waits_for_its_turn_is_ready() -> None:
    assert Standing(running=True, open=True, leased=True, held=0, workers=2).trouble is None


# --- the command ------------------------------------------------------------------------


def handrail(folder: Path, *words: str) -> subprocess.Popen[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HANDRAIL_")}
    return subprocess.Popen(
        [sys.executable, "-m", "engine.cli", *words],
        cwd=folder,
        env={**kept, "HANDRAIL_LOG_LEVEL": "INFO", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_bot_in_a_process_is_monitored_until_it_stops(tmp_path: Path) -> None:
    socket = tmp_path / "monitor.sock"
    bot = handrail(tmp_path, "run", "examples.signup:app", "--monitor", f"unix:{socket}")
    try:
        assert bot.stderr is not None
        for line in bot.stderr:
            if "receives for" in line:
                break
        transport = httpx.HTTPTransport(uds=str(socket))
        with httpx.Client(transport=transport, base_url="http://bot") as client:
            assert client.get("/readyz").json()["status"] == "ready"
            assert re.search(r"^handrail_ready 1\.0$", client.get("/metrics").text, re.MULTILINE)
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(timeout=60) == 0
        assert not socket.exists()
    finally:
        bot.kill()
        bot.communicate()


@pytest.mark.parametrize("place", ["nowhere", "127.0.0.1:99999"])
def test_a_place_that_is_none_is_refused_before_anything_runs(tmp_path: Path, place: str) -> None:
    bot = handrail(tmp_path, "run", "examples.signup:app", "--monitor", place)
    _, told = bot.communicate(timeout=60)
    assert bot.returncode != 0
    assert "HANDRAIL_MONITOR_LISTEN" in told
    assert not (tmp_path / "handrail.db").exists()
