"""Who is looking: the pages that are open in each chat, all of which show the same."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

PAGES = 16
"""Pages that one person may have open at the same time."""

WAITING = 64
"""Passing words that wait for a slow page; older ones are dropped, lines never."""


class Seat:
    """One open page: what it is to be told."""

    def __init__(self) -> None:
        self._stir = asyncio.Event()
        self._words: deque[bytes] = deque(maxlen=WAITING)

    def stir(self) -> None:
        """There are new lines."""
        self._stir.set()

    def tell(self, word: bytes) -> None:
        """Hands it a word that is not recorded."""
        self._words.append(word)
        self._stir.set()

    async def stirred(self) -> list[bytes]:
        """Waits until there is something; answers the words, and there may be lines."""
        await self._stir.wait()
        self._stir.clear()
        words = list(self._words)
        self._words.clear()
        return words


class Rooms:
    """The chats that somebody looks at."""

    def __init__(self) -> None:
        self._seats: dict[str, set[Seat]] = {}
        self._busy: defaultdict[str, int] = defaultdict(int)

    @contextmanager
    def seat(self, chat: str) -> Iterator[Seat | None]:
        """A page looks at the chat while the block runs; None: too many do."""
        seats = self._seats.setdefault(chat, set())
        if len(seats) >= PAGES:
            yield None
            return
        seat = Seat()
        seats.add(seat)
        if self._busy.get(chat):
            seat.tell(_typing(on=True))
        try:
            yield seat
        finally:
            seats.discard(seat)
            if not seats:
                self._seats.pop(chat, None)

    def stir(self, chat: str) -> None:
        """There are new lines in the chat."""
        for seat in self._seats.get(chat, ()):
            seat.stir()

    def tell(self, chat: str, word: bytes) -> None:
        """Tells the pages of the chat something that nobody needs to see later."""
        for seat in self._seats.get(chat, ()):
            seat.tell(word)

    @contextmanager
    def busy(self, chat: str) -> Iterator[None]:
        """The bot is at work for the chat while the block runs."""
        self._busy[chat] += 1
        self.tell(chat, _typing(on=True))
        try:
            yield
        finally:
            self._busy[chat] -= 1
            if not self._busy[chat]:
                del self._busy[chat]
                self.tell(chat, _typing(on=False))


def _typing(*, on: bool) -> bytes:
    return orjson.dumps({"t": "typing", "on": on})
