"""Asking whether a flow that runs already is to begin anew."""

from __future__ import annotations

from engine.steps.places import Place
from engine.turns.notices import Notices
from engine.turns.stage import Stage
from flows.messages.replies import Reply
from flows.turns.effects import StartRequest
from flows.turns.instance import FlowInstance, PendingStart
from flows.turns.questions import question
from flows.turns.started_by import kept_content
from flows.turns.visit import WaitButton, Waiting

VISIT = 0
"""What the tokens of these buttons have in place of a visit, whose numbers begin at 1."""

START_OVER, GO_ON = "start over", "go on"

_NUMBERS = 1_000_000_000
"""Tokens have numbers of nine digits."""


def ask(stage: Stage, place: Place, request: StartRequest) -> None:
    """Asks; what the flow was to start with waits in its running instance. Raises StartRefused."""
    running = place.instance
    running.pending = PendingStart(
        stage.turn % _NUMBERS,
        request.flow.start(request.arguments),
        request.payload,
        kept_content(request.content),
    )
    waiting = Waiting(
        ordinal=running.pending.number,
        explicit=False,
        inputs=[],
        key=None,
        prompt=Reply(text=stage.texts.start_over_question),
        buttons=buttons(stage.texts),
    )
    slot = f"{running.id}.{running.pending.number}.again"
    stage.effects.emit(question(waiting, stage.mint(place, VISIT)), slot)


def buttons(texts: Notices) -> list[WaitButton]:
    """To begin anew, or to go on."""
    return [WaitButton(texts.start_over, START_OVER), WaitButton(texts.go_on, GO_ON)]


def is_asked(instance: FlowInstance, visit: int, ordinal: int) -> bool:
    """Whether a token is for what is asked now."""
    pending = instance.pending
    return pending is not None and visit == VISIT and ordinal == pending.number
