"""Showing what an instance asks: the question of a step, or the hub of a fork."""

from __future__ import annotations

from engine.steps import hub
from engine.steps.places import Place, current
from engine.turns.stage import Stage
from flows.messages.replies import Reply
from flows.turns.questions import question
from flows.turns.visit import Visit, Waiting


def show(stage: Stage, place: Place, *, hint: str | None = None) -> None:
    """Asks again what is talked about at the place or beneath, after a hint if there is one."""
    here = current(place, stage.flows)
    if here.at_hub:
        hub.show(stage, here, hint=hint)
        return
    show_question(stage, here, hint=hint)


def show_question(stage: Stage, place: Place, *, hint: str | None = None) -> None:
    """Asks the question of one line again."""
    visit = place.line.visit
    waiting = visit.waiting if visit is not None else None
    if visit is not None and visit.escalated is not None:
        stage.say(stage.texts.escalated)
        return
    if visit is None or waiting is None or waiting.prompt is None:
        if hint is not None:
            stage.effects.emit(Reply(text=hint))
        return
    if hint is not None and waiting.prompt.format == "plain":
        ask(stage, place, visit, waiting, text=f"{hint}\n\n{waiting.prompt.text}")
        return
    if hint is not None:
        stage.effects.emit(Reply(text=hint))
    ask(stage, place, visit, waiting)


def ask(
    stage: Stage, place: Place, visit: Visit, waiting: Waiting, *, text: str | None = None
) -> None:
    """Sends the question, or another text in its place, such as why an answer was refused.

    That it was shown again is no change of the state: the name of the message stays.
    """
    waiting.asked = waiting.asked or stage.turn
    mint = stage.mint(place, visit.number)
    stage.effects.emit(question(waiting, mint, text=text), waiting.slot)
