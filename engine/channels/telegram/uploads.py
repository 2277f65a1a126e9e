"""Files on their way to Telegram: read piece by piece, and given up when they are not ours."""

from __future__ import annotations

import asyncio
import io
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import httpx
import orjson

from flows.errors import SendLater, SendRefused
from flows.messages.input_file import InputFile

MAX_UPLOAD = 50_000_000
"""Bytes of a file that the public Bot API takes."""

MAX_PHOTO = 10_000_000
"""Bytes of a photo that it takes."""

Progress = Callable[[int, int], None]
"""Is told how many bytes of a request have gone out, and of how many; it may raise nothing."""

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that is open.

    Attributes:
        name: what Telegram calls it.
    """

    name: str
    stream: BinaryIO


def opened(
    files: Mapping[str, InputFile], stack: ExitStack, *, photo: bool, limited: bool
) -> dict[str, Uploaded]:
    """Opens files until the stack is closed.

    Args:
        photo: they are photos.
        limited: the limits of the public Bot API hold.

    Raises:
        SendRefused: a file is gone, is none, or is too large.
    """
    return {name: _open(file, stack, photo=photo, limited=limited) for name, file in files.items()}


def _open(file: InputFile, stack: ExitStack, *, photo: bool, limited: bool) -> Uploaded:
    if file.source == "bytes":
        return Uploaded(file.name or "file", io.BytesIO(file.data))
    path = Path(file.value)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would wait for ever
            raise SendRefused(f"{path} is no file that could be sent")
        stream = stack.enter_context(path.open("rb"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SendRefused(
            f"the file {path} cannot be read ({reason}). A file has to stay in its place until "
            "the message that brings it was sent."
        ) from None
    _check_size(path, status.st_size, MAX_PHOTO if photo else MAX_UPLOAD, limited=limited)
    return Uploaded(file.name or path.name, stream)


def _check_size(path: Path, size: int, most: int, *, limited: bool) -> None:
    if size == 0:
        raise SendRefused(f"the file {path} is empty, which Telegram does not take")
    if limited and size > most:
        raise SendRefused(
            f"the file {path} has {size} bytes, and Telegram takes up to {most} of such. Send a "
            "smaller one, a photo as a document, or run a Bot API server of your own."
        )


class Body(httpx.AsyncByteStream):
    """The body of a request with files, read in a thread, a piece at a time.

    Attributes:
        complete: all of it was handed over. Until then, Telegram has done nothing.
    """

    def __init__(
        self,
        stream: Iterator[bytes],
        size: int,
        *,
        go_on: Callable[[], bool] | None,
        progress: Progress | None,
    ) -> None:
        self.complete = False
        self._stream = stream
        self._size = size
        self._go_on = go_on
        self._progress = progress

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        while piece := await asyncio.to_thread(next, self._stream, b""):
            if self._go_on is not None and not self._go_on():
                raise SendLater(1, "the upload was stopped: its chat went to another worker")
            sent += len(piece)
            self.complete = sent >= self._size
            yield piece
            if self._progress is not None:
                self._progress(sent, self._size)


def multipart(
    http: httpx.AsyncClient,
    url: str,
    params: Mapping[str, Any],
    files: Mapping[str, Uploaded],
    *,
    go_on: Callable[[], bool] | None,
    progress: Progress | None,
    timeout: httpx.Timeout,
) -> tuple[httpx.Request, Body]:
    """A request that brings files."""
    request = http.build_request(
        "POST",
        url,
        data={name: _field(value) for name, value in params.items()},
        files={name: (file.name, file.stream) for name, file in files.items()},
        timeout=timeout,
    )
    stream = cast("httpx.SyncByteStream", request.stream)
    size = int(request.headers.get("content-length", "0"))
    body = Body(iter(stream), size, go_on=go_on, progress=progress)
    request.stream = body
    return request, body


def _field(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
