"""Albums: what was sent together is one turn.

A channel hands in every part of an album as an update of its own as soon as it has it, so that
each is kept before the service hears that it is; a service that sends the next part only after it
has heard that could not be waited for anyway. The parts are put together here, before their turn:

- It is looked every ``QUIET`` seconds what has come. An album is over when there is nothing new
  since the last look, or when it has ``MOST`` parts. Meanwhile what else is in order with it waits
  behind it.
- Then it is noted with every later part, durably, which update stands for it: the first. That
  one's turn sees all of them. The turns of the others, which come after it, do nothing.
- A process that dies before the turn is committed has changed nothing: the parts are in the inbox
  and are put together anew. After the commit, the notes tell that the others are done.
- A part that comes later than that is an album, or a picture, of its own. None is lost, and none
  is seen twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from engine.intake.mailboxes import Item, Mailboxes
from flows.ports import Clock
from flows.turns.visit import OnceResult
from flows.updates import AlbumMessage, ChannelPost, Content, FileMessage, Update

QUIET = 0.7
"""Seconds between two looks; where nothing has come since the last one, an album is over."""

MOST = 10
"""Parts that an album has at the most."""

ALBUM = "album"
"""Where the notes of a part say which update stands for its album."""


@dataclass(frozen=True, slots=True)
class _Gathering:
    item: Item
    task: asyncio.Task[None]


class Albums:
    """Holds back the first part of an album until the others are there.

    Args:
        look: takes in what the inbox holds and memory does not.
        save_notes: stores the notes of an update durably.
        over: is told of every task that has ended, which may have failed.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        clock: Clock,
        *,
        look: Callable[[], Awaitable[object]],
        save_notes: Callable[[Item], Awaitable[None]],
        over: Callable[[asyncio.Task[None]], None],
    ) -> None:
        self._mailboxes = mailboxes
        self._clock = clock
        self._look = look
        self._save_notes = save_notes
        self._over = over
        self._gatherings: dict[str, _Gathering] = {}

    @property
    def gathering(self) -> int:
        """How many albums are waited for."""
        return len(self._gatherings)

    def sift(self, batch: list[Item]) -> tuple[list[Item], list[Item]]:
        """Of what is ready: what can begin, and the parts that an earlier turn has had. The first
        part of an album becomes ready again when its album is over.
        """
        if not [item for item in batch if item.update.album is not None]:
            return batch, []
        begin: list[Item] = []
        had: list[Item] = []
        for item in batch:
            if item.update.album is None:
                begin.append(item)
            elif ALBUM in item.notes:
                had.append(item)
            else:
                self._begin(item)
        return begin, had

    def let_go(self, which: Callable[[Item], bool]) -> None:
        """Waits no longer for the albums of these; nothing has begun of them."""
        for box, gathering in list(self._gatherings.items()):
            if which(gathering.item):
                del self._gatherings[box]
                gathering.task.cancel()
                self._mailboxes.again(gathering.item)

    def _begin(self, item: Item) -> None:
        task = asyncio.ensure_future(self._gather(item))
        self._gatherings[item.box] = gathering = _Gathering(item, task)

        def over(task: asyncio.Task[None]) -> None:
            if self._gatherings.get(item.box) is gathering:
                del self._gatherings[item.box]
                self._mailboxes.again(item)
            self._over(task)

        task.add_done_callback(over)

    async def _gather(self, item: Item) -> None:
        parts = self._parts(item)
        while 0 < len(parts) < MOST:
            await self._clock.sleep(QUIET)
            await self._look()
            found = self._parts(item)
            if len(found) == len(parts):
                break
            parts = found
        parts = parts[:MOST]
        for part in parts[1:]:
            part.notes[ALBUM] = {ALBUM: OnceResult(0, item.seq)}
            await self._save_notes(part)
        item.update = _together(item.update, [part.update for part in parts])

    def _parts(self, first: Item) -> list[Item]:
        """The parts of its album that are in memory, in order; no part of another's."""
        album, user = first.update.album, first.update.user
        return [
            item
            for item in self._mailboxes.from_on(first)
            if item.update.album == album and item.update.user == user
            if item is first or _stands_for(item) in (None, first.seq)
        ]


def _stands_for(item: Item) -> object:
    """The seq of the update that stands for its album, where that is known."""
    known = item.notes.get(ALBUM, {}).get(ALBUM)
    return known.value if known is not None else None


def _together(first: Update, parts: Sequence[Update]) -> Update:
    """One update for all; that of a single part is what it would be outside of an album."""
    if len(parts) < 2:
        return replace(first, album=None)
    if isinstance(first.content, ChannelPost):
        posts = [part.content.content for part in parts if isinstance(part.content, ChannelPost)]
        return replace(first, album=None, content=ChannelPost(_album(posts)))
    return replace(first, album=None, content=_album([part.content for part in parts]))


def _album(contents: Sequence[Content]) -> AlbumMessage:
    items = tuple(content for content in contents if isinstance(content, FileMessage))
    return AlbumMessage(items, next((item.caption for item in items if item.caption), ""))
