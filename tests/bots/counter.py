"""A bot that counts what it is told, for tests that kill it."""

from __future__ import annotations

from enum import Enum

from pydantic import BaseModel

from engine import App
from flows import Action, FlowBuilder, FlowRegistry, OnCommand, Router, Turn


class Step(Enum):
    """One step, visited again and again."""

    COUNT = 1


class Counted(BaseModel):
    """Everything heard so far, in order."""

    heard: list[str] = []


builder = FlowBuilder("counter", Step, Counted)


@builder.step(Step.COUNT)
async def count(turn: Turn[Step, Counted]) -> Action[Step]:
    """Repeats what it heard, with its number."""
    if not turn.data.heard:
        turn.reply("counting")
    said = await turn.ask(f"{len(turn.data.heard)} so far")
    if said == "report":
        turn.reply(",".join(turn.data.heard))
        return turn.complete()
    turn.data.heard.append(said)
    return turn.goto(Step.COUNT)


registry = FlowRegistry()
registry.register(OnCommand("start"), builder.build(initial=Step.COUNT))
router = Router("counter-bot")
registry.apply_to_router(router)
app = App(router)
