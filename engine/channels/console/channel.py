"""One person at a terminal, or a file of lines, in conversation with the bot."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection, Sequence
from typing import TextIO
from uuid import uuid4

from rich.console import Console

from engine.channels.console.language import language_of
from engine.channels.console.lines import content_of, update_of
from engine.channels.console.made_up import CannotSend
from engine.channels.console.plain import harmless
from engine.channels.console.reader import LineReader, reader_of
from engine.channels.console.sayings import saying
from engine.channels.console.screen import ChatScreen, Output, PlainScreen, Screen
from engine.channels.console.shown import ShownButtons
from flows.conversation import Address
from flows.errors import ChannelStopped, StorageDown
from flows.ports import Delivery, Intake, Pause
from flows.updates import Content, Opened, Person

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


class ConsoleChannel:
    """A Channel on standard input and output.

    At a terminal it is a chat with panels, numbered buttons and a spinner. On a pipe every
    line is one update, answered before the next is read, and the channel ends with the input.

    Lines: ``/command args``; ``@photo caption``, ``@location 48.85 2.35`` and the like send
    something made up; ``!label``, or the bare label or number of a button just shown, presses
    it; the rest is text.

    Args:
        stdin: where lines come from; standard input by default.
        console: where the conversation is shown; standard output by default.
        user: who is writing; by default somebody whose language is that of the environment.
        interactive: whether a person sits there; by default when both ends are terminals.

    Raises:
        ChannelStopped: there is no standard input to read from.
    """

    def __init__(
        self,
        *,
        stdin: TextIO | None = None,
        console: Console | None = None,
        user: Person | None = None,
        interactive: bool | None = None,
    ) -> None:
        stream = stdin or _standard_input()
        console = console or Output(highlight=False)
        if interactive is None:
            interactive = stream.isatty() and console.is_terminal
        self._lines: LineReader = reader_of(stream)
        self._screen: Screen = ChatScreen(console) if interactive else PlainScreen(console)
        self._user = user or Person(id="local", name="you", language=language_of(os.environ))
        self._address = Address(self.source, "local")
        self._shown = ShownButtons()
        self._open = False

    @property
    def source(self) -> str:
        """Always ``console:local``."""
        return "console:local"

    @property
    def shared(self) -> bool:
        """What another process says, nobody sees at this terminal."""
        return False

    @property
    def everywhere(self) -> bool:
        """There is one terminal."""
        return False

    @property
    def catch_up(self) -> float:
        """Nobody types while nothing runs."""
        return 0.0

    async def open(self, commands: Sequence[tuple[str, str]], kinds: Collection[str] = ()) -> None:
        """Shows what the bot understands, where a person is there to read it."""
        self._open = True
        self._screen.intro(commands)

    async def receive(self, intake: Intake) -> None:
        """Hands in one line after the other until the input ends."""
        await self._hand_in(intake, Opened())
        while (line := await self._next_line()) is not None:
            try:
                content = self._meaning(line)
            except CannotSend as error:
                self._screen.note(harmless(f"Not sent: {error}"))
                continue
            self._shown.turn_page()
            await self._hand_in(intake, content)

    def admit(self, chat: str) -> Pause | None:
        """A terminal takes everything."""
        return None

    def allot(self, share: float) -> None:
        """Nothing limits what is sent."""

    async def send(self, delivery: Delivery) -> str | None:
        """Shows a message, or the new form of one.

        Raises:
            ChannelStopped: whoever read the output has left.
        """
        reference = delivery.edit or uuid4().hex
        edited = delivery.edit is not None
        self._screen.said(saying(delivery), delivery.keyboard, edited=edited)
        self._shown.show(reference, delivery.keyboard)
        return reference

    async def answer(self, press: str, notice: str | None) -> None:
        """Shows the notice, if there is one."""
        if notice:
            self._screen.note(harmless(notice))

    async def close(self) -> None:
        """Says good-bye to a person."""
        if self._open:
            self._open = False
            self._screen.farewell()

    async def _next_line(self) -> str | None:
        self._screen.prompt()
        while (line := await self._lines.read_line()) is not None:
            self._screen.heard(harmless(line))
            # NUL and lone surrogates are no text: no database takes them.
            text = line.replace("\x00", "").encode(errors="replace").decode().strip()
            if text:
                return text
            self._screen.prompt()
        return None

    def _meaning(self, line: str) -> Content:
        explicit = line.startswith("!")
        button = self._shown.named(line[1:]) if explicit else self._shown.bare(line)
        return button.press() if button else content_of(line)

    async def _hand_in(self, intake: Intake, content: Content) -> None:
        update = update_of(content, address=self._address, user=self._user)
        async with self._screen.busy():
            pause = _FIRST_PAUSE
            while True:
                try:
                    await intake.accept([update])
                    break
                except StorageDown as down:
                    self._screen.note(f"Not kept yet, trying again: {harmless(str(down))}")
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
            await intake.settle()


def _standard_input() -> TextIO:
    # Python has none where the process was started with the descriptor closed.
    if sys.stdin is None:
        raise ChannelStopped(
            "standard input is closed, so that nobody can write to the bot. Start it at a "
            "terminal or with a pipe, or set HANDRAIL_TELEGRAM_TOKEN."
        )
    return sys.stdin
