"""What a turn brings from the engine into a step."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flows.fsm import Machine
from flows.messages.bot import Bot
from flows.records import record
from flows.turns.effects import Effects
from flows.updates import Person, Update


@record(frozen=True, slots=True)
class Surroundings:
    """What a turn brings from the engine into a step.

    Attributes:
        update: the cause of the turn.
        person: who may press the buttons, as ``ConversationKey.person`` has it.
        now: when the turn started, milliseconds since the epoch.
        turn: its number: the seq of its cause, which only grows.
        roles: of the person, as the App's ``Roles`` say; None: it knows no roles.
        refusal: what a person is told who may not do something.
        bots: those that run here, by their sources.
        fsm: the state of plain handlers of whom the update is from.
    """

    update: Update
    user: Person
    person: str
    deps: Any
    effects: Effects
    now: int
    turn: int
    roles: Collection[str] | None
    refusal: str
    bots: Mapping[str, Bot]
    fsm: Machine
