"""Writing a file that is being fetched: under a name of ours, and whole or not at all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from uuid import uuid4

from flows.messages.downloads import Target, Told
from flows.updates import FileRef

_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}
"""Of what is named by its type: nothing that a computer would run."""


async def save(
    pieces: AsyncIterator[bytes],
    to: Target,
    *,
    suffix: str = "",
    size: int | None = None,
    progress: Told | None = None,
) -> Path | None:
    """Writes the pieces and answers where; None for a stream. See ``Downloads.download``.

    Args:
        suffix: the ending of a new name.
        size: how many bytes there will be, for ``progress``.

    Raises:
        OSError: it could not be written; there is no file then.
    """
    if not isinstance(to, Path | str):
        await _write(pieces, to, size, progress)
        return None
    target = Path(to)
    if await asyncio.to_thread(target.is_dir):
        target /= uuid4().hex + suffix
    # beside the target, so that it can be put in place at once
    part = target.with_name(f"{target.name}.{uuid4().hex}.part")
    try:
        with await asyncio.to_thread(part.open, "xb") as stream:
            await _write(pieces, stream, size, progress)
        await asyncio.to_thread(os.replace, part, target)
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
    return target


def harmless_suffix(file: FileRef | str, path: str = "") -> str:
    """The ending for a file of that type, or at that path of the service's; empty where it is none
    that is known to be harmless.
    """
    known = _SUFFIXES.get(file.mime.lower()) if isinstance(file, FileRef) else None
    if known is not None:
        return known
    ending = PurePosixPath(path).suffix.lower()
    return ending if ending in _SUFFIXES.values() else ""


async def _write(
    pieces: AsyncIterator[bytes], stream: BinaryIO, size: int | None, progress: Told | None
) -> None:
    count = 0
    async for piece in pieces:
        await asyncio.to_thread(stream.write, piece)
        count += len(piece)
        if progress is not None:
            progress(count, size)
