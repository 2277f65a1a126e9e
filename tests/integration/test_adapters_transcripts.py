"""Every transcript of the examples, played inside bots of other libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.testing import read_transcript
from flows import NotRunning
from tests.botapi import BotApiServer
from tests.hosts import Opened, both_hosts
from tests.integration.test_examples import (
    ADA,
    app_of,
    every_transcript,
    happen,
    on_file,
    until_expected,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _on_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Examples must not clash with what runs beside the tests."""
    monkeypatch.setenv("CHECKOUT_PORT", "0")
    monkeypatch.setenv("SURVEY_RESULTS", str(tmp_path / "results.db"))


@both_hosts
@every_transcript
async def test_a_transcript_plays_inside_another_librarys_bot(path: Path, opened: Opened) -> None:
    async with BotApiServer() as server, opened(app_of(path.parent), server) as host:
        for exchange in read_transcript(path).exchanges:
            before = len(server.replies(ADA))
            happen(server, exchange)
            await until_expected(server, exchange, before)
    assert (host.heard, host.errors) == ([], [])


@both_hosts
@every_transcript
async def test_a_transcript_holds_there_through_restarts_and_updates_that_come_twice(
    path: Path, opened: Opened, tmp_path: Path
) -> None:
    async with BotApiServer() as server:
        for exchange in read_transcript(path).exchanges:
            before = len(server.replies(ADA))
            happen(server, exchange)
            server.raw_update(server.updates[-1])
            async with opened(app_of(path.parent), server, on_file(tmp_path)) as host:
                await until_expected(server, exchange, before)
            # the second copy may come when the flows have just ended
            assert [error for error in host.errors if not isinstance(error, NotRunning)] == []
