"""Transcripts: conversations written down, that are tests.

::

    # a comment
    > /start
    < What's your name?
    > Ada
    ! Pro
    @ photo a caption
    * wait 1h

``>`` says, ``!`` presses the button with that label, ``@`` sends what ``Chat.send_file`` takes (a
photo, a voice message, a location and so on), and ``*`` lets something else happen, see
``engine.testing.events``. After ``* person 2`` another person
talks, in a chat of their own, or in the one that is named: ``* person 2 group``.
The words after ``<`` must occur in what the bot replied to the line before, in their order;
upper and lower case, and how white space is spread, do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.channels.console.made_up import CannotSend, made_up
from engine.testing.chat import Chat, NoSuchButton
from engine.testing.clock import VirtualClock
from engine.testing.events import check_event, happen, needs_clock
from engine.testing.expecting import first_missing, told
from flows.errors import HandrailError
from flows.ports import Clock, FlowStorage

if TYPE_CHECKING:
    from engine.app import App

InputKind = Literal["say", "press", "file", "event"]


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
        super().__init__(f"{name}, line {line}: expected {expected}. {told(came)}")


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
        kind: ``say``, ``press``, ``file`` or ``event``.
        text: what is said, the button's label, the kind of what is sent and its
            words, or what happens.
        by, chat: who does it, and where; None: in their own chat.
    """

    line: int
    kind: InputKind
    text: str
    expected: tuple[Expectation, ...] = ()
    by: str = "1"
    chat: str | None = None

    @property
    def written(self) -> str:
        """The line of a transcript that says it."""
        return f"{_MARKS[self.kind]} {self.text}"


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation written down; ``name`` is shown where it fails."""

    name: str
    exchanges: tuple[Exchange, ...]


_INPUTS: dict[str, InputKind] = {">": "say", "!": "press", "@": "file", "*": "event"}
_MARKS = {kind: mark for mark, kind in _INPUTS.items()}


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
    reader = _Reader(name)
    for number, line in enumerate(text.splitlines(), start=1):
        mark, rest = line.strip()[:1], line.strip()[1:].strip()
        if mark and mark != "#":
            reader.take(number, mark, rest)
    if not reader.exchanges:
        raise TranscriptError(name, 1, "it says nothing. Write a line such as '> /start'.")
    return Transcript(name, tuple(reader.exchanges))


class _Reader:
    """Takes the lines of a transcript, one after the other."""

    def __init__(self, name: str) -> None:
        self.exchanges: list[Exchange] = []
        self._name = name
        self._by = "1"
        self._chat: str | None = None

    def take(self, line: int, mark: str, rest: str) -> None:
        """A line that says something. Raises TranscriptError."""
        if mark not in ("<", *_INPUTS):
            raise TranscriptError(
                self._name, line, f"a line starts with >, <, !, @, * or #, not with {mark!r}"
            )
        if not rest:
            raise TranscriptError(self._name, line, f"nothing stands after {mark!r}")
        if mark == "<":
            self._expect(Expectation(line, rest))
        elif mark == "*" and rest.split()[0] == "person":
            self._turn_to(line, rest.split()[1:])
        else:
            self._check(line, mark, rest)
            kind = _INPUTS[mark]
            self.exchanges.append(Exchange(line, kind, rest, by=self._by, chat=self._chat))

    def _expect(self, expectation: Expectation) -> None:
        if not self.exchanges:
            message = "a reply is expected before anything was said. Begin with '>'."
            raise TranscriptError(self._name, expectation.line, message)
        last = self.exchanges.pop()
        self.exchanges.append(replace(last, expected=(*last.expected, expectation)))

    def _turn_to(self, line: int, words: list[str]) -> None:
        if not 1 <= len(words) <= 2:
            message = (
                "after '* person' stands who talks, and where if not alone: '* person 2 group'"
            )
            raise TranscriptError(self._name, line, message)
        self._by, self._chat = words[0], words[1] if len(words) == 2 else None

    def _check(self, line: int, mark: str, rest: str) -> None:
        if mark == "@":
            try:
                made_up(*rest.split(maxsplit=1))
            except CannotSend as error:
                raise TranscriptError(self._name, line, str(error)) from error
        if mark == "*" and (reason := check_event(rest)) is not None:
            raise TranscriptError(self._name, line, reason)


async def play(
    app: App,
    transcript: Transcript,
    *,
    storage: FlowStorage | None = None,
    clock: Clock | None = None,
    restart: bool = False,
    twice: bool = False,
) -> None:
    """Plays the transcript to the app, on a fresh storage in memory unless one is given.

    Args:
        clock: in place of the App's; a VirtualClock by itself where the transcript waits.
        restart: the process dies after every single input, and another one takes over.
        twice: every update is delivered twice.

    Raises:
        TranscriptMismatch: the conversation went another way.
        TimeIsReal: the transcript waits, on a clock that cannot be moved.
    """
    waits = any(one.kind == "event" and needs_clock(one.text) for one in transcript.exchanges)
    if clock is None and waits and not isinstance(app.clock, VirtualClock):
        clock = VirtualClock()
    async with Chat(app, storage=storage, clock=clock) as chat:
        for exchange in transcript.exchanges:
            await _compare(chat, exchange, transcript.name, twice=twice)
            if restart:
                await chat.crash()
                await chat.restart()


async def perform(chat: Chat, exchange: Exchange) -> tuple[str, ...]:
    """Does what the exchange says, and answers what came back in that chat.

    Raises:
        NoSuchButton: the button is not there.
    """
    by, where, text = exchange.by, exchange.chat, exchange.text
    match exchange.kind:
        case "say":
            return await chat.say(text, by=by, chat=where)
        case "press":
            return await chat.press(text, by=by, chat=where)
        case "file":
            kind, _, caption = text.partition(" ")
            return await chat.send_file(kind, caption, by=by, chat=where)
        case "event":
            return await happen(chat, text, by=by, where=where)


async def _compare(chat: Chat, exchange: Exchange, name: str, *, twice: bool) -> None:
    before = chat.replies(exchange.chat or exchange.by)
    try:
        replies = await perform(chat, exchange)
        if twice and exchange.kind != "event":
            replies += await chat.again()
    except NoSuchButton as error:
        labels = ", ".join(f"[{label}]" for label in error.labels) or "no buttons"
        expected = f"a button {exchange.text!r} among {labels}"
        raise TranscriptMismatch(name, exchange.line, expected, before) from None
    missing = first_missing([each.words for each in exchange.expected], replies)
    if missing is not None:
        unmet = exchange.expected[missing]
        raise TranscriptMismatch(name, unmet.line, repr(unmet.words), replies)
