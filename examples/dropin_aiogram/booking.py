"""The flow that the bot got: booking a table. Nothing here knows aiogram."""

from __future__ import annotations

from enum import StrEnum, auto

from pydantic import BaseModel

from engine import App
from flows import Action, Confirm, FlowBuilder, FlowRegistry, Integer, OnCommand, Router, Text, Turn


class Step(StrEnum):
    """Where a person can be."""

    PEOPLE = auto()
    NAME = auto()
    CONFIRM = auto()


class Booking(BaseModel):
    """A table."""

    people: int = 0
    name: str = ""


builder = FlowBuilder("booking", Step, Booking, description="book a table")
builder.ask(Step.PEOPLE, "For how many people?", Integer(ge=1, le=12), into="people")
builder.ask(Step.NAME, "In whose name?", Text(max_length=80), into="name")


@builder.step(Step.CONFIRM)
async def confirm(turn: Turn[Step, Booking]) -> Action[Step]:
    """The last question."""
    booking = turn.data
    if not await turn.ask(f"A table for {booking.people}, {booking.name}?", Confirm()):
        return turn.goto(Step.PEOPLE)
    turn.reply("Booked. See you tonight!")
    return turn.complete()


booking = builder.build(initial=Step.PEOPLE)

registry = FlowRegistry()
registry.register(OnCommand("book"), booking)
registry.help_command("help")
registry.back_command("back")
registry.cancel_command("cancel")

app = App(Router("booking"), registry=registry)
