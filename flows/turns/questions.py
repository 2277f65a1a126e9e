"""How a question looks: its text, its buttons, and how the buttons are laid out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

from flows.inputs import Input, Json, input_from_json
from flows.inputs.layout import rows_by_width
from flows.messages.replies import Button, Keyboard, Reply
from flows.messages.translations import kept, said
from flows.turns.visit import WaitButton, Waiting

Mint = Callable[[int, int, Any], str]
"""Makes the token of a button: of the question's ordinal, the button's index and its value."""


def wait_buttons(
    inputs: Sequence[Input[Any]], drafts: Sequence[Json] | None = None
) -> list[WaitButton]:
    """The buttons that the inputs offer with these drafts, or at first, in their order."""
    known = first_drafts(inputs) if drafts is None else drafts
    return [
        WaitButton(kept(label), value, index)
        for index, (accepted, draft) in enumerate(zip(inputs, known, strict=True))
        for label, value in accepted.options(draft)
    ]


def first_drafts(inputs: Sequence[Input[Any]]) -> list[Json]:
    """What the drafts of a question are when it is asked."""
    return [accepted.start() for accepted in inputs]


def question(waiting: Waiting, mint: Mint, *, text: str | None = None) -> Reply:
    """The message that asks what is waited for; ``text`` stands in for the prompt's own."""
    prompt = waiting.prompt or Reply(text="")
    if text is not None:
        prompt = replace(prompt, text=text, format="plain")
    if not waiting.buttons:
        return prompt
    return replace(prompt, keyboard=(*prompt.keyboard, *_rows(waiting, mint)))


def _rows(waiting: Waiting, mint: Mint) -> Keyboard:
    buttons = [
        Button(button.label, mint(waiting.ordinal, index, button.value))
        for index, button in enumerate(waiting.buttons)
    ]
    ends = list(accumulate(_row_sizes(waiting)))
    return tuple(tuple(buttons[start:end]) for start, end in pairwise([0, *ends]))


def _row_sizes(waiting: Waiting) -> list[int]:
    """The rows that interactive inputs make of their buttons; the others by width."""
    columns = next((stored["columns"] for stored in waiting.inputs if "columns" in stored), None)
    made = _made_rows(waiting)
    sizes: list[int] = []
    free: list[str] = []
    place = 0
    while place < len(waiting.buttons):
        button = waiting.buttons[place]
        rows = made.pop(button.input, None)
        if rows is None:
            free.append(said(button.label))
            place += 1
            continue
        sizes += [*rows_by_width(free, columns), *rows]
        free.clear()
        place += sum(rows)
    return [*sizes, *rows_by_width(free, columns)]


def _made_rows(waiting: Waiting) -> dict[int, tuple[int, ...]]:
    made: dict[int, tuple[int, ...]] = {}
    for index, draft in enumerate(waiting.drafts):
        rows = None if draft is None else input_from_json(waiting.inputs[index]).rows(draft)
        if rows:
            made[index] = rows
    return made
