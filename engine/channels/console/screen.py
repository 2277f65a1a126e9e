"""What a person sees: the plain screen for pipes and logs, the rich one for a terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from engine.channels.console.plain import harmless
from flows.errors import ChannelStopped
from flows.messages.keyboards import ActionButton, Button, Keyboard

_SPINNER_AFTER = 0.15
"""Seconds of work before the spinner appears: shorter ones would only flicker."""


class Screen(Protocol):
    """Shows one conversation. Every text that it gets has been made harmless."""

    def intro(self, commands: Sequence[tuple[str, str]]) -> None:
        """The conversation begins; ``commands`` are names and descriptions."""
        ...

    def prompt(self) -> None:
        """The person may write."""
        ...

    def heard(self, line: str) -> None:
        """The person wrote this."""
        ...

    def said(self, text: str, keyboard: Keyboard, *, edited: bool) -> None:
        """The bot says this, or has changed an earlier message into it."""
        ...

    def note(self, text: str) -> None:
        """A short word beside the conversation: the notice of a press, a difficulty."""
        ...

    def busy(self) -> AbstractAsyncContextManager[None]:
        """The bot works as long as the block runs."""
        ...

    def farewell(self) -> None:
        """The conversation is over for now."""
        ...


class Output(Console):
    """Standard output. It ends the channel when whoever reads it leaves, as ``| head`` does."""

    def on_broken_pipe(self) -> None:
        """Raises ChannelStopped, where rich would exit in the middle of the event loop."""
        self.quiet = True
        # What is still in the buffer would fail once more when Python flushes it at the end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise ChannelStopped("nobody reads the output any more. Start again to go on.")


class PlainScreen:
    """One prefix a speaker, no colours, and what was read is echoed."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def intro(self, commands: Sequence[tuple[str, str]]) -> None:
        """Nothing: a log needs no welcome."""

    def prompt(self) -> None:
        """Nothing: nobody waits at a pipe."""

    def heard(self, line: str) -> None:
        if line.strip():
            self._print("you", line)

    def said(self, text: str, keyboard: Keyboard, *, edited: bool) -> None:
        self._print("bot, edited" if edited else "bot", text)
        for row in numbered(keyboard):
            self._write("     " + "  ".join(row))

    def note(self, text: str) -> None:
        self._print("note", text)

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        yield

    def farewell(self) -> None:
        """Nothing: the end of the log says it."""

    def _print(self, speaker: str, text: str) -> None:
        first, *rest = text.split("\n")
        self._write(f"{speaker}> {first}".rstrip())
        for line in rest:
            self._write(f"     {line}".rstrip())

    def _write(self, line: str) -> None:
        self._console.out(line, style=None, highlight=False)


class ChatScreen:
    """Panels, colours, a prompt and a spinner, for a person at a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._prompting = False

    def intro(self, commands: Sequence[tuple[str, str]]) -> None:
        width = max((len(name) for name, _ in commands), default=0)
        lines = [
            Text.assemble((f"/{name:<{width}}", "bold"), f"  {harmless(about)}")
            for name, about in commands
        ]
        help_line = Text(
            "Type and press Enter; a button by its number or its label; @photo sends a photo. "
            "Ctrl-D leaves, and your place is kept.",
            style="dim",
        )
        self._print(Panel(Group(*lines, help_line), border_style="dim", expand=False))

    def prompt(self) -> None:
        self._prompting = True
        self._console.print(Text("you> ", style="bold green"), end="")

    def heard(self, line: str) -> None:
        # The terminal has echoed the line itself, and its line end.
        self._prompting = False

    def said(self, text: str, keyboard: Keyboard, *, edited: bool) -> None:
        body = [
            Text(text),
            *(Text("  ".join(row), style="bold magenta") for row in numbered(keyboard)),
        ]
        title = "bot, edited" if edited else "bot"
        panel = Panel(
            Group(*body),
            title=Text(title, style="dim" if edited else "bold cyan"),
            title_align="left",
            border_style="dim cyan" if edited else "cyan",
            expand=False,
        )
        self._print(panel)

    def note(self, text: str) -> None:
        self._print(Text(text, style="yellow"))

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        spinner = asyncio.create_task(self._spin())
        try:
            yield
        finally:
            spinner.cancel()
            # Not ``await spinner`` with its cancellation suppressed: that would swallow our own.
            await asyncio.wait([spinner])

    def farewell(self) -> None:
        if self._prompting:
            self._console.print()
            self._prompting = False
        self._print(Text("See you. Your place is kept: start again to go on.", style="dim"))

    async def _spin(self) -> None:
        await asyncio.sleep(_SPINNER_AFTER)
        with self._console.status("working"):
            await asyncio.get_running_loop().create_future()

    def _print(self, what: Panel | Text) -> None:
        if not self._prompting:
            self._console.print(what)
            return
        # Something came by itself, a reminder say: it goes above a fresh prompt.
        self._console.print()
        self._console.print(what)
        self.prompt()


def numbered(keyboard: Keyboard) -> list[list[str]]:
    """The rows as text: ``[1] Free``; a link shows its address and has no number."""
    rows: list[list[str]] = []
    count = 0
    for row in keyboard:
        cells: list[str] = []
        for button in row:
            count += button.data is not None
            cells.append(_cell(button, count))
        rows.append(cells)
    return rows


def _cell(button: Button, number: int) -> str:
    label = " ".join(harmless(button.label).split())
    if isinstance(button, ActionButton):
        return f"{label}: {button.action.replace('_', ' ')} {harmless(button.value)}".rstrip()
    if button.url is not None:
        return f"{label}: {harmless(button.url)}"
    return f"[{number}] {label}"
