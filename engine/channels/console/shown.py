"""Which buttons are on the screen, and which of them a line means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import uuid4

from flows.messages.replies import Button, Keyboard
from flows.updates import Press

_KEPT = 200
"""Messages whose buttons can still be pressed by name."""


@dataclass(frozen=True, slots=True)
class ShownButton:
    """A button and the reference of the message that holds it."""

    message: str
    data: str
    label: str

    def press(self) -> Press:
        """The press of this button."""
        return Press(id=uuid4().hex, data=self.data, message=self.message)


def pressable(keyboard: Keyboard) -> tuple[Button, ...]:
    """The buttons that send something back, in reading order: the ones that are numbered."""
    return tuple(button for row in keyboard for button in row if button.data is not None)


class ShownButtons:
    """The keyboards of the messages so far.

    A bare label or number means only what was shown since the last input: to the next
    question, ``2`` is an answer again. ``!label`` finds older buttons too.
    """

    def __init__(self) -> None:
        self._messages: dict[str, tuple[Button, ...]] = {}
        self._fresh: list[str] = []

    def show(self, message: str, keyboard: Keyboard) -> None:
        """The message is shown with this keyboard, anew or in place of its old one."""
        self._messages.pop(message, None)
        if message in self._fresh:
            self._fresh.remove(message)
        buttons = pressable(keyboard)
        if not buttons:
            return
        self._messages[message] = buttons
        self._fresh.append(message)
        if len(self._messages) > _KEPT:
            del self._messages[next(iter(self._messages))]

    def turn_page(self) -> None:
        """An input was taken: what is shown from now on belongs to it."""
        self._fresh.clear()

    def bare(self, line: str) -> ShownButton | None:
        """The button that a line without ``!`` means, if it means exactly one."""
        fresh = [self._of(message) for message in reversed(self._fresh)]
        if not fresh:
            return None
        return _by_label(fresh, line) or _by_number(fresh[0], line)

    def named(self, label: str) -> ShownButton | None:
        """The button that ``!label`` means: the newest of that label, or else of that number."""
        newest_first = [self._of(message) for message in reversed(self._messages)]
        if found := _by_label(newest_first, label):
            return found
        return _by_number(newest_first[0], label) if newest_first else None

    def labels(self) -> tuple[str, ...]:
        """The labels of all buttons that can be pressed, the newest message first."""
        return tuple(
            button.label for message in reversed(self._messages) for button in self._of(message)
        )

    def _of(self, message: str) -> tuple[ShownButton, ...]:
        return tuple(_shown(message, self._messages[message]))


def _shown(message: str, buttons: Iterable[Button]) -> Iterator[ShownButton]:
    for button in buttons:
        if button.data is not None:
            yield ShownButton(message, button.data, button.label)


def _by_label(messages: list[tuple[ShownButton, ...]], label: str) -> ShownButton | None:
    wanted = " ".join(label.split())
    for buttons in messages:
        exact = [button for button in buttons if " ".join(button.label.split()) == wanted]
        alike = exact or [
            button
            for button in buttons
            if " ".join(button.label.split()).casefold() == wanted.casefold()
        ]
        if alike:
            return alike[0] if len(alike) == 1 else None
    return None


def _by_number(buttons: tuple[ShownButton, ...], number: str) -> ShownButton | None:
    if not (number.isascii() and number.isdigit() and len(number) <= 3):
        return None
    index = int(number) - 1
    return buttons[index] if 0 <= index < len(buttons) else None
