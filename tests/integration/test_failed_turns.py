"""What failed turns leave behind in the process: nothing, for everybody would wait for the garbage
collector.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum, auto
from weakref import ref

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing import Chat
from flows import Action, Context, FlowBuilder, FlowRegistry, OnCommand, Router, Text, Turn

pytestmark = pytest.mark.anyio


class Trouble(Exception):
    """What the handlers raise; ``made`` knows all of them, without keeping any."""

    made: list[ref[Trouble]]

    def __init__(self) -> None:
        super().__init__("trouble")
        self.made.append(ref(self))


class One(StrEnum):
    ONLY = auto()


class Nothing(BaseModel):
    pass


def a_handler(*, caught: bool = False) -> App:
    router = Router("failing")

    @router.hears("go")
    async def fail(ctx: Context) -> None:
        raise Trouble

    if caught:

        @router.catch
        async def catch(ctx: Context, error: Exception) -> None:
            ctx.reply("caught")

    return App(router)


def a_step(*, recovers: bool = False) -> App:
    flow = FlowBuilder("failing", One, Nothing)

    @flow.step(One.ONLY)
    async def only(turn: Turn[One, Nothing]) -> Action[One]:
        await turn.ask("Go?", Text())
        raise Trouble

    if recovers:

        @flow.on_error
        async def recover(turn: Turn[One, Nothing], error: Exception) -> Action[One]:
            return turn.repeat()

    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow.build(initial=One.ONLY))
    return App(Router("failing"), registry=registry)


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is collected meanwhile, and no log record keeps an error."""
    Trouble.made = []
    logging.disable()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize("app", [a_handler(), a_handler(caught=True)], ids=["alone", "caught"])
async def test_a_failed_handler_leaves_nothing_to_collect(app: App) -> None:
    async with Chat(app) as chat:
        with uncollected():
            assert await chat.say("go")
            assert [one() for one in Trouble.made] == [None]


@pytest.mark.parametrize("app", [a_step(), a_step(recovers=True)], ids=["alone", "recovered"])
async def test_a_failed_step_leaves_nothing_to_collect(app: App) -> None:
    async with Chat(app) as chat:
        await chat.say("/start")
        with uncollected():
            assert await chat.say("go")
            assert [one() for one in Trouble.made] == [None]
