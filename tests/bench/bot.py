"""The bot that is measured: a wizard of three questions, begun again when it is over."""

from __future__ import annotations

from enum import Enum, auto

from pydantic import BaseModel

from engine import App
from flows import Action, Flow, FlowBuilder, FlowRegistry, Integer, OnText, Router, Text, Turn


class Step(Enum):
    """Where a person can be."""

    NAME = auto()
    TOWN = auto()
    AGE = auto()


class Visitor(BaseModel):
    """What the person has told us so far."""

    name: str = ""
    town: str = ""
    age: int = 0


EXCHANGES = (
    ("sign me up", "What's your name?"),
    ("Ada Lovelace", "Where do you live, Ada Lovelace?"),
    ("London", "How old are you?"),
    ("36", "Thank you, Ada Lovelace of London."),
)
"""What a person writes, over and over, and the one message that answers it."""


async def name(turn: Turn[Step, Visitor]) -> Action[Step]:
    """A question and its answer kept."""
    turn.data.name = await turn.ask("What's your name?", Text(max_length=80))
    return turn.next()


async def town(turn: Turn[Step, Visitor]) -> Action[Step]:
    """A question that quotes the answer before."""
    turn.data.town = await turn.ask(f"Where do you live, {turn.data.name}?")
    return turn.next()


async def age(turn: Turn[Step, Visitor]) -> Action[Step]:
    """A number, and the end of the flow."""
    turn.data.age = await turn.ask("How old are you?", Integer(ge=1, le=150))
    turn.reply(f"Thank you, {turn.data.name} of {turn.data.town}.")
    return turn.complete()


def app(*, flows: int = 1, more: Router | None = None) -> App:
    """A new bot. Of its flows people use the last one; the others begin at texts of their own.

    Args:
        more: handlers besides.
    """
    registry = FlowRegistry()
    for number in range(1, flows):
        registry.register(OnText(f"^sign me up for course {number}$"), _flow(f"course{number}"))
    registry.register(OnText("^sign me up$"), _flow("visitor"))
    router = Router("bench")
    registry.apply_to_router(router)
    if more is not None:
        router.include(more)
    return App(router)


def _flow(called: str) -> Flow[Step, Visitor]:
    flow = FlowBuilder(called, Step, Visitor)
    flow.step(Step.NAME, name).step(Step.TOWN, town).step(Step.AGE, age)
    return flow.build(initial=Step.NAME)
