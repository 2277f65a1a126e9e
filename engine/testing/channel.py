"""The channel of a bot under test."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

from engine.testing.api import ApiDouble
from flows.ports import Delivery, Intake, Pause

SOURCE = "test:local"


class Display(Protocol):
    """Where a TestChannel shows what the bot says."""

    @property
    def api(self) -> ApiDouble:
        """What answers the calls of handlers."""
        ...

    def show(self, delivery: Delivery) -> str:
        """The bot says something; answers the reference of the message."""
        ...

    def show_notice(self, press: str, notice: str | None) -> None:
        """The bot answers a press."""
        ...


class TestChannel:
    """The Channel of a Chat; override a method to let the network misbehave."""

    __test__ = False

    def __init__(self) -> None:
        self.chat: Display
        self.intake: asyncio.Future[Intake] = asyncio.get_running_loop().create_future()

    @property
    def api(self) -> ApiDouble:
        """The test's double of the service's API."""
        return self.chat.api

    @property
    def source(self) -> str:
        """Always ``test:local``."""
        return SOURCE

    @property
    def shared(self) -> bool:
        """Several may show what they say in one place."""
        return True

    @property
    def everywhere(self) -> bool:
        """The test hands in to one of them."""
        return False

    @property
    def catch_up(self) -> float:
        """Nothing comes in by itself."""
        return 0.0

    async def open(self, commands: Sequence[tuple[str, str]], kinds: Collection[str] = ()) -> None:
        """Nothing is needed."""

    async def receive(self, intake: Intake) -> None:
        """Lends the intake to the test until the App stops."""
        if self.intake.done():
            self.intake = asyncio.get_running_loop().create_future()
        self.intake.set_result(intake)
        await asyncio.Event().wait()

    def admit(self, chat: str) -> Pause | None:
        """Everything may be sent."""
        return None

    def allot(self, share: float) -> None:
        """Nothing limits what is sent."""

    async def send(self, delivery: Delivery) -> str | None:
        """Shows a message."""
        return self.chat.show(delivery)

    async def answer(self, press: str, notice: str | None) -> None:
        """Shows a notice."""
        self.chat.show_notice(press, notice)

    async def close(self) -> None:
        """Nothing is held."""
