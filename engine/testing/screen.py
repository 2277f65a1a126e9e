"""What the chats of a test show."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from engine.channels.console.sayings import saying
from engine.channels.console.shown import ShownButton, ShownButtons, pressable
from flows.errors import HandrailError
from flows.messages.replies import Keyboard
from flows.ports import Delivery
from flows.updates import Press

PAST = 200
"""Keyboards of a chat that are remembered after they are gone."""


class NoSuchButton(HandrailError, LookupError):
    """No message shows a button of that label."""

    def __init__(self, label: str, labels: tuple[str, ...]) -> None:
        self.label = label
        self.labels = labels
        shown = f"shown are {', '.join(map(repr, labels))}" if labels else "no button is shown"
        super().__init__(f"there is no button {label!r}; {shown}")


@dataclass(slots=True)
class Screen:
    """What one chat shows.

    Attributes:
        replies: what the bot has said since the last input.
        buttons: the labels under each message that came or changed since then.
        shown: every button that can still be pressed.
        past: the last keyboards, of a message or of a state of it, the newest last.
    """

    replies: list[str] = field(default_factory=list)
    buttons: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shown: ShownButtons = field(default_factory=ShownButtons)
    past: deque[tuple[ShownButton, ...]] = field(default_factory=lambda: deque(maxlen=PAST))

    def clear(self) -> None:
        """An input is coming: what is said from now on answers it."""
        self.replies.clear()
        self.buttons.clear()

    def labels(self) -> tuple[str, ...]:
        """The labels of the buttons that came since the last input, in their order."""
        return tuple(label for labels in self.buttons.values() for label in labels)

    def button(self, label: str, *, back: int = 1) -> ShownButton:
        """The newest button of that label; ``back``: or the one so many keyboards with such a
        label ago, which may be gone from the screen by now.

        Raises:
            NoSuchButton: there is none, or one message has several.
        """
        found = self.shown.named(label) if back == 1 else self._gone(label, back)
        if found is None:
            raise NoSuchButton(label, self.shown.labels())
        return found

    def show(self, reference: str, text: str, keyboard: Keyboard) -> None:
        """The bot says something, or changes what it said."""
        self.replies.append(text)
        self.shown.show(reference, keyboard)
        shown = tuple(
            ShownButton(reference, button.data or "", button.label)
            for button in pressable(keyboard)
        )
        self.buttons[reference] = tuple(button.label for button in shown)
        if shown:
            self.past.append(shown)

    def _gone(self, label: str, back: int) -> ShownButton | None:
        found = [one for shown in reversed(self.past) for one in shown if one.label == label]
        return found[back - 1] if 0 < back <= len(found) else None


class Screens:
    """The screens of all chats.

    Attributes:
        deliveries: all messages so far, as the engine handed them to the channel.
        notices: (press id, notice) of every answered press.
    """

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.notices: list[tuple[str, str | None]] = []
        self._screens: defaultdict[str, Screen] = defaultdict(Screen)
        self._pressers: dict[str, str] = {}
        self._sent = 0

    def of(self, chat: str) -> Screen:
        """The screen of a chat."""
        return self._screens[chat]

    def pressed(self, press: Press, chat: str) -> None:
        """A button is pressed in that chat: there its notice will be seen."""
        self._pressers[press.id] = chat

    def show(self, delivery: Delivery) -> str:
        """The bot says something; answers the reference of the message."""
        self._sent += 1
        reference = delivery.edit or f"m{self._sent}"
        self.deliveries.append(delivery)
        self.of(delivery.chat).show(reference, saying(delivery), delivery.keyboard)
        return reference

    def show_notice(self, press: str, notice: str | None) -> None:
        """The bot answers a press."""
        self.notices.append((press, notice))
        if notice:
            self.of(self._pressers.get(press, "1")).replies.append(notice)
