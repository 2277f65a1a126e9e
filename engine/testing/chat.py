"""A bot under test, and the people who talk with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from engine.channels.console.lines import content_of, update_of
from engine.channels.console.made_up import made_up
from engine.channels.console.shown import ShownButton
from engine.testing.api import ApiDouble
from engine.testing.channel import SOURCE, TestChannel
from engine.testing.clock import VirtualClock
from engine.testing.expecting import compare
from engine.testing.faults import CrashPoint, Faults
from engine.testing.passing import let_pass
from engine.testing.process import Process
from engine.testing.screen import NoSuchButton, Screen, Screens
from engine.testing.watch import Watch
from flows.conversation import Address
from flows.errors import HandrailError
from flows.ports import Clock, Delivery, FlowStorage
from flows.updates import Content, Person, Press, Update

if TYPE_CHECKING:
    from engine.app import App

__all__ = ["SOURCE", "Chat", "NoSuchButton", "NothingToRepeat", "TestChannel", "TimeIsReal"]


class TimeIsReal(HandrailError, TypeError):
    """The clock is none that a test can move."""

    def __init__(self) -> None:
        super().__init__("the clock is a real one. Use Chat(app, clock=VirtualClock()).")


class NothingToRepeat(HandrailError, LookupError):
    """Nothing was sent yet."""

    def __init__(self) -> None:
        super().__init__("nothing was sent yet that could be delivered again")


class Chat:
    """Runs an App for the time of an ``async with``, and talks with it.

    Each input waits until the bot has settled and answers what the bot said to that chat since:
    the texts of messages, edits and notices in their order, without markup.

    Args:
        clock: in place of the App's; a VirtualClock makes ``advance`` possible.
        storage: kept after the end, so that another Chat can go on with it; memory unless said.
            With a VirtualClock, give the storage ``clock.now``, too.
        channel: a TestChannel of your own, whose network misbehaves.
        deps: in place of the App's dependencies: an object, or what makes one.
        language: what the app of everybody says of their language, such as ``pt-br``.

    Attributes:
        languages: what somebody's app says else, by person.
        api: the service's API, for the calls of ``ctx.bot`` and the like.
    """

    def __init__(
        self,
        app: App,
        *,
        clock: Clock | None = None,
        storage: FlowStorage | None = None,
        channel: type[TestChannel] | None = None,
        deps: Any = None,
        language: str = "",
    ) -> None:
        self.clock = clock or app.clock
        self.languages: dict[str, str] = {}
        self._language = language
        self.api = ApiDouble()
        self._screens = Screens()
        self._faults = Faults()
        self._watch = Watch(self.clock, held=isinstance(self.clock, VirtualClock))
        self._channel_class = channel or TestChannel
        self._last: tuple[Update, ...] = ()
        watched = self._watch.storage(storage or _memory(self.clock))
        self._process = Process(app, watched, self.clock, self._faults, self._make_channel, deps)

    async def __aenter__(self) -> Self:
        """Starts the App. Raises what ``App.run`` raises."""
        await self._process.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops the App as a signal would."""
        await self._process.stop()

    # --- the people ---------------------------------------------------------------------

    async def say(self, text: str, *, by: str = "1", chat: str | None = None) -> tuple[str, ...]:
        """A person says a text or a command."""
        return await self.send(content_of(text), by=by, chat=chat)

    async def press(
        self, label: str, *, by: str = "1", chat: str | None = None, times: int = 1
    ) -> tuple[str, ...]:
        """A person presses the newest button of that label in the chat, ``times`` in a row.

        Raises:
            NoSuchButton: there is none, or one message has several.
        """
        button = self.button(label, chat=chat or by)
        return await self.send(*(button.press() for _ in range(times)), by=by, chat=chat)

    async def send_file(
        self, kind: str, caption: str = "", *, by: str = "1", chat: str | None = None
    ) -> tuple[str, ...]:
        """A person sends something made up, as ``@`` does on the console: a ``photo``,
        ``document``, ``voice``, ``audio``, ``video`` or ``animation`` with its caption, an
        ``album`` (``"3 my cats"``), a ``location`` (``"48.85 2.35"``), their own ``contact``
        (``"+442079460958 Ada"``), the data of a ``webapp``, a ``sticker`` (its emoji), a ``poll``
        (``"Tea? yes, no"``), ``dice`` (``"6"``), or a ``payment`` (its payload).

        Raises:
            CannotSend: there is no such kind, or not with these words.
        """
        return await self.send(made_up(kind, caption), by=by, chat=chat)

    async def send(
        self, *contents: Content, by: str = "1", chat: str | None = None
    ) -> tuple[str, ...]:
        """A person sends anything; several contents come in one page."""
        return await self.deliver(*(self.update(one, by=by, chat=chat) for one in contents))

    async def again(self) -> tuple[str, ...]:
        """What was sent last is delivered once more, as services do when in doubt.

        Raises:
            NothingToRepeat: nothing was sent yet.
        """
        if not self._last:
            raise NothingToRepeat
        return await self.deliver(*self._last)

    async def deliver(self, *updates: Update) -> tuple[str, ...]:
        """Hands a page of updates in, in any order or once more, and answers what the bot says
        in the chat of the first of them.
        """
        screen = self._screen_of(updates[0])
        screen.clear()
        await self.hand_in(updates)
        await self.settle()
        return tuple(screen.replies)

    def update(self, content: Content, *, by: str = "1", chat: str | None = None) -> Update:
        """The update that a person's content makes; every one is another. A chat of another name
        than the person's is a group.
        """
        address = Address(SOURCE, chat or by)
        language = self.languages.get(by, self._language)
        person = Person(id=by, name=f"Person {by}", language=language)
        update = update_of(content, address=address, user=person)
        return replace(update, at=self.clock.now(), private=address.chat == by)

    async def hand_in(self, updates: Sequence[Update]) -> None:
        """Hands a page of updates in, without waiting for what comes of it."""
        self._last = tuple(updates)
        for update in updates:
            if isinstance(update.content, Press) and update.address is not None:
                self._screens.pressed(update.content, update.address.chat)
        await self._process.hand_in(updates)

    async def settle(self) -> None:
        """Waits until the bot has nothing left to do. Raises what ends the App meanwhile."""
        await self._process.settle()

    # --- time ---------------------------------------------------------------------------

    async def advance(self, by: timedelta | float, *, chat: str = "1") -> tuple[str, ...]:
        """Time passes (``by``: seconds, if a number): every timer on the way fires, at its own
        time and in order. Answers what the bot said to the chat meanwhile.

        Raises:
            TimeIsReal: the clock is none that can be moved.
        """
        if not isinstance(self.clock, VirtualClock):
            raise TimeIsReal
        self._screens.of(chat).clear()
        if self.crashed:
            self.clock.skip(by)
        else:
            await let_pass(by, self.clock, self._watch, self.settle, lambda: self._process.alive)
        return self.replies(chat)

    # --- the process --------------------------------------------------------------------

    @property
    def crashed(self) -> bool:
        """Whether no process runs; what people send meanwhile waits for the next one."""
        return not self._process.alive

    def crash_at(self, point: CrashPoint) -> None:
        """Lets the process die when it next comes to that point."""
        self._faults.crash_at(point)

    async def crash(self) -> None:
        """The process dies now: all that it has in memory is lost, and nothing is finished."""
        await self._process.kill()

    async def restart(self) -> None:
        """A new process takes over, after a crash or a stop in good order, and settles. The
        screens stay as they are; updates that were not acknowledged are delivered again.
        """
        await self._process.stop()
        await self._process.start()
        await self.settle()

    # --- the screen ---------------------------------------------------------------------

    @property
    def deliveries(self) -> list[Delivery]:
        """All messages so far, as the engine handed them to the channel."""
        return self._screens.deliveries

    @property
    def notices(self) -> list[tuple[str, str | None]]:
        """(press id, notice) of every answered press."""
        return self._screens.notices

    def replies(self, chat: str = "1") -> tuple[str, ...]:
        """What the bot has said to the chat since the last input."""
        return tuple(self._screens.of(chat).replies)

    def buttons(self, chat: str = "1") -> tuple[str, ...]:
        """The labels of the buttons that have come since the last input."""
        return self._screens.of(chat).labels()

    def labels(self, chat: str = "1") -> tuple[str, ...]:
        """The labels of all buttons that can be pressed, the newest message first."""
        return self._screens.of(chat).shown.labels()

    def button(self, label: str, *, chat: str = "1", back: int = 1) -> ShownButton:
        """The newest button of that label; ``back``: the one before it is 2, and so on, gone from
        the screen or not. Raises NoSuchButton.
        """
        return self._screens.of(chat).button(label, back=back)

    def expect(
        self, *words: str, buttons: Sequence[str] | None = None, chat: str = "1"
    ) -> tuple[str, ...]:
        """Checks what the bot has said since the last input, and answers it.

        Args:
            words: occur in the replies, in this order; case and white space do not matter.
            buttons: the labels of exactly the buttons that came; None: any.

        Raises:
            Unexpected: an AssertionError that shows what came.
        """
        came = self.replies(chat)
        compare(words, buttons, came=came, labels=self.buttons(chat))
        return came

    def show(self, delivery: Delivery) -> str:
        """The bot says something; answers the reference of the message."""
        return self._screens.show(delivery)

    def show_notice(self, press: str, notice: str | None) -> None:
        """The bot answers a press."""
        self._screens.show_notice(press, notice)

    def _screen_of(self, update: Update) -> Screen:
        return self._screens.of(update.address.chat if update.address is not None else "1")

    def _make_channel(self) -> TestChannel:
        channel = self._channel_class()
        channel.chat = self
        return channel


def _memory(clock: Clock) -> FlowStorage:
    from storage import MemoryStorage

    return MemoryStorage(clock.now)
