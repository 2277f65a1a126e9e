"""A bot whose questions have a clock, for tests that kill it."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto

from pydantic import BaseModel

from engine import App
from flows import Action, FlowBuilder, FlowRegistry, OnCommand, Reminder, Router, Turn


class Step(Enum):
    """A question, and what comes when nobody answers it."""

    ASK = auto()
    LATE = auto()


class Nothing(BaseModel):
    """No data."""


builder = FlowBuilder("clockwork", Step, Nothing)


def late(turn: Turn[Step, Nothing]) -> Action[Step]:
    """On to the other question."""
    turn.reply("too late")
    return turn.goto(Step.LATE)


@builder.step(Step.ASK, on_timeout=late)
async def ask(turn: Turn[Step, Nothing]) -> Action[Step]:
    """Reminds after half a second, and gives up after one."""
    await turn.ask(
        "question",
        timeout=timedelta(seconds=1),
        remind=Reminder(timedelta(seconds=0.5), "reminder"),
    )
    return turn.next()


@builder.step(Step.LATE)
async def wait(turn: Turn[Step, Nothing]) -> Action[Step]:
    """Waits for ever."""
    turn.reply(f"so: {await turn.ask('and now?')}")
    return turn.complete()


registry = FlowRegistry()
registry.register(OnCommand("start"), builder.build(initial=Step.ASK))
router = Router("clockwork-bot")
registry.apply_to_router(router)
app = App(router)
