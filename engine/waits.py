"""Explicit waits: what ``turn.wait`` waits for, and the message that asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flows.actions import Wait
from flows.effects import Effects, Mark
from flows.errors import StepError
from flows.instance import FlowInstance
from flows.questions import Mint, question, wait_buttons
from flows.replies import Edit, Reply
from flows.visit import Visit, Waiting


def waiting_of(
    action: Wait[Any], effects: Effects, *, flow: str, visit: Visit, said: Mark
) -> Waiting:
    """What the action waits for; its ordinal comes with ``rest``.

    Args:
        said: where the messages of this run begin.

    Raises:
        StepError: the person could not see what is waited for.
    """
    waiting = Waiting(
        ordinal=0,
        explicit=True,
        inputs=[accepted.to_json() for accepted in action.inputs],
        key=None,
        prompt=action.prompt,
        buttons=wait_buttons(action.inputs),
    )
    if waiting.prompt is not None:
        if not waiting.prompt.text.strip():
            message = f"turn.wait() has the prompt {waiting.prompt.text!r}, which is blank"
            raise StepError(flow, visit.step, message)
    elif waiting.buttons and _last_reply(effects, said) is None:
        message = (
            "turn.wait() offers buttons, but there is no message that could show them. "
            "Send one first with turn.reply, or give it a prompt."
        )
        raise StepError(flow, visit.step, message)
    return waiting


def rest(
    instance: FlowInstance,
    visit: Visit,
    waiting: Waiting,
    *,
    effects: Effects,
    mint: Mint,
    said: Mark,
) -> None:
    """The visit waits from now on: its journal is dropped, and the question is asked."""
    visit.drop_journal()
    waiting.ordinal = visit.ordinal(0)
    visit.waiting = waiting
    visit.asked = True
    if waiting.prompt is not None:
        slot = f"{instance.id}.{visit.number}.{visit.base}.ask"
        effects.emit(question(waiting, mint), slot)
        return
    last = _last_reply(effects, said)
    if last is not None:  # it is the question, and bears the buttons
        place, waiting.prompt = last
        emission = effects.emissions[place]
        effects.emissions[place] = replace(emission, send=question(waiting, mint))


def _last_reply(effects: Effects, said: Mark) -> tuple[int, Reply] | None:
    """The last message of this run and its place; none if the run has edited it since, which
    would take the buttons off again.
    """
    edited: set[str] = set()
    for place in range(len(effects.emissions) - 1, said.emissions - 1, -1):
        emission = effects.emissions[place]
        match emission.send:
            case Edit(slot=slot):
                edited.add(slot)
            case Reply() as reply:
                return None if emission.slot in edited else (place, reply)
    return None
