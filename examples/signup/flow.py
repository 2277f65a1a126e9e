"""The sign-up conversation."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum, auto

from pydantic import BaseModel

from flows import Action, Choice, Email, FlowBuilder, Text, Turn


class Step(StrEnum):
    """Where a person can be."""

    NAME = auto()
    EMAIL = auto()
    PLAN = auto()
    CONFIRM = auto()


class Plan(StrEnum):
    """What can be bought."""

    FREE = auto()
    PRO = auto()
    TEAM = auto()


class Signup(BaseModel):
    """What the person has told us so far."""

    name: str = ""
    email: str = ""
    plan: Plan | None = None


builder = FlowBuilder(
    "signup", Step, Signup, version=1, ttl=timedelta(days=7), description="sign up"
)

# a step with nothing but a question fits in one line
builder.ask(Step.NAME, "What's your name?", Text(max_length=80), into="name")
builder.ask(Step.EMAIL, "What's your e-mail?", Email(), into="email")


@builder.step(Step.PLAN)
async def plan(turn: Turn[Step, Signup]) -> Action[Step]:
    """The same written out: ask, keep the answer, decide."""
    turn.data.plan = await turn.ask("Which plan do you want?", Choice(Plan), keep=turn.data.plan)
    return turn.next()


@builder.step(Step.CONFIRM)
async def confirm(turn: Turn[Step, Signup]) -> Action[Step]:
    """The summary: every answer can be edited, and the person comes back here."""
    data = turn.data
    choice = await turn.ask(
        f"Name: {data.name}\n"
        f"E-mail: {data.email}\n"
        f"Plan: {data.plan.name.capitalize() if data.plan else '-'}\n\n"
        "Is everything right?",
        Choice({"Confirm": "confirm", "Name": "name", "E-mail": "email", "Plan": "plan"}),
    )
    if choice != "confirm":
        return turn.detour(Step(choice))
    turn.reply(f"Thank you, {data.name}, you are all set!")
    return turn.complete()


signup = builder.build(initial=Step.NAME)
