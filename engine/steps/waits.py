"""Explicit waits: what ``turn.wait`` waits for, and the message that asks for it."""

from __future__ import annotations

from typing import Any

from engine.steps.places import Place
from engine.turns.stage import Stage
from flows.errors import StepError
from flows.messages.replies import Delete, Edit, Reply
from flows.turns.actions import Wait
from flows.turns.asking import kept_prompt, rungs
from flows.turns.effects import Effects, Mark
from flows.turns.questions import first_drafts, question, wait_buttons
from flows.turns.timing import Timing, milliseconds
from flows.turns.visit import Waiting


def waiting_of(
    action: Wait[Any], place: Place, *, default: Timing, said: Mark, stage: Stage
) -> Waiting:
    """What the action waits for; its ordinal comes with ``rest``.

    Args:
        default: what it has of time unless it says so.
        said: where the messages of this run begin.

    Raises:
        StepError: the person could not see what is waited for.
    """
    timing = action.timing.over(default)
    waiting = Waiting(
        ordinal=0,
        explicit=True,
        inputs=[accepted.to_json() for accepted in action.inputs],
        key=None,
        prompt=None if action.prompt is None else kept_prompt(action.prompt),
        buttons=wait_buttons(action.inputs),
        drafts=first_drafts(action.inputs),
        people=list(action.people),
        timeout=None if timing.timeout is None else milliseconds(timing.timeout),
        deadline=timing.deadline(stage.now),
        rungs=rungs(timing, stage.now),
    )
    flow, step = place.flow.name, place.visit.step
    if waiting.prompt is not None:
        if waiting.prompt.blank:
            message = f"turn.wait() has the prompt {waiting.prompt.text!r}, which is blank"
            raise StepError(flow, step, message)
    elif waiting.buttons and _last_reply(stage.effects, said) is None:
        message = (
            "turn.wait() offers buttons, but there is no message that could show them. "
            "Send one first with turn.reply, or give it a prompt."
        )
        raise StepError(flow, step, message)
    return waiting


def rest(stage: Stage, place: Place, waiting: Waiting, *, said: Mark) -> None:
    """The visit waits from now on: its journal is dropped, and the question is asked."""
    visit = place.visit
    visit.drop_journal()
    waiting.ordinal = visit.ordinal(0)
    visit.waiting = waiting
    visit.asked = True
    mint = stage.mint(place, visit.number)
    if waiting.prompt is not None:
        waiting.slot = f"{place.instance.id}.{visit.number}.{visit.base}.ask"
        if not place.held:
            waiting.asked = stage.turn
            stage.effects.emit(question(waiting, mint), waiting.slot)
        return
    waiting.asked = stage.turn
    last = _last_reply(stage.effects, said)
    if last is not None:  # it is the question, and bears the buttons
        index, waiting.prompt = last
        waiting.slot = stage.effects.emissions[index].slot or ""
        stage.effects.replace(index, question(waiting, mint))


def _last_reply(effects: Effects, said: Mark) -> tuple[int, Reply] | None:
    """The last message of this run and its place; none if the run has edited it since, which
    would take the buttons off again.
    """
    edited: set[str] = set()
    for place in range(len(effects.emissions) - 1, said[0] - 1, -1):
        emission = effects.emissions[place]
        match emission.send:
            case Edit(slot=slot) | Delete(slot=slot):
                edited.add(slot)
            case Reply() as reply:
                return None if emission.slot in edited else (place, reply)
    return None
