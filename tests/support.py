"""What many tests need: the smallest bot around a flow."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

from pydantic import BaseModel

from engine import App
from flows import Flow, FlowRegistry, OnCommand, Router


def app_of(*flows: Flow[Any, Any], session: type[BaseModel] | None = None, **more: Any) -> App:
    """A bot that starts the first flow with /start, and every flow with /its-name."""
    registry = FlowRegistry()
    registry.register(OnCommand("start"), flows[0])
    for flow in flows:
        registry.register(OnCommand(flow.name), flow)
    registry.help_command("help")
    registry.back_command("back")
    registry.cancel_command("cancel")
    router = Router("test-bot")
    registry.apply_to_router(router)
    return App(router, session=session, **more)


class One(Enum):
    """The steps of a flow of one step."""

    ONLY = 1


class Three(Enum):
    """The steps of a flow of three."""

    FIRST = 1
    SECOND = 2
    THIRD = 3


class Names(BaseModel):
    """Data of test flows."""

    first: str = ""
    second: str = ""
    third: str = ""
    count: int = 0


async def cancelled() -> None:
    """Awaits what somebody else has cancelled."""
    work = asyncio.get_running_loop().create_future()
    work.cancel()
    await work
