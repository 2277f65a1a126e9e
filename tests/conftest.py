"""What all tests share."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from engine.state.conversation import Conversation
from engine.state.snapshots import Snapshots
from flows.ports import Snapshot

# How long the drawing of an example takes says something of the machine only.
settings.register_profile("handrail", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("handrail")

CHATTY = ("aiosqlite", "alembic", "httpcore", "httpx")
"""Loggers of libraries that the command line makes quieter."""


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as Handrail does."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """The command line sets up logging for the whole process; no test may feel another's."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    chatty = {name: logging.getLogger(name).level for name in CHATTY}
    yield
    root.handlers[:] = [handler for handler in root.handlers if handler in handlers]
    root.setLevel(level)
    for name, before in chatty.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture(autouse=True)
def _what_is_at_hand_is_what_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversation that is kept between turns never differs from the text that was committed:
    neither when it is put there, nor when the next turn takes it.
    """
    remember, take = Snapshots.remember, Snapshots.take

    def checked_remember(
        self: Snapshots,
        key: str,
        snapshot: Snapshot | None,
        conversation: Conversation | None = None,
    ) -> None:
        if snapshot is not None and conversation is not None:
            assert conversation == Conversation.decode(key, snapshot.state)
        remember(self, key, snapshot, conversation)

    def checked_take(self: Snapshots, key: str, snapshot: Snapshot | None) -> Conversation:
        taken = take(self, key, snapshot)
        if snapshot is not None:
            assert taken == Conversation.decode(key, snapshot.state)
        return taken

    monkeypatch.setattr(Snapshots, "remember", checked_remember)
    monkeypatch.setattr(Snapshots, "take", checked_take)


@pytest.fixture(autouse=True)
def _judges_accept_what_is_asked() -> Iterator[None]:
    """A test that answers requests by itself makes none that the Bot API does not take."""
    yield
    # the judges take long to import, and most tests have nothing for them
    transport = sys.modules.get("tests.botapi.transport")
    if transport is not None:
        assert transport.take_refused() == [], "the judges refused requests"
