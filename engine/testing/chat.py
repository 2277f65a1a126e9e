"""A bot under test, and the people who talk with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from engine.channels.console.lines import content_of, update_of
from engine.channels.console.made_up import made_up
from engine.channels.console.plain import readable
from engine.channels.console.shown import ShownButton, ShownButtons
from engine.composition import storage_of
from flows.conversation import Address
from flows.errors import HandrailError
from flows.ports import Delivery, FlowStorage, Intake
from flows.updates import Content, Person, Update

if TYPE_CHECKING:
    from engine.app import App

SOURCE = "test:local"


class NoSuchButton(HandrailError, LookupError):
    """No message shows a button of that label."""

    def __init__(self, label: str, labels: tuple[str, ...]) -> None:
        self.label = label
        self.labels = labels
        shown = f"shown are {', '.join(map(repr, labels))}" if labels else "no button is shown"
        super().__init__(f"there is no button {label!r}; {shown}")


@dataclass(slots=True)
class _Screen:
    """What one chat shows."""

    replies: list[str] = field(default_factory=list)
    shown: ShownButtons = field(default_factory=ShownButtons)


class Chat:
    """Runs an App for the time of an ``async with``, and talks with it.

    Each input waits until the bot has settled and answers what the bot said to that chat since:
    the texts of messages, edits and notices in their order, without markup.

    Args:
        storage: kept after the end, so that another Chat can go on with it; memory unless said.
        channel: a TestChannel of your own, whose network misbehaves.

    Attributes:
        deliveries: all messages so far, as the engine handed them to the channel.
        notices: (press id, notice) of every answered press.
    """

    def __init__(
        self,
        app: App,
        *,
        storage: FlowStorage | None = None,
        channel: type[TestChannel] | None = None,
    ) -> None:
        self.deliveries: list[Delivery] = []
        self.notices: list[tuple[str, str | None]] = []
        self._app = app
        self._storage = storage if storage is not None else storage_of("memory://")
        self._screens: dict[str, _Screen] = {}
        self._pressers: dict[str, str] = {}
        self._make_channel = channel or TestChannel
        self._channel: TestChannel
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None]
        self._sent = 0

    async def __aenter__(self) -> Self:
        """Starts the App. Raises what ``App.run`` raises."""
        channel = self._channel = self._make_channel()
        channel.chat = self
        run = self._app.run(channel=channel, storage=self._storage, stop=self._stop)
        self._running = asyncio.ensure_future(run)
        await asyncio.wait((self._running, channel.intake), return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            self._running.result()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops the App as a signal would."""
        self._stop.set()
        await self._running

    # --- the people ---------------------------------------------------------------------

    async def say(self, text: str, *, by: str = "1", chat: str | None = None) -> tuple[str, ...]:
        """A person says a text or a command."""
        return await self.send(content_of(text), by=by, chat=chat)

    async def press(self, label: str, *, by: str = "1", chat: str | None = None) -> tuple[str, ...]:
        """A person presses the newest button of that label in the chat.

        Raises:
            NoSuchButton: there is none, or one message has several.
        """
        return await self.send(self.button(label, chat=chat or by).press(), by=by, chat=chat)

    async def send_file(
        self, kind: str, caption: str = "", *, by: str = "1", chat: str | None = None
    ) -> tuple[str, ...]:
        """A person sends something made up, as ``@`` does on the console: a ``photo``,
        ``document``, ``voice``, ``audio`` or ``video`` with its caption, a ``location``
        (``"48.85 2.35"``), their own ``contact`` (``"+442079460958 Ada"``), or the data of a
        ``webapp``.

        Raises:
            CannotSend: there is no such kind, or not with these words.
        """
        return await self.send(made_up(kind, caption), by=by, chat=chat)

    async def send(
        self, content: Content, *, by: str = "1", chat: str | None = None
    ) -> tuple[str, ...]:
        """A person sends anything."""
        screen = self._screen(chat or by)
        screen.replies.clear()
        if content.kind == "press":
            self._pressers[content.id] = chat or by
        await self.hand_in([self.update(content, by=by, chat=chat)])
        await self.settle()
        return tuple(screen.replies)

    def button(self, label: str, *, chat: str = "1") -> ShownButton:
        """The newest button of that label. Raises NoSuchButton."""
        shown = self._screen(chat).shown
        button = shown.named(label)
        if button is None:
            raise NoSuchButton(label, shown.labels())
        return button

    def replies(self, chat: str = "1") -> tuple[str, ...]:
        """What the bot has said to the chat since the last input."""
        return tuple(self._screen(chat).replies)

    def update(self, content: Content, *, by: str = "1", chat: str | None = None) -> Update:
        """The update that a person's content makes."""
        address = Address(SOURCE, chat or by)
        return update_of(content, address=address, user=Person(id=by, name=f"Person {by}"))

    async def hand_in(self, updates: Sequence[Update]) -> None:
        """Hands a page of updates in, without waiting for what comes of it."""
        await self._channel.intake.result().accept(updates)

    async def settle(self) -> None:
        """Waits until the bot has nothing left to do. Raises what ends the App meanwhile."""
        settling = asyncio.ensure_future(self._channel.intake.result().settle())
        await asyncio.wait((settling, self._running), return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            settling.cancel()
            self._running.result()
        await asyncio.sleep(0)  # the answer to a press goes out beside the messages

    def _screen(self, chat: str) -> _Screen:
        return self._screens.setdefault(chat, _Screen())

    # --- the screen ---------------------------------------------------------------------

    def show(self, delivery: Delivery) -> str:
        """The bot says something; answers the reference of the message."""
        self._sent += 1
        reference = delivery.edit or f"m{self._sent}"
        screen = self._screen(delivery.chat)
        self.deliveries.append(delivery)
        screen.replies.append(readable(delivery.text, delivery.format))
        screen.shown.show(reference, delivery.keyboard)
        return reference

    def show_notice(self, press: str, notice: str | None) -> None:
        """The bot answers a press."""
        self.notices.append((press, notice))
        if notice:
            self._screen(self._pressers.get(press, "1")).replies.append(notice)


class TestChannel:
    """The Channel of a Chat; override a method to let the network misbehave."""

    __test__ = False

    def __init__(self) -> None:
        self.chat: Chat
        self.intake: asyncio.Future[Intake] = asyncio.get_running_loop().create_future()

    @property
    def source(self) -> str:
        """Always ``test:local``."""
        return SOURCE

    async def open(self, commands: Sequence[tuple[str, str]]) -> None:
        """Nothing is needed."""

    async def receive(self, intake: Intake) -> None:
        """Lends the intake to the test until the App stops."""
        self.intake.set_result(intake)
        await asyncio.Event().wait()

    async def send(self, delivery: Delivery) -> str | None:
        """Shows a message."""
        return self.chat.show(delivery)

    async def answer(self, press: str, notice: str | None) -> None:
        """Shows a notice."""
        self.chat.show_notice(press, notice)

    async def close(self) -> None:
        """Nothing is held."""
