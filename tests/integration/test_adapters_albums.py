"""Albums inside another library's bot."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine import App
from flows import Action, FlowBuilder, Turn
from flows.inputs import Photos
from tests.botapi import BotApiServer
from tests.hosts import Opened, both_hosts
from tests.integration.test_adapters_offers import ADA, said
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server() -> AsyncIterator[BotApiServer]:
    async with BotApiServer() as running:
        yield running


def collecting() -> App:
    """A bot that asks for photos."""
    builder = FlowBuilder("collecting", One, Names)

    @builder.step(One.ONLY)
    async def step(turn: Turn[One, Names]) -> Action[One]:
        photos = await turn.ask("Photos?", Photos())
        turn.reply(f"{len(photos)} photos")
        return turn.complete()

    return app_of(builder.build(initial=One.ONLY))


@both_hosts
async def test_an_album_that_a_flow_waits_for_comes_whole(
    server: BotApiServer, opened: Opened
) -> None:
    async with opened(collecting(), server) as host:
        server.text(ADA, "/start")
        await said(server, "Photos?")
        for _ in range(3):
            server.photo(ADA, media_group_id="7")
        await said(server, "Photos?", "3 photos")
    assert host.errors == []
