"""Fetching files that people have sent."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path, PurePosixPath

from engine.channels.telegram.api import Api
from engine.channels.telegram.client import CallFailed, Refused
from engine.saving import harmless_suffix, save
from flows.errors import ChannelStopped, DownloadFailed, FileTooLarge
from flows.messages.downloads import Target, Told
from flows.updates import FileRef

DOWNLOAD_BYTES = 20 << 20
"""The most bytes that Telegram lets a bot fetch of a file."""


async def download(
    api: Api,
    file: FileRef | str,
    to: Target,
    *,
    limit: int | None = None,
    progress: Told | None = None,
) -> Path | None:
    """Fetches a file; see ``flows.messages.downloads.Downloads``."""
    most = _most(limit)
    path, size = await _located(api, file, most)
    async with aclosing(_pieces(api, path, most)) as pieces:
        return await save(
            pieces, to, suffix=harmless_suffix(file, path), size=size, progress=progress
        )


async def chunks(
    api: Api, file: FileRef | str, *, limit: int | None = None
) -> AsyncGenerator[bytes, None]:
    """The bytes of a file, piece by piece; see ``flows.messages.downloads.Downloads``."""
    most = _most(limit)
    path, _ = await _located(api, file, most)
    async with aclosing(_pieces(api, path, most)) as pieces:
        async for piece in pieces:
            yield piece


def _most(limit: int | None) -> int:
    return DOWNLOAD_BYTES if limit is None else limit


async def _located(api: Api, file: FileRef | str, limit: int) -> tuple[str, int | None]:
    """Where the file lies with Telegram, and its size, where known."""
    if isinstance(file, FileRef) and (file.size or 0) > limit:
        raise FileTooLarge(limit)
    found = await _file(api, file.id if isinstance(file, FileRef) else file, limit)
    path = found.get("file_path") if isinstance(found, dict) else None
    size = found.get("file_size") if isinstance(found, dict) else None
    if not isinstance(path, str) or not path:
        raise DownloadFailed("Telegram does not say where the file lies")
    if path.startswith("/"):
        raise DownloadFailed(
            "this Bot API server keeps files on its own disk (--local) and hands out none. Run it "
            "without --local, or ask it where the file is (getFile) and take it from there."
        )
    if ".." in PurePosixPath(path).parts:
        raise DownloadFailed("Telegram names a place that no file can lie at")
    known = size if type(size) is int else None
    if (known or 0) > limit:
        raise FileTooLarge(limit)
    return path, known


async def _file(api: Api, name: str, limit: int) -> object:
    error: DownloadFailed
    try:
        return await api.call("getFile", {"file_id": name})
    except Refused as refused:
        large = "too big" in refused.reason.lower()
        error = FileTooLarge(min(limit, DOWNLOAD_BYTES)) if large else _failed(refused)
    except (CallFailed, ChannelStopped) as failure:
        error = _failed(failure)
    raise error


async def _pieces(api: Api, path: str, limit: int) -> AsyncGenerator[bytes, None]:
    count = 0
    error: DownloadFailed | None = None
    try:
        async with aclosing(api.fetch(path)) as fetched:
            async for piece in fetched:
                count += len(piece)
                if count > limit:
                    raise FileTooLarge(limit)
                yield piece
    except (CallFailed, ChannelStopped) as failure:
        error = _failed(failure)
    if error is not None:
        raise error


def _failed(failure: CallFailed | ChannelStopped) -> DownloadFailed:
    return DownloadFailed(f"the file could not be fetched: {failure}")
