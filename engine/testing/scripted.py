"""A channel that a test drives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

from engine.channels.console.lines import content_of, made_up_file, update_of
from engine.channels.console.plain import readable
from engine.channels.console.shown import ShownButtons
from flows.conversation import Address
from flows.ports import Delivery, Intake
from flows.updates import Content, Person

Script = Callable[["ScriptedChannel"], Awaitable[None]]


class NoSuchButton(LookupError):
    """No message shows a button of that label."""

    def __init__(self, label: str, labels: tuple[str, ...]) -> None:
        self.label = label
        self.labels = labels
        shown = f"shown are {', '.join(map(repr, labels))}" if labels else "no button is shown"
        super().__init__(f"there is no button {label!r}; {shown}")


class ScriptedChannel:
    """A Channel on which a coroutine plays the person, and that ends with it.

    Each input waits until the bot has settled and answers what the bot said to it: texts of
    messages, of edited messages and notices, in their order, without markup.

    Attributes:
        replies: what the bot has said since the last input.
        deliveries: all messages so far, as the engine handed them in.
    """

    def __init__(self, script: Script, *, user: Person | None = None) -> None:
        self.replies: list[str] = []
        self.deliveries: list[Delivery] = []
        self._script = script
        self._user = user or Person(id="1", name="Ada")
        self._address = Address(self.source, "1")
        self._shown = ShownButtons()
        self._intake: Intake | None = None

    @property
    def source(self) -> str:
        """Always ``script:local``."""
        return "script:local"

    async def open(self, commands: Sequence[tuple[str, str]]) -> None:
        """Nothing is needed."""

    async def receive(self, intake: Intake) -> None:
        """Runs the script. What it raises, this raises."""
        self._intake = intake
        await self._script(self)

    async def send(self, delivery: Delivery) -> str | None:
        """Keeps the message for the script to read."""
        reference = delivery.edit or uuid4().hex
        self.deliveries.append(delivery)
        self.replies.append(readable(delivery.text, delivery.format))
        self._shown.show(reference, delivery.keyboard)
        return reference

    async def answer(self, press: str, notice: str | None) -> None:
        """Keeps the notice for the script to read."""
        if notice:
            self.replies.append(notice)

    async def close(self) -> None:
        """Nothing is held."""

    async def say(self, text: str) -> tuple[str, ...]:
        """Says a text or a command."""
        return await self._hand_in(content_of(text))

    async def press(self, label: str) -> tuple[str, ...]:
        """Presses the newest button of that label.

        Raises:
            NoSuchButton: there is none, or the newest message has several.
        """
        button = self._shown.named(label)
        if button is None:
            raise NoSuchButton(label, self._shown.labels())
        return await self._hand_in(button.press())

    async def send_file(self, kind: str, caption: str = "") -> tuple[str, ...]:
        """Sends a made-up ``photo`` or ``document``."""
        return await self._hand_in(made_up_file(kind, caption))

    async def _hand_in(self, content: Content) -> tuple[str, ...]:
        if self._intake is None:
            raise RuntimeError("the channel is not running. Drive it from its script only.")
        self.replies.clear()
        await self._intake.accept([update_of(content, address=self._address, user=self._user)])
        await self._intake.settle()
        return tuple(self.replies)
