"""What a turn brings from the engine into a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flows.effects import Effects
from flows.updates import Person, Update


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a turn brings from the engine into a step.

    Attributes:
        update: the cause of the turn.
        person: who may press the buttons, as ``ConversationKey.person`` has it.
        now: when the turn started, milliseconds since the epoch.
        turn: its number: the seq of its cause, which only grows.
    """

    update: Update
    user: Person
    person: str
    deps: Any
    effects: Effects
    now: int
    turn: int
