"""The bot of the harness: it writes down, in order, every number that it is told.

What it says depends on nothing but the numbers, and no text comes twice in a chat: so whoever
has sent so many of them knows what has to be stored, and what has to arrive (see ``model``).
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto

from pydantic import BaseModel

from engine import App
from flows import (
    END,
    Action,
    AskTimeout,
    FlowBuilder,
    FlowRegistry,
    Integer,
    OnCommand,
    Progress,
    Router,
    Turn,
)
from tests.crash.model import FORK_AFTER, NAP_AFTER, PAIR_AFTER, ROUND, STAMP_AT

NAP = timedelta(milliseconds=300)
"""How long a nap takes. The person is silent meanwhile, so that it ends by itself."""


class Step(Enum):
    """Each takes one or two numbers."""

    COUNT = auto()
    PAIR = auto()
    SPLIT = auto()
    LEFT = auto()
    RIGHT = auto()
    JOINED = auto()
    NAP = auto()


class Heard(BaseModel):
    """All that a person has said.

    Attributes:
        numbers: in the order in which they were handled.
        stamps: what ``turn.once`` gave.
        naps: how often a timer has fired.
    """

    numbers: list[int] = []
    left: int = 0
    right: int = 0
    stamps: list[int] = []
    naps: int = 0


class Session(BaseModel):
    """Counts what the flow writes down, once more."""

    count: int = 0


def _hub(progress: Progress[Step, Heard]) -> str:
    return f"{len(progress[Step.LEFT].data.numbers)} heard, and {progress.done} of 2"


builder = FlowBuilder("ledger", Step, Heard)


@builder.step(Step.COUNT, to=[Step.COUNT, Step.PAIR, Step.SPLIT, Step.NAP, END])
async def count(turn: Turn[Step, Heard]) -> Action[Step]:
    """One number; the place in the round says where it goes on."""
    number = await turn.ask(f"{len(turn.data.numbers)} heard", Integer())
    _write_down(turn, number)
    place = number % ROUND
    if place == STAMP_AT:
        turn.data.stamps.append(await turn.once("stamp", lambda: number * 7))
    following = {PAIR_AFTER: Step.PAIR, FORK_AFTER: Step.SPLIT, NAP_AFTER: Step.NAP}
    return turn.next(following.get(place, Step.COUNT))


@builder.step(Step.PAIR, to=[Step.COUNT])
async def pair(turn: Turn[Step, Heard]) -> Action[Step]:
    """Two questions in one step: the second answer replays the first."""
    first = await turn.ask(f"{len(turn.data.numbers)} heard, two more", Integer())
    second = await turn.ask(f"{len(turn.data.numbers) + 1} heard, one more", Integer())
    _write_down(turn, first, second)
    return turn.next()


builder.parallel(from_=Step.SPLIT, steps=[Step.LEFT, Step.RIGHT], join=Step.JOINED, hub=_hub)
builder.ask(Step.LEFT, "left?", Integer(), into="left")
builder.ask(Step.RIGHT, "right?", Integer(), into="right")


@builder.step(Step.JOINED, to=[Step.COUNT])
async def joined(turn: Turn[Step, Heard]) -> Action[Step]:
    """What the branches were told, in the order of the branches."""
    _write_down(turn, turn.data.left, turn.data.right)
    return turn.next()


@builder.step(Step.NAP, to=[Step.COUNT])
async def nap(turn: Turn[Step, Heard]) -> Action[Step]:
    """Nobody answers, and the timer goes on."""
    try:
        number = await turn.ask(f"{len(turn.data.numbers)} heard, asleep", Integer(), timeout=NAP)
    except AskTimeout:
        turn.data.naps += 1
        turn.reply(f"{len(turn.data.numbers)} heard, awake")
    else:
        _write_down(turn, number)
    return turn.next()


def _write_down(turn: Turn[Step, Heard], *numbers: int) -> None:
    turn.data.numbers.extend(numbers)
    turn.session.count += len(numbers)


def ledger() -> App:
    """A new App of the bot."""
    registry = FlowRegistry()
    registry.register(OnCommand("start"), builder.build(initial=Step.COUNT))
    return App(Router("ledger-bot"), registry=registry, session=Session)
