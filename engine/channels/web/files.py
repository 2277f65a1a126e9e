"""Files of the chats, in the bot's own storage: what people have uploaded, and what the bot sent.

A file is a track of the person's conversation, a line for each piece of it and one at the end that
tells what it is; without that one it is not whole, and not there. So it outlives a restart, is
encrypted, swept and erased with everything else of that person, and can be read by every process
of the bot.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import TypeAdapter

from engine.channels.web.records import Records
from engine.channels.web.spans import Span
from engine.saving import harmless_suffix, save
from flows.errors import DownloadFailed, FileTooLarge, StorageError
from flows.messages.downloads import Target, Told
from flows.ports import Clock, LineRow
from flows.updates import FileRef

PIECE = 192 * 1024
"""Bytes of a file in one line: 256 KiB when it is written as text."""

AT_ONCE = 4
"""Pieces that are read at once."""

LONGEST_NAME = 255

_END = "end"
_ENDLESS = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a file.

    Attributes:
        name: that its sender gave it; never a path of ours.
        mime: its type, by the sender's word.
        size: bytes.
        width, height: pixels, by the sender's word; 0: not known.
    """

    name: str = ""
    mime: str = ""
    size: int = 0
    width: int = 0
    height: int = 0


_ABOUT = TypeAdapter(About)


class Files:
    """Files by chat and id.

    Args:
        limit: the most bytes that one may have.
    """

    def __init__(self, records: Records, clock: Clock, *, limit: int) -> None:
        self.limit = limit
        self._records = records
        self._clock = clock

    async def put(
        self, chat: str, file: str, pieces: AsyncIterator[bytes], about: About
    ) -> FileRef:
        """Keeps a file. One that is there already, or was begun before, is not kept twice.

        Args:
            about: what is known of it but its size.

        Raises:
            FileTooLarge: it has more bytes than the limit; a part may be kept, and is swept.
            StorageDown: it was not kept, or not whole.
        """
        size = number = 0
        async for piece in _even(pieces):
            size += len(piece)
            if size > self.limit:
                raise FileTooLarge(self.limit)
            await self._add(chat, file, str(number), b64encode(piece).decode())
            number += 1
        whole = About(
            name=about.name[:LONGEST_NAME], mime=about.mime, size=size,
            width=about.width, height=about.height,
        )  # fmt: skip
        await self._add(chat, file, _END, whole)
        return reference(chat, file, whole)

    async def about(self, chat: str, file: str) -> About | None:
        """What a file is; None: there is no such file in that chat, or not all of it."""
        found = await self._records.storage.lines(
            self._records.conv(chat), _track(file), after=0, limit=1, newest=True
        )
        if not found or found[0].name != _END:
            return None
        return _ABOUT.validate_json(found[0].body)

    async def pieces(
        self, chat: str, file: str, *, span: Span | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a file that is there, or those of a span of it."""
        start, stop = (span.start, span.stop) if span is not None else (0, _ENDLESS)
        conv, place, at = self._records.conv(chat), 0, 0
        while page := await self._records.storage.lines(
            conv, _track(file), after=place, limit=AT_ONCE
        ):
            for line in page:
                if line.name == _END or at >= stop:
                    return
                if at + PIECE > start:
                    piece = b64decode(orjson.loads(line.body))
                    yield piece[max(0, start - at) : stop - at]
                at += PIECE
            place = page[-1].n

    # --- for handlers: flows.messages.downloads.Downloads ----------------------------------------

    async def download(
        self,
        file: FileRef | str,
        to: Target,
        *,
        limit: int | None = None,
        progress: Told | None = None,
    ) -> Path | None:
        """Fetches a file that somebody has sent."""
        chat, name, about = await self._found(file, limit)
        async with aclosing(self._fetched(chat, name)) as pieces:
            suffix = harmless_suffix(FileRef(id=name, mime=about.mime))
            return await save(pieces, to, suffix=suffix, size=about.size, progress=progress)

    async def chunks(
        self, file: FileRef | str, *, limit: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, piece by piece."""
        chat, name, _ = await self._found(file, limit)
        async with aclosing(self._fetched(chat, name)) as pieces:
            async for piece in pieces:
                yield piece

    async def _found(self, file: FileRef | str, limit: int | None) -> tuple[str, str, About]:
        chat, name = parted(file.id if isinstance(file, FileRef) else file)
        try:
            about = await self.about(chat, name)
        except StorageError as error:
            raise DownloadFailed(f"the file could not be read: {error}") from error
        if about is None:
            raise DownloadFailed(
                "there is no such file any more: it was erased, or swept after App(keep=...)"
            )
        if limit is not None and about.size > limit:
            raise FileTooLarge(limit)
        return chat, name, about

    async def _fetched(self, chat: str, name: str) -> AsyncGenerator[bytes, None]:
        try:
            async for piece in self.pieces(chat, name):
                yield piece
        except StorageError as error:
            raise DownloadFailed(f"the file could not be read: {error}") from error

    async def _add(self, chat: str, file: str, name: str, value: str | About) -> None:
        body = orjson.dumps(value).decode()
        conv, now = self._records.conv(chat), self._clock.now()
        await self._records.storage.record([LineRow(conv, _track(file), name, body, now)])


def reference(chat: str, file: str, about: About) -> FileRef:
    """The file as flows know it; its id tells the chat too."""
    return FileRef(
        id=f"{chat}/{file}",
        name=about.name,
        size=about.size,
        mime=about.mime,
        width=about.width or None,
        height=about.height or None,
    )


def parted(id: str) -> tuple[str, str]:
    """Chat and name of a file by its id."""
    chat, _, name = id.rpartition("/")
    return chat, name


def _track(file: str) -> str:
    return f"file:{file}"


async def _even(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes in pieces of one length, so that what is sent again falls on what is there."""
    buffer = bytearray()
    async for piece in pieces:
        buffer += piece
        while len(buffer) >= PIECE:
            yield bytes(buffer[:PIECE])
            del buffer[:PIECE]
    if buffer:
        yield bytes(buffer)
