"""What goes wrong on demand: storages that fail, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.testing.chat import Chat
from engine.testing.clock import VirtualClock as HeldClock
from engine.testing.faults import Faults
from flows.errors import StorageError
from flows.ports import FlowStorage

__all__ = ["Crash", "Fragile", "HeldClock", "doomed"]


class Crash(StorageError):
    """The process is dead from here on, and hears of it."""


class Fragile(Faults):
    """A storage that fails where a test wants it; without that it is the ``inner`` one.

    Attributes:
        storage: what to hand to an App.
        dead: set at the first Crash; every later call raises it, too.
    """

    def __init__(self, inner: FlowStorage) -> None:
        super().__init__()
        self.storage = self.faulty_storage(inner)

    async def strike(self, error: Exception | None) -> None:
        """A Crash is the first of many."""
        if isinstance(error, Crash):
            self.dead.set()
        await super().strike(error)

    async def perish(self) -> None:
        """The engine ends in an error."""
        raise Crash("dead")


@asynccontextmanager
async def doomed(chat: Chat, fragile: Fragile) -> AsyncIterator[None]:
    """A Chat whose App is gone at the end, as by a kill."""
    try:
        async with chat:
            yield
            await fragile.dead.wait()
    except Crash:
        return
    pytest.fail("the App has outlived its storage")
