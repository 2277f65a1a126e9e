"""What was said in each chat, in the bot's own storage: what a page is filled from.

A line has a name, and a name is recorded once: a message that is sent again after a crash, and
what a browser sends again, are there once. Lines belong to the person's conversation, so that
erasing the person erases them, and they are encrypted and swept with it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

import orjson

from engine.channels.web.bubbles import Bubble
from engine.channels.web.folding import Folding, Window
from flows.conversation import Address, ConversationKey
from flows.errors import StorageDown
from flows.ports import Clock, FlowStorage, Line, LineRow

CHAT = "chat"
"""The track of what is said."""

WINDOW = 200
"""Messages that a page begins with, and that it gets each time it goes further back."""

PAGE = 100
"""Lines that are read at once."""

PAGES = 50
"""How often lines are read for one window: where there are edits alone it ends earlier."""

_FOR_EVER = (1 << 53) - 2  # never before the time that the sweep goes by


class Records:
    """The lines of one bot's chats.

    Args:
        source: channel and bot.
    """

    def __init__(self, source: str, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._storage: FlowStorage | None = None

    def keep_in(self, storage: FlowStorage) -> None:
        """From now on, lines are in this storage."""
        self._storage = storage

    @property
    def storage(self) -> FlowStorage:
        """Where lines are. Raises StorageDown where there is no storage yet."""
        if self._storage is None:
            raise StorageDown("the web chat has no storage: its App does not run")
        return self._storage

    def conv(self, chat: str) -> str:
        """The conversation of a chat; its only person has the same id."""
        return str(ConversationKey(Address(self._source, chat), chat))

    async def add(self, chat: str, bubble: Bubble) -> bool:
        """Records a bubble; False: it was there. Raises StorageDown."""
        row = LineRow(self.conv(chat), CHAT, bubble.ref, bubble.to_json(), self._clock.now())
        (place,) = await self.storage.record([row])
        return place is not None

    async def after(self, chat: str, place: int) -> Sequence[Line] | None:
        """The next lines after a place; None: the line at that place is not there any more, since
        the chat was erased or swept.
        """
        found = await self.storage.lines(self.conv(chat), CHAT, after=place - 1, limit=PAGE + 1)
        return found[1:] if found and found[0].n == place else None

    async def window(self, chat: str, *, before: int | None = None) -> Window:
        """The newest messages before a place, or of all, with their edits in them."""
        folding, first, last = Folding(), before, 0
        for _ in range(PAGES):
            page = await self._back(chat, first, PAGE)
            for line in reversed(page):
                folding.add(line)
                first, last = line.n, max(last, line.n)
                if folding.count == WINDOW:
                    break
            if len(page) < PAGE or folding.count == WINDOW:
                break
        more = bool(await self._back(chat, first, 1)) if last else False
        return Window(lines=folding.done(), first=first or 0, last=last, more=more)

    async def _back(self, chat: str, before: int | None, limit: int) -> Sequence[Line]:
        return await self.storage.lines(
            self.conv(chat), CHAT, after=0, before=before, limit=limit, newest=True
        )

    async def key(self) -> bytes:
        """The key that cookies are signed with: made once, and the same ever after."""
        conv, track = f"{self._source}/key", "key"
        made = orjson.dumps(secrets.token_hex(32)).decode()
        await self.storage.record([LineRow(conv, track, "key", made, _FOR_EVER)])
        (line,) = await self.storage.lines(conv, track, after=0, limit=1)
        return bytes.fromhex(orjson.loads(line.body))


def delivery_name(delivery: str) -> str:
    """A name for a delivery that fits wherever names are kept, and tells nobody its parts."""
    return hashlib.sha256(delivery.encode()).hexdigest()[:32]
