"""Transcripts: conversations written down, that are tests.

::

    # a comment
    > /start
    < What's your name?
    > Ada
    ! Pro
    @ photo a caption

``>`` says, ``!`` presses the button with that label, ``@`` sends what ``Chat.send_file`` takes:
a photo, a voice message, a location and so on. The words after ``<`` must occur in what the bot
replied to the line before, in their order; upper and lower case, and how white space is spread,
do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.channels.console.made_up import CannotSend, made_up
from engine.testing.chat import Chat, NoSuchButton
from flows.errors import HandrailError
from flows.ports import FlowStorage

if TYPE_CHECKING:
    from engine.app import App

InputKind = Literal["say", "press", "file"]


class TranscriptError(HandrailError, ValueError):
    """A transcript that cannot be read. ``name`` and ``line`` say where."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        self.name = name
        self.line = line
        super().__init__(f"{name}, line {line}: {reason}")


class TranscriptMismatch(HandrailError, AssertionError):
    """The conversation went another way than the transcript says.

    Attributes:
        name, line: the place in the transcript.
        expected: what should have happened, as a phrase.
        came: what the bot said instead, one text a reply.
    """

    def __init__(self, name: str, line: int, expected: str, came: tuple[str, ...]) -> None:
        self.name = name
        self.line = line
        self.expected = expected
        self.came = came
        said = "".join(f"\n  | {part}" for text in came for part in text.split("\n"))
        super().__init__(
            f"{name}, line {line}: expected {expected}. "
            + (f"The bot said:{said}" if came else "The bot said nothing.")
        )


@dataclass(frozen=True, slots=True)
class Expectation:
    """Words that must occur in the replies."""

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One input and what must come back.

    Attributes:
        line: where the input stands, from 1.
        kind: ``say``, ``press`` or ``file``.
        text: what is said, the button's label, or the kind of what is sent, and its words.
    """

    line: int
    kind: InputKind
    text: str
    expected: tuple[Expectation, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation written down; ``name`` is shown where it fails."""

    name: str
    exchanges: tuple[Exchange, ...]


_INPUTS: dict[str, InputKind] = {">": "say", "!": "press", "@": "file"}


def read_transcript(path: Path) -> Transcript:
    """The transcript in a UTF-8 file.

    Raises:
        TranscriptError: a line cannot be understood.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        line = data.count(b"\n", 0, bad.start) + 1
        raise TranscriptError(str(path), line, "this is no UTF-8. Save the file as UTF-8.") from bad
    return parse_transcript(text, name=str(path))


def parse_transcript(text: str, *, name: str = "transcript") -> Transcript:
    """The transcript in a text.

    Raises:
        TranscriptError: a line cannot be understood, or nothing is said at all.
    """
    exchanges: list[Exchange] = []
    expected: list[Expectation] = []
    for number, line in enumerate(text.splitlines(), start=1):
        mark, rest = line.strip()[:1], line.strip()[1:].strip()
        if not mark or mark == "#":
            continue
        if mark not in "<>!@":
            raise TranscriptError(
                name, number, f"a line starts with >, <, !, @ or #, not with {mark!r}"
            )
        if not rest:
            raise TranscriptError(name, number, f"nothing stands after {mark!r}")
        if mark == "<":
            if not exchanges:
                raise TranscriptError(
                    name, number, "a reply is expected before anything was said. Begin with '>'."
                )
            expected.append(Expectation(number, rest))
            continue
        _close(exchanges, expected)
        exchanges.append(_exchange(name, number, mark, rest))
    _close(exchanges, expected)
    if not exchanges:
        raise TranscriptError(name, 1, "it says nothing. Write a line such as '> /start'.")
    return Transcript(name, tuple(exchanges))


async def play(app: App, transcript: Transcript, *, storage: FlowStorage | None = None) -> None:
    """Plays the transcript to the app, on a fresh storage in memory unless one is given.

    Raises:
        TranscriptMismatch: the conversation went another way.
    """
    async with Chat(app, storage=storage) as chat:
        for exchange in transcript.exchanges:
            await _perform(chat, exchange, transcript.name)


async def _perform(chat: Chat, exchange: Exchange, name: str) -> None:
    before = chat.replies()
    try:
        replies = await _input(chat, exchange)
    except NoSuchButton as error:
        labels = ", ".join(f"[{label}]" for label in error.labels) or "no buttons"
        expected = f"a button {exchange.text!r} among {labels}"
        raise TranscriptMismatch(name, exchange.line, expected, before) from None
    if unmet := _missing(exchange.expected, replies):
        raise TranscriptMismatch(name, unmet.line, repr(unmet.words), replies)


async def _input(chat: Chat, exchange: Exchange) -> tuple[str, ...]:
    match exchange.kind:
        case "say":
            return await chat.say(exchange.text)
        case "press":
            return await chat.press(exchange.text)
        case "file":
            kind, _, caption = exchange.text.partition(" ")
            return await chat.send_file(kind, caption)


def _missing(expected: tuple[Expectation, ...], replies: tuple[str, ...]) -> Expectation | None:
    """The first expectation that the replies do not meet, each looked for after the one before."""
    heard = _folded("\n".join(replies))
    position = 0
    for expectation in expected:
        words = _folded(expectation.words)
        found = heard.find(words, position)
        if found < 0:
            return expectation
        position = found + len(words)
    return None


def _close(exchanges: list[Exchange], expected: list[Expectation]) -> None:
    if not expected:
        return
    last = exchanges.pop()
    exchanges.append(Exchange(last.line, last.kind, last.text, tuple(expected)))
    expected.clear()


def _exchange(name: str, number: int, mark: str, rest: str) -> Exchange:
    if mark == "@":
        try:
            made_up(*rest.split(maxsplit=1))
        except CannotSend as error:
            raise TranscriptError(name, number, str(error)) from error
    return Exchange(number, _INPUTS[mark], rest)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
