"""The message that stands above a fork: how far its branches are, and a button for each."""

from __future__ import annotations

import logging
from typing import Any

from engine.steps.places import Place
from engine.turns.notices import Notices
from engine.turns.stage import Stage
from engine.turns.tracebacks import from_handler
from flows.errors import StepError
from flows.messages.replies import Reply, edited
from flows.turns.effects import Effects
from flows.turns.instance import OpenFork
from flows.turns.progress import Progress
from flows.turns.questions import question
from flows.turns.visit import WaitButton, Waiting

_log = logging.getLogger("handrail.engine")

CONTINUE = ""
"""The value of the button that goes on; no branch has this name."""


def show(stage: Stage, place: Place, *, hint: str | None = None) -> None:
    """Shows the hub as a new message, which later edits change."""
    fork = _open(place)
    reply = _message(stage, place, fork)
    if hint is not None:
        stage.effects.emit(Reply(text=hint))
    stage.effects.emit(reply, slot(place, fork))
    fork.shown = True


def refresh(stage: Stage, place: Place) -> None:
    """Brings the hub message up to date in its place, once it was shown."""
    fork = _open(place)
    if not fork.shown:
        return
    reply = _message(stage, place, fork)
    _edit(stage.effects, slot(place, fork), reply)


def close(stage: Stage, place: Place, fork: OpenFork) -> None:
    """The fork is joined: the last word of its hub, without buttons."""
    if not fork.shown:
        return
    reply = _written(stage, place, fork)
    _edit(stage.effects, slot(place, fork), reply)


def buttons(place: Place, fork: OpenFork, texts: Notices) -> list[WaitButton]:
    """A button for each branch, done or not, and one to go on where that is possible."""
    labels = place.flow.forks[fork.after].labels
    shown = [
        WaitButton(f"{f'{texts.done_mark} ' if one.done else ''}{labels[one.head]}", one.head)
        for one in fork.branches
    ]
    if fork.joined and fork.done >= place.flow.forks[fork.after].need:
        shown.append(WaitButton(texts.go_on, CONTINUE))
    return shown


def slot(place: Place, fork: OpenFork) -> str:
    """The name of the hub message."""
    return f"{place.instance.id}.{fork.number}.hub"


def _edit(effects: Effects, name: str, reply: Reply) -> None:
    """Edits the message; one that is sent in this very turn is written anew instead."""
    for index, emission in enumerate(effects.emissions):
        if emission.slot == name and isinstance(emission.send, Reply):
            del effects.emissions[index]
            effects.emit(reply, name)
            return
    effects.emit(edited(name, reply))


def _message(stage: Stage, place: Place, fork: OpenFork) -> Reply:
    waiting = Waiting(
        ordinal=0,
        explicit=False,
        inputs=[],
        key=None,
        prompt=_written(stage, place, fork),
        buttons=buttons(place, fork, stage.texts),
    )
    return question(waiting, stage.mint(place, fork.number))


def _written(stage: Stage, place: Place, fork: OpenFork) -> Reply:
    written = place.flow.forks[fork.after].hub
    progress: Progress[Any, Any] = Progress(place.flow, place.instance, fork)
    if written is None:
        return Reply(text=stage.texts.progress(progress))
    try:
        text = written(progress)
        reply = Reply(text=text) if isinstance(text, str) else text
        if not isinstance(reply, Reply) or reply.blank:
            raise StepError(place.flow.name, fork.after, f"its hub wrote {text!r}: no text")
    except Exception as error:  # whatever the user's code raises: the branches go on without it
        _log.error(
            "flow %r: the hub of the fork after step %s failed; the usual one is shown: %s",
            place.flow.name, fork.after, error, exc_info=from_handler(error),
        )  # fmt: skip
        return Reply(text=stage.texts.progress(progress))
    return reply


def _open(place: Place) -> OpenFork:
    fork = place.instance.fork
    if fork is None:
        raise LookupError(f"no fork of instance {place.instance.id} is open")
    return fork
