"""The flow that the bot got: telling how a course was. Nothing here knows the other library."""

from __future__ import annotations

from enum import StrEnum, auto

from pydantic import BaseModel

from engine import App
from flows import END, Action, Choice, FlowBuilder, FlowRegistry, OnCommand, Router, Text, Turn


class Step(StrEnum):
    """Where a person can be."""

    STARS = auto()
    REASON = auto()
    THANKS = auto()


class Feedback(BaseModel):
    """What the person has told us so far."""

    stars: int = 0
    reason: str = ""


builder = FlowBuilder("feedback", Step, Feedback, description="tell us how the course was")


@builder.step(Step.STARS, to=[Step.REASON, Step.THANKS])
async def stars(turn: Turn[Step, Feedback]) -> Action[Step]:
    """Who gives few stars is asked why."""
    turn.data.stars = await turn.ask("How many stars?", Choice({"★": 1, "★★": 2, "★★★": 3}))
    return turn.next(Step.THANKS if turn.data.stars == 3 else Step.REASON)


builder.ask(Step.REASON, "What was missing?", Text(max_length=500), into="reason")


@builder.step(Step.THANKS, to=[END])
async def thanks(turn: Turn[Step, Feedback]) -> Action[Step]:
    """The end."""
    turn.reply("Thank you, we read every word.")
    return turn.complete()


feedback = builder.build(initial=Step.STARS)

registry = FlowRegistry()
registry.register(OnCommand("feedback"), feedback)
registry.help_command("help")
registry.back_command("back")
registry.cancel_command("cancel")

app = App(Router("feedback"), registry=registry)
