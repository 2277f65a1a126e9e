"""How a question looks: its text, its buttons, and how the buttons are laid out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from flows.inputs import Input
from flows.replies import Button, Keyboard, Reply
from flows.visit import WaitButton, Waiting

Mint = Callable[[int, int, Any], str]
"""Makes the token of a button: of the question's ordinal, the button's index and its value."""

ROW_CHARACTERS = 28
"""How many characters of labels go into one row of buttons, so that phones show them whole."""
ROW_BUTTONS = 4


def wait_buttons(inputs: Sequence[Input[Any]]) -> list[WaitButton]:
    """The buttons that the inputs offer, in their order."""
    return [
        WaitButton(label, value, index)
        for index, accepted in enumerate(inputs)
        for label, value in accepted.options()
    ]


def question(waiting: Waiting, mint: Mint, *, text: str | None = None) -> Reply:
    """The message that asks what is waited for; ``text`` stands in for the prompt's own."""
    prompt = waiting.prompt or Reply(text="")
    if text is not None:
        prompt = replace(prompt, text=text, format="plain")
    if not waiting.buttons:
        return prompt
    return replace(prompt, keyboard=(*prompt.keyboard, *_rows(waiting, mint)))


def _rows(waiting: Waiting, mint: Mint) -> Keyboard:
    columns = next((stored["columns"] for stored in waiting.inputs if "columns" in stored), None)
    rows: list[list[Button]] = []
    room = 0
    for index, button in enumerate(waiting.buttons):
        crowded = columns is None and len(button.label) > room
        if not rows or crowded or len(rows[-1]) == (columns or ROW_BUTTONS):
            rows.append([])
            room = ROW_CHARACTERS
        rows[-1].append(Button(button.label, mint(waiting.ordinal, index, button.value)))
        room -= len(button.label)
    return tuple(tuple(row) for row in rows)
