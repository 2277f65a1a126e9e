"""Ways to talk with a bot that must not make a difference."""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from engine.testing import Chat
from flows import Flow
from flows.updates import Update
from tests.support import app_of


class Talk(Protocol):
    """Opens a chat with a bot of these flows."""

    def __call__(self, *flows: Flow[Any, Any, Any], **more: Any) -> Chat: ...


class Restarted(Chat):
    """After every turn another process goes on with what is stored."""

    async def deliver(self, *updates: Update) -> tuple[str, ...]:
        said = await super().deliver(*updates)
        await self.restart()
        return said


@pytest.fixture(params=["as it is", "restarted after every turn", "every step run again"])
def talk(request: pytest.FixtureRequest) -> Talk:
    """Talks as a test does, with restarts in between, and with ``rerun_every_step``."""
    way = request.param

    def open_chat(*flows: Flow[Any, Any, Any], **more: Any) -> Chat:
        app = app_of(*flows, rerun_every_step=way == "every step run again", **more)
        return Restarted(app) if way == "restarted after every turn" else Chat(app)

    return open_chat
